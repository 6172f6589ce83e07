// Runs an operator in a test, without a plugin file, a worker or a daemon.
//
// A FakeContext owns a temporary folder, holds the inputs, parameters and limits of one attempt,
// and runs an operator through the very code that a worker uses.  `run` gives what a worker would
// report; outputs lie under `output_path`.  Linked by `pipelined_operator_testing`.  One thread.
//
//   FakeContext context;
//   context.params(R"({"lines_min": 3})").input_file("files", "files/1", "a.txt", "x\n");
//   const wire::Ended ended = context.run(sdk::Operator<count_lines, run_count_lines>::descriptor);
//   CHECK(ended.outcome == Outcome::halt);
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "operators/sdk.h"
#include "operators/wire.h"

namespace pipelined::testing {

/// One line that the operator logged.
struct LogLine {
  std::int32_t level = 0;
  std::string text;
};

class FakeContext {
 public:
  /// Makes the temporary folder.
  FakeContext();
  /// Removes it.
  ~FakeContext();
  FakeContext(const FakeContext&) = delete;
  FakeContext& operator=(const FakeContext&) = delete;

  /// The parameters as one JSON object.  REQUIRES: valid JSON.
  FakeContext& params(const std::string& json);
  /// Adds an artifact at an input port: a folder that is there.
  FakeContext& input(const std::string& port, const std::string& type,
                     const std::filesystem::path& folder);
  /// Adds an artifact of one file with this content.
  FakeContext& input_file(const std::string& port, const std::string& type,
                          const std::string& file, const std::string& content);
  /// Adds an output port to be written; `run` by descriptor adds those that it names itself.
  FakeContext& output(const std::string& port, const std::string& type);
  /// Takes away an output port that a descriptor names.
  FakeContext& without_output(const std::string& port);
  /// Hands it a secret.
  FakeContext& secret(const std::string& name, const std::string& value);
  FakeContext& seed(std::int64_t seed);
  FakeContext& cpus(double cpus);
  FakeContext& memory_bytes(std::int64_t bytes);
  /// The operator sees that it is cancelled: from the start, or after so many calls of `progress`.
  FakeContext& cancel(std::int64_t after_progress_calls = 0);

  /// Runs an operator by its descriptor: its defaults, limits and outputs hold.
  wire::Ended run(const pl_operator_t& descriptor);
  /// Runs a bare function: parameters and outputs are those given here.
  wire::Ended run(sdk::Function function);

  /// The temporary folder.
  const std::filesystem::path& folder() const { return folder_; }
  /// Where an output was written.
  std::filesystem::path output_path(const std::string& port) const;
  /// The whole content of a file in an output.  REQUIRES: it is there.
  std::string output_text(const std::string& port, const std::string& file) const;
  const std::vector<LogLine>& log() const { return log_; }
  /// The elements that a generator named in the last run, each as JSON text, in their order.
  const std::vector<std::string>& generated() const { return generated_; }
  /// What `progress` said last; nothing if it was never called.
  const std::optional<wire::Progress>& progress() const { return progress_; }

 private:
  class Collector;

  wire::Ended note_elements(wire::Ended ended);

  std::filesystem::path folder_;
  wire::Run run_;
  std::vector<std::string> unwanted_;
  std::int64_t inputs_made_ = 0;
  std::int64_t cancel_after_ = -1, progress_calls_ = 0;
  std::atomic<bool> cancelled_{false};
  std::vector<LogLine> log_;
  std::vector<std::string> generated_;
  std::optional<wire::Progress> progress_;
};

/// The value of a metric that an attempt reported; nothing if there is none of that name and slice.
std::optional<double> metric(const wire::Ended& ended, const std::string& name,
                             const std::string& slice = {});

}  // namespace pipelined::testing
