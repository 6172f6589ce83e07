// Sources of kind "query": what is wrong with one, what a poll asks for, what its span is called.
//
// A poll takes the rows whose watermark is greater than the last one recorded, up to a bound that
// everybody can see: the greatest of the moment, or, with `lag`, one that was seen that long ago.
// When polls are due and what follows from their ends stands in engine_polls.cc.  Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/pipeline.h"
#include "dag/records.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The operator that asks, and the type of what it brings.
inline constexpr const char* query_operator = "ingest.query";
inline constexpr const char* query_span_type = "examples/1";
inline constexpr const char* query_output = "examples";

/// Shortest time between two polls of a source.
inline constexpr std::int64_t query_every_min_ms = 100;

/// What is wrong with the source, each as the rest of a sentence that begins with its name.
std::vector<std::string> query_problems(const SourceSpec& source, const OperatorSet& operators,
                                        const BundleFiles& files);

/// What one poll is to take.
struct PollRange {
  bool take = true;           ///< false: only look how far the watermark has got
  std::string upto;           ///< empty: as far as it is
};

/// The parameters of the operator for one poll.  `params` are those of the source, files replaced;
/// `folder` is where its path starts from.
ValueTable poll_params(const SourceSpec& source, const ValueTable& params, const std::string& folder,
                       const PollRow& row, const PollRange& range);

/// The absolute path of the SQLite file; empty for a server.
std::string query_file(const SourceSpec& source, const std::string& folder);

/// What the operator noted about its poll.
struct PollNotes {
  std::int64_t rows = 0;
  std::string first, last;    ///< watermarks of what it took
  std::string seen;           ///< the greatest that is there; empty: nothing new
  std::string type;           ///< int date time string
};
PollNotes read_poll_notes(const Value& notes);

/// The span of rows from `first` to `last`: "17-42", "20240105", "20240105T083000-20240105T091500.25".
/// An error says why these values cannot name one and what else to order by.
Result<std::string> span_of_range(const std::string& type, const std::string& first,
                                  const std::string& last);

/// How long to wait after so many failures in a row: 1 s, doubled each time, at most the greater of
/// a minute and the source's interval.
std::int64_t poll_backoff_ms(std::int64_t failures, std::int64_t every_ms);

}  // namespace pipelined
