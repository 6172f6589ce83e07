// One native attempt in this process: the callbacks that an operator gets, and what it reported.
//
// `run_operator` makes the output folders, completes the parameters, lends a context, calls the
// operator and turns its outcome into `wire::Ended`.  It knows nothing of processes, sockets,
// limits or sandboxes: whoever calls it has set those up, and fills in the usage afterwards.  The
// callbacks may come from several threads; the Sink must bear that.  What it hands out lives until
// it returns.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/operator_info.h"
#include "dag/value.h"
#include "operators/pipelined_plugin.h"
#include "operators/wire.h"

namespace pipelined::host {

/// Where progress and log lines go as they come.  Called from any thread of the operator.
class Sink {
 public:
  virtual ~Sink() = default;
  /// `total` 0: unknown.
  virtual void progress(std::int64_t done, std::int64_t total) = 0;
  /// One line, already valid UTF-8.  `level` is PL_DEBUG to PL_ERROR.
  virtual void log(std::int32_t level, std::string_view text) = 0;
};

/// "debug", "info", "warning" or "error".
const char* level_name(std::int32_t level);

/// The operator's work as a call.
using Body = std::function<std::int32_t(const pl_context_t*, pl_error_t*)>;

/// Bytes that an attempt may spend on metrics and notes; more are dropped, with a line in the log.
inline constexpr std::size_t report_bytes_max = 512 * 1024;

/// Runs `body` with these parameters, which are already complete.  `passes` are ports that are
/// reported as delivered without being written.
wire::Ended run_body(const Body& body, const ValueTable& params,
                     const std::vector<std::string>& passes, const wire::Run& run, Sink& sink,
                     const std::atomic<bool>& cancelled);

/// Runs a loaded operator: completes and checks the parameters by its description first.
wire::Ended run_operator(const pl_operator_t& raw, const OperatorInfo& info, const wire::Run& run,
                         Sink& sink, const std::atomic<bool>& cancelled);

}  // namespace pipelined::host
