// What is fuzzed: functions that take bytes from outside, by the name of their input.
//
// A target must neither crash nor leave a sanitizer anything to say, whatever the bytes are, and must
// hold the promise that stands beside it in targets.cc.  It keeps no state between inputs.
#pragma once

#include <string_view>
#include <vector>

namespace pipelined::fuzz {

/// One reader of bytes from outside.
struct Target {
  const char* name;
  void (*read)(std::string_view input);
};

/// All of them; each has a folder of its name in tests/fuzz/corpus.
const std::vector<Target>& targets();

// Readers of delivered text (ingest_targets.cc).
void read_delimited(std::string_view input);
void read_json_row(std::string_view input);
void read_encoding(std::string_view input);
void read_cell(std::string_view input);

// Statistics that another program wrote (statistics_target.cc).
void read_statistics_proto(std::string_view input);

}  // namespace pipelined::fuzz
