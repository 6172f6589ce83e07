// Operators that do next to nothing, so that what is measured is everything around them.
#include <chrono>
#include <fstream>
#include <string>

#include "operators/sdk.h"

namespace {
namespace sdk = pipelined::sdk;
using pipelined::Error;
using pipelined::ErrorCode;
using pipelined::Result;

constexpr auto nothing =
    sdk::describe("bench.nothing", 1, "Does nothing and has no output")
        .input("file", "files/1", "is not looked at", sdk::optional)
        .param(sdk::integer("round", "another number is other work").standard("0"));

Result<void> run_nothing(sdk::Context&) { return {}; }

constexpr auto kilobyte =
    sdk::describe("bench.kilobyte", 1, "Writes a file of 1,024 bytes, another one for other input")
        .input("file", "files/1", "decides the bytes", sdk::optional)
        .output("block", "files/1", "the file")
        .param(sdk::integer("round", "another number is other work, with other bytes").standard("0"));

Result<void> run_kilobyte(sdk::Context& context) {
  std::string bytes = std::to_string(context.integer("round")) + " ";
  if (context.input_count("file") > 0) bytes += context.input_digest("file");
  bytes.resize(1024, '.');
  std::ofstream file(context.output_path("block") / "block", std::ios::binary);
  file << bytes;
  if (!file.flush()) return Error{ErrorCode::io, "cannot write the block"};
  return {};
}

// Reads the clock, which an operator for real work must not do.
constexpr auto moment =
    sdk::describe("bench.moment", 1, "Measures the moment at which it began, in ms since 1970")
        .input("file", "files/1", "is not looked at", sdk::optional);

Result<void> run_moment(sdk::Context& context) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  context.metric("began_ms", std::chrono::duration<double, std::milli>(now).count());
  return {};
}
}  // namespace

PL_PLUGIN("bench", "1.0", sdk::Operator<nothing, run_nothing>, sdk::Operator<kilobyte, run_kilobyte>,
          sdk::Operator<moment, run_moment>)
