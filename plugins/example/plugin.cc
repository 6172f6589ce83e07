// The example of docs/plugin-authors.md: counts lines and bytes of text files.
#include <fstream>
#include <iterator>

#include "operators/sdk.h"

namespace {
namespace sdk = pipelined::sdk;
using pipelined::Error;
using pipelined::ErrorCode;
using pipelined::Result;

constexpr auto count_lines =
    sdk::describe("example.count", 1, "Counts the lines of delivered text files")
        .input("files", "files/1", "the files to count", sdk::many)
        .output("report", "report/1", "count.txt: a line a file", sdk::evidence)
        .param(sdk::integer("lines_min", "halt when there are fewer lines than this")
                   .standard("0").at_least(0));

Result<void> run_count_lines(sdk::Context& context) {
  std::ofstream report(context.output_path("report") / "count.txt");
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < context.input_count("files"); ++i) {
    for (const auto& file : context.input_files("files", i)) {
      if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while counting"};
      std::ifstream stream(file, std::ios::binary);
      if (!stream) return Error{ErrorCode::io, "cannot read " + file.filename().string()};
      const auto lines = std::count(std::istreambuf_iterator<char>(stream), {}, '\n');
      report << lines << ' ' << file.filename().string() << '\n';
      total += lines;
    }
    context.progress(i + 1, context.input_count("files"));
  }
  if (!report.flush()) return Error{ErrorCode::io, "cannot write count.txt"};
  context.metric("lines", static_cast<double>(total));
  if (const auto lines_min = context.integer("lines_min"); total < lines_min) {
    context.halt("only " + std::to_string(total) + " lines, " + std::to_string(lines_min) +
                 " are wanted");
  }
  return {};
}
}  // namespace

PL_PLUGIN("example", "1.0", sdk::Operator<count_lines, run_count_lines>)
