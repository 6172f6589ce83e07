// What daemon, plugin host and attempt say to each other, and how it is framed.
//
// A frame is four bytes, the size of what follows with the most significant byte first, and one
// JSON object with one key, the kind of message: {"run":{…}}, {"ended":{…}}, ….  At most 1 MiB.
// Codec only: nothing here reads a socket.  Times, paths and limits are what the sender says.
//
//   daemon → host     run, cancel
//   host → daemon     ready or refused (once, after loading), started, progress, ended
//
// Unknown fields are passed over, so that a newer side may say more.  One thread an object.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dag/records.h"
#include "dag/result.h"
#include "dag/value.h"

namespace pipelined::wire {

/// Bytes of JSON in one frame.
inline constexpr std::size_t frame_bytes_max = 1 << 20;

/// Bytes of a file of inputs: some hundred thousand of them.
inline constexpr std::size_t inputs_bytes_max = 64 << 20;

/// An artifact to read: `path` is the folder of its files.
struct Input {
  std::string digest, type, path;
  bool operator==(const Input&) const = default;
};

/// Where an output goes.  Native operators find an empty folder there, commands nothing.
struct Output {
  std::string type, path;
  bool operator==(const Output&) const = default;
};

/// Zero means: not limited.
struct Limits {
  double cpus = 1;
  std::int64_t memory_bytes = 0;
  std::int64_t deadline_ms = 0;  ///< execution time from the start of the attempt
  std::int64_t scratch_bytes = 0;     ///< of everything below the attempt's folder
  std::vector<int> processors;        ///< the only ones that it may run on; empty: all
  std::vector<int> gpus;              ///< numbers of the graphics processors that it has to itself
  bool operator==(const Limits&) const = default;
};

/// One attempt to be run.  The parameters of `command.run` (argv, env, stdin) are parameters too.
struct Run {
  std::string attempt, fence;
  std::string operator_id;                          ///< "operator" on the wire
  ValueTable parameters;                            ///< defaults are not filled in
  std::map<std::string, std::vector<Input>> inputs;  ///< by port, in order
  std::map<std::string, Output> outputs;            ///< by port; passed-through ones are not here
  std::string folder;                               ///< the attempt's own; may be written
  std::string scratch, log;                         ///< a folder and a file in it
  std::int64_t seed = 0;
  Limits limits;
  bool network = false;
  std::vector<std::string> secrets = {};            ///< each a file in `folder`/secrets
  std::vector<std::string> readable = {};           ///< more folders that it may read
  /// The inputs stand in this file because they are too many for a frame; empty: they are here.
  std::string inputs_file = {};
  bool operator==(const Run&) const = default;
};

/// End it: ask, wait, then kill all its processes.
struct Cancel {
  std::string attempt;
  std::int64_t grace_ms = 0;
  bool operator==(const Cancel&) const = default;
};

/// The host has loaded its plugin and takes attempts.
struct Ready {
  std::string plugin, version;
  bool operator==(const Ready&) const = default;
};

/// The host cannot load its plugin and ends.
struct Refused {
  std::string message;
  bool operator==(const Refused&) const = default;
};

/// The attempt's process runs.
struct Started {
  std::string attempt;
  bool operator==(const Started&) const = default;
};

struct Progress {
  std::string attempt;
  std::int64_t done = 0, total = 0;  ///< total 0: unknown
  bool operator==(const Progress&) const = default;
};

/// The attempt has ended and no process of it is left.
struct Ended {
  std::string attempt, fence;
  Outcome outcome = Outcome::failed;
  std::string error;                 ///< a sentence, of a halt the verdict; may be empty
  ValueTable notes;
  std::vector<MetricFact> metrics;
  std::vector<std::string> outputs;  ///< ports that were written or passed
  ValueList requests;                ///< changes that the operator wants the daemon to make
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;  ///< "usage" on the wire
  std::string failure_class;         ///< as in AttemptRow; only the host's word counts
  int exit_code = 0;                 ///< of the process when it could not report itself
  int signal = 0;                    ///< that ended it; 0: none
  bool lost = false;                 ///< a fault of the machine: counts no try
  bool retryable = false;            ///< RETRY, a crash of the operator or a timeout
  bool operator==(const Ended&) const = default;
};

using Message = std::variant<Run, Cancel, Ready, Refused, Started, Progress, Ended>;

/// The JSON object of a message, without the length: what stands in files where there is no socket.
std::string to_json(const Message& message);
/// Errors (invalid): not JSON, unknown kind, a field that is missing or of another kind.
Result<Message> from_json(std::string_view json);

/// The inputs of a run as the text of its `inputs_file`.  Error (exhausted): larger than allowed.
Result<std::string> inputs_text(const Run& run);
/// Gives a run the inputs of such a text.
Result<void> read_inputs(Run& run, std::string_view text);

/// A whole frame.  Error (exhausted): larger than `frame_bytes_max`.
Result<std::string> encode(const Message& message);

/// Takes bytes as they come and gives whole messages.
class Decoder {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next message; nothing if more bytes are needed.  After an error the stream is lost: every
  /// later call returns the same error.
  Result<std::optional<Message>> next();
  /// Whether bytes of an unfinished frame are waiting (the other side died in the middle).
  bool unfinished() const { return buffer_.size() > taken_; }

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
  std::optional<Error> error_;
};

}  // namespace pipelined::wire
