// The examples of docs/plugin-authors.md: one counts lines of text files, one can go on after a loss,
// one delivers and tells, one names what is to be tried.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

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

constexpr auto long_work =
    sdk::describe("example.long_work", 1, "Works through rounds, and goes on where it was lost")
        .output("report", "report/1", "rounds.txt: how many rounds there were")
        .param(sdk::integer("rounds", "how many").standard("10").at_least(1))
        .param(sdk::integer("pause_ms", "how long one takes").standard("100").at_least(0))
        .flags(PL_DETERMINISTIC | PL_CACHEABLE | PL_RESUMABLE);

Result<void> run_long_work(sdk::Context& context) {
  const std::filesystem::path checkpoint = context.scratch_path() / "done";
  std::int64_t done = 0;
  std::ifstream(checkpoint) >> done;  // nothing there: from the beginning
  context.metric("rounds_found", static_cast<double>(done));
  const std::int64_t rounds = context.integer("rounds");
  while (done < rounds) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped; the checkpoint is kept"};
    std::this_thread::sleep_for(std::chrono::milliseconds(context.integer("pause_ms")));
    context.progress(++done, rounds);
    // Whole or not at all: an attempt may be lost between any two bytes.
    std::filesystem::path next = checkpoint;
    next += ".new";
    if (!(std::ofstream(next) << done << std::flush)) {
      return Error{ErrorCode::io, "cannot write the checkpoint " + next.string()};
    }
    std::filesystem::rename(next, checkpoint);
  }
  std::ofstream report(context.output_path("report") / "rounds.txt");
  report << rounds << '\n';
  if (!report.flush()) return Error{ErrorCode::io, "cannot write rounds.txt"};
  return {};
}
constexpr auto announce =
    sdk::describe("example.announce", 1, "Delivers a text as a span and tells about it")
        .output("files", "files/1", "text.txt")
        .param(sdk::text("source", "the source of kind feedback that gets the span").required())
        .param(sdk::text("span", "the span").required())
        .param(sdk::text("text", "what the file says").standard("\"hello\""))
        .flags(PL_EFFECT);

Result<void> run_announce(sdk::Context& context) {
  std::ofstream file(context.output_path("files") / "text.txt");
  file << context.text("text") << '\n';
  if (!file.flush()) return Error{ErrorCode::io, "cannot write text.txt"};
  // Both are done in the transaction that records this attempt's end, or neither is.
  TRY_VOID(context.request("add_span", R"({"source": ")" + context.text("source") +
                                           R"(", "span": ")" + context.text("span") +
                                           R"(", "output": "files"})"));
  return context.request("raise_alert", R"({"severity": "info", "sentence": "span )" +
                                            context.text("span") + R"( was announced"})");
}

constexpr auto narrow =
    sdk::describe("example.narrow", 1, "Looks for the x where a measured y is smallest")
        .input("tried", "files/1", "a file an element: its x and the y that came of it",
               sdk::many | sdk::optional)
        .output("best", "files/1", "best.txt: the best x and its y")
        .param(sdk::number("from", "the smallest x").required())
        .param(sdk::number("to", "the largest x").required())
        .param(sdk::integer("points", "how many are tried in a round").standard("3").at_least(3))
        .param(sdk::integer("generated_max", "filled in: how many may be tried").standard("0"))
        .param(sdk::flag("generated_stopped", "filled in: the time has passed").standard("false"))
        .flags(PL_DETERMINISTIC | PL_CACHEABLE | PL_GENERATES);

// Called anew for every round, with all results so far: what it says hangs on nothing else.
Result<void> run_narrow(sdk::Context& context) {
  const std::int64_t tried = context.input_count("tried"), points = context.integer("points");
  double step = (context.number("to") - context.number("from")) / static_cast<double>(points - 1);
  double best_x = 0, best_y = 0, first = context.number("from");
  for (std::int64_t i = 0; i < tried; ++i) {
    double x = 0, y = 0;
    for (const auto& file : context.input_files("tried", i)) std::ifstream(file) >> x >> y;
    if (i == 0 || y < best_y) best_x = x, best_y = y;
  }
  const bool is_over = context.flag("generated_stopped") ||
                       tried + points > context.integer("generated_max");
  if (tried > 0 && is_over) {
    std::ofstream best(context.output_path("best") / "best.txt");
    best << best_x << ' ' << best_y << '\n';
    context.metric("y", best_y);
    if (!best.flush()) return Error{ErrorCode::io, "cannot write best.txt"};
    return {};
  }
  for (std::int64_t done = 0; done < tried; done += points) {  // every round nearer to the best
    step /= 2;
    first = best_x - step * static_cast<double>(points - 1) / 2;
  }
  for (std::int64_t i = 0; i < points; ++i) {
    const double x = first + step * static_cast<double>(i);
    TRY_VOID(context.generate("{\"x\": " + std::to_string(x) + "}"));
  }
  return {};
}
}  // namespace

PL_PLUGIN("example", "1.0", sdk::Operator<count_lines, run_count_lines>,
          sdk::Operator<long_work, run_long_work>, sdk::Operator<announce, run_announce>,
          sdk::Operator<narrow, run_narrow>)
