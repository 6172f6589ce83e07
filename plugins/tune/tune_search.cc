#include "plugins/tune/tune_search.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include "plugins/tune/tuning.h"

namespace pipelined::tune {
namespace {

using nlohmann::json;

constexpr std::size_t unmeasured_max = 3;

// The metric in an evaluation; nothing where it has none of that name and slice, or no finite one.
Result<std::optional<double>> metric_in(const std::filesystem::path& folder, const Search& search) {
  std::ifstream stream(folder / "evaluation.json", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("metrics") || !document["metrics"].is_array()) {
    return Error{ErrorCode::invalid, "input \"results\" has an evaluation.json without a list of "
                                     "metrics; a trial's result is what model.evaluate writes"};
  }
  for (const json& metric : document["metrics"]) {
    if (!metric.is_object() || metric.value("name", json()) != search.metric ||
        metric.value("slice", json("")) != search.slice) {
      continue;
    }
    const json value = metric.value("value", json());
    if (!value.is_number() || !std::isfinite(value.get<double>())) return std::optional<double>();
    return std::optional<double>(value.get<double>());
  }
  return std::optional<double>();
}

Result<std::vector<Tried>> read_trials(const sdk::Context& context, const Search& search,
                                       const json& generated) {
  std::vector<Tried> trials;
  std::int64_t next = 0;
  for (const json& element : generated) {
    Tried tried;
    tried.values = element.value("values", json::object());
    tried.trial = search.trial_of(tried.values);
    tried.done = element.value("done", false);
    if (tried.done) {
      if (next >= context.input_count("results")) {
        return Error{ErrorCode::invalid, "input \"results\" has fewer artifacts than trials that "
                                         "are done: in.results = { results = \"score.evaluation\" }"};
      }
      TRY(metric, metric_in(context.input_path("results", next), search));
      tried.trial.metric = metric;
      tried.evaluation = context.input_digest("results", next++);
    }
    trials.push_back(std::move(tried));
  }
  return trials;
}

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

// A search in which nothing was measured has no result to go on with.
Error without_metric(const Search& search, std::size_t trials) {
  const std::string metric = "\"" + search.metric + "\"" +
                             (search.slice.empty() ? "" : " of slice \"" + search.slice + "\"");
  return Error{ErrorCode::invalid, "none of " + std::to_string(trials) + " trials gave a metric " +
                                       metric + "; look at why they failed (pipectl show), or at "
                                       "which metrics their evaluations have"};
}

Result<void> name_elements(sdk::Context& context, const Search& search, const Round& round) {
  for (const json& element : round.elements) TRY_VOID(context.generate(element.dump()));
  context.log(sdk::Level::info, "names " + std::to_string(round.elements.size()) + " trials by " +
                                    name_of(search.strategy));
  return {};
}

Result<void> write_results(const sdk::Context& context, const Tuning& tuning) {
  const std::size_t best = tuning.ranking().front();
  TRY_VOID(write_file(context.output_path("tuning") / "tuning.json", tuning_json(tuning)));
  if (context.wants_output("report")) {
    TRY_VOID(write_file(context.output_path("report") / "report.html",
                        tuning_page(tuning, context.text("title", "A search"))));
  }
  context.metric(tuning.search.metric, *tuning.trials[best].trial.metric, tuning.search.slice);
  context.metric("trials", static_cast<double>(tuning.trials.size()));
  context.note("chosen", tuning.trials[best].values.dump());
  return {};
}

}  // namespace

Result<void> tune_search(sdk::Context& context) {
  const json params = json::parse(context.params_json());
  TRY(search, Search::read(params, context.seed()));
  TRY(trials, read_trials(context, search, params.value("generated", json::array())));
  std::vector<Trial> history;
  bool measured = false;
  for (const Tried& tried : trials) {
    history.push_back(tried.trial);
    measured = measured || tried.trial.metric.has_value();
  }
  Tuning tuning{std::move(search), params["space"], std::move(trials), End::trials,
                context.flag("generated_stopped")};
  if (!tuning.trials.empty()) context.note("ranking", ranking_note(tuning).dump());
  if (!tuning.stopped) {
    TRY(round, next_round(tuning.search, history));
    // One point may fail; when none of several is measured, the cause is not the point.
    if (history.size() >= unmeasured_max && !measured) return without_metric(tuning.search, history.size());
    if (!round.elements.empty()) return name_elements(context, tuning.search, round);
    tuning.end = round.end;
  }
  if (!measured) return without_metric(tuning.search, history.size());
  return write_results(context, tuning);
}

}  // namespace pipelined::tune
