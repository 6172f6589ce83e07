#include "daemon/app_trials.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "daemon/store/views.h"
#include "dag/cache_key.h"
#include "dag/model_named.h"
#include "dag/nearest_name.h"
#include "dag/run_state.h"
#include "dag/span_pattern.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t query_timeout_ms = 60'000, trial_timeout_ms = 600'000;
constexpr std::size_t table_bytes_max = 4u << 20, text_bytes_max = 4096, files_told_max = 1000;
constexpr const char* table_operator = "data.table";
constexpr const char* sample_operator = "data.sql";

/// At most so many bytes of a file that a worker wrote; nothing if it is none.
std::optional<std::string> read_bounded(const fs::path& path, std::size_t bytes_max) {
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error)) ||
      fs::file_size(path, error) > bytes_max) {
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  return in ? std::optional(std::move(text)) : std::nullopt;
}

bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

std::vector<TrialFile> files_of(const std::string& folder) {
  std::vector<TrialFile> files;
  std::error_code error;
  const fs::path out = fs::path(folder) / "out";
  for (auto it = fs::recursive_directory_iterator(out, error);
       !error && it != fs::recursive_directory_iterator() && files.size() < files_told_max;
       it.increment(error)) {
    if (!fs::is_regular_file(it->symlink_status(error))) continue;
    const fs::path inside = it->path().lexically_relative(out);
    TrialFile file;
    file.port = inside.begin()->string(), file.path = inside.string();
    file.size = static_cast<std::int64_t>(it->file_size(error));
    const auto text = read_bounded(it->path(), text_bytes_max);
    if (text && is_plain(*text)) file.text = *text;
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const TrialFile& a, const TrialFile& b) { return a.path < b.path; });
  return files;
}

std::string end_of(const std::string& path, std::streamoff bytes_max) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : 0;
  in.seekg(std::max<std::streamoff>(0, size - bytes_max));
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

/// Spans of a source that take part, oldest first.
std::vector<SpanRow> spans_of(Store& store, const std::string& pipeline,
                              const std::string& source) {
  SpanFilter filter;
  filter.pipeline = pipeline, filter.source = source;
  std::vector<SpanRow> spans = list_spans(store, filter);
  std::erase_if(spans, [](const SpanRow& row) {
    return row.state == SpanState::dropped || row.state == SpanState::rejected;
  });
  std::sort(spans.begin(), spans.end(),
            [](const SpanRow& a, const SpanRow& b) { return span_before(a.span, b.span); });
  return spans;
}

bool has_error(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& one) { return !one.warning; });
}

}  // namespace

struct Trials::Attempt {
  Trial trial;
  std::shared_ptr<const Pipeline> pipeline;
  StepIndex step = no_step;
  ValueTable params;
  std::vector<PortInputs> inputs;
  AdHoc::Replaced replaced;
  std::vector<std::shared_ptr<const AdHocEnd>> samples;  ///< their folders are read by the step
  TrialOutcome outcome;
  std::function<void(Result<TrialOutcome>)> done;

  const PipelineStep& of() const { return pipeline->steps[step]; }
};

Trials::Trials(Store& store, Artifacts& artifacts, PipelineShelf& shelf,
               const PluginRegistry& registry, AdHoc& adhoc)
    : store_(store), artifacts_(artifacts), shelf_(shelf), registry_(registry), adhoc_(adhoc) {}

void Trials::query(const std::vector<Digest>& artifacts, const std::string& query,
                   std::int64_t rows, std::function<void(Result<std::string>)> done) {
  const auto info = registry_.operators.find(table_operator);
  effect::StartAttempt start;
  if (info != registry_.operators.end()) start.plugin = info->second.plugin;
  start.operator_id = table_operator;
  start.params = {{"query", Value(query)}, {"rows", Value(rows)}};
  for (const Digest& artifact : artifacts) {
    const auto detail = show_artifact(store_, artifact, 1);
    const char* port = start.inputs.empty() ? "data" : "other";
    if (detail) start.inputs.push_back({port, detail->view.ref.type, {detail->view.ref}});
  }
  start.outputs = {{"table", "report/1", true, false, {}}};
  start.timeout_ms = query_timeout_ms, start.number = 1;
  adhoc_.run(std::move(start), {}, [done = std::move(done), known = info != registry_.operators.end()](
                                       Result<std::shared_ptr<const AdHocEnd>> end) {
    if (!known) {
      return done(Error{ErrorCode::unsupported, std::string("looking into an artifact needs the "
                        "operator ") + table_operator + ", which no installed plugin has"});
    }
    if (!end) return done(end.error());
    const AttemptReport& report = (*end)->report;
    if (report.outcome != Outcome::ok) {
      return done(Error{ErrorCode::invalid, "the query was not answered: " + report.error});
    }
    const auto table =
        read_bounded(fs::path((*end)->folder) / "out" / "table" / "table.json", table_bytes_max);
    if (!table) {
      return done(Error{ErrorCode::exhausted, "the query's answer is larger than " +
                                                  std::to_string(table_bytes_max >> 20) +
                                                  " MiB; ask for fewer rows or columns"});
    }
    done(*table);
  });
}

void Trials::try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->trial = std::move(trial), attempt->done = std::move(done);
  Judgement judgement = shelf_.judge(attempt->trial.upload.files, attempt->trial.upload.file);
  attempt->outcome.diagnostics = std::move(judgement.problems);
  attempt->pipeline = std::move(judgement.pipeline);
  if (attempt->pipeline) {
    attempt->step = attempt->pipeline->find(attempt->trial.step);
    // The files that stand as inputs of their own must lie in the store.
    return shelf_.store(attempt->pipeline, [this, attempt](Result<void> stored) {
      if (!stored) return attempt->done(stored.error());
      go_on(attempt);
    });
  }
  adhoc_.later([attempt] { attempt->done(std::move(attempt->outcome)); });
}

void Trials::go_on(std::shared_ptr<Attempt> attempt) {
  if (has_error(attempt->outcome.diagnostics)) return attempt->done(attempt->outcome);
  if (attempt->step == no_step) {
    std::vector<std::string> known;
    for (const PipelineStep& step : attempt->pipeline->steps) known.push_back(step.spec.name);
    return attempt->done(Error{ErrorCode::not_found,
                               "pipeline " + attempt->pipeline->spec.name + " has no step '" +
                                   attempt->trial.step + "'" +
                                   did_you_mean(attempt->trial.step, known)});
  }
  ValueTable values = attempt->pipeline->step_values(attempt->of().fan_source);
  for (const auto& [name, value] : attempt->trial.params) values[name] = value;
  auto params = resolve_params(attempt->of().spec.params, values, attempt->pipeline->files);
  if (!params) return attempt->done(params.error());
  attempt->params = *std::move(params);
  if (auto found = find_inputs(*attempt); !found) return attempt->done(found.error());
  for (const PortInputs& port : attempt->inputs) {
    for (std::size_t i = 0; i < port.artifacts.size(); ++i) {
      attempt->outcome.inputs.push_back(
          {port.port, static_cast<std::int64_t>(i), port.artifacts[i]});
    }
  }
  if (attempt->trial.sample > 0) return sample_next(attempt, 0, 0);
  const Digest key = sha256(key_text(attempt->of(), attempt->params, attempt->inputs));
  const PipelineStep& step = attempt->of();
  const bool cached = step.spec.cache && step.info->cacheable && !step.info->effect;
  const auto known = cached ? store_.find_result(key, INT64_MAX) : std::nullopt;
  if (!known || store_.first_lost(*known)) return start(attempt);
  TrialOutcome& outcome = attempt->outcome;
  outcome.from_run = known->run, outcome.metrics = known->metrics, outcome.notes = known->notes;
  outcome.took_ms = known->ended_at - known->started_at;
  outcome.outcome = known->halt ? Outcome::halt : Outcome::ok, outcome.error = known->verdict;
  for (const Binding& output : known->outputs) {
    outcome.outputs.push_back({output.port, output.artifact.digest.hex(), output.artifact.size, ""});
  }
  attempt->done(std::move(outcome));
}

Result<void> Trials::find_inputs(Attempt& attempt) {
  const PipelineStep& step = attempt.of();
  attempt.outcome.element = attempt.trial.element;
  if (!step.fan_source.empty() && !is_generated_source(step.fan_source)) {
    TRY(span, span_of(attempt.pipeline->spec.name, step.fan_source, attempt.trial.element));
    attempt.outcome.element = span.span;
  }
  for (const PipelineInput& input : step.inputs) TRY_VOID(find_input(attempt, step, input));
  return {};
}

Result<SpanRow> Trials::span_of(const std::string& pipeline, const std::string& source,
                                const std::string& element) {
  const std::vector<SpanRow> spans = spans_of(store_, pipeline, source);
  for (auto it = spans.rbegin(); it != spans.rend(); ++it) {
    if (element.empty() || it->span == element) return *it;
  }
  return Error{ErrorCode::not_found,
               "source " + source + " of pipeline " + pipeline +
                   (element.empty() ? " has no delivery yet" : " has no span " + element) +
                   "; put the pipeline in force with `pipectl apply` so that its files are taken"};
}

Result<void> Trials::find_input(Attempt& attempt, const PipelineStep& step,
                                const PipelineInput& input) {
  const std::string& name = attempt.pipeline->spec.name;
  PortInputs port{input.port.name, input.port.type, {}};
  if (input.spec.kind == InputSpec::Kind::file) {
    port.artifacts.push_back(input.file);
  } else if (input.spec.kind == InputSpec::Kind::each ||
             input.spec.kind == InputSpec::Kind::source) {
    const bool each = input.spec.kind == InputSpec::Kind::each;
    TRY(span, span_of(name, each ? step.fan_source : input.spec.source,
                      each ? attempt.outcome.element : ""));
    port.artifacts.push_back(span.artifact);
  } else if (input.spec.kind == InputSpec::Kind::model) {
    const auto found = model_named(store_, input.spec.model, input.spec.version,
                                   std::numeric_limits<std::int64_t>::max());
    if (found) port.artifacts.push_back(*found);
  } else {
    TRY_VOID(find_recorded(attempt, input, port));
  }
  if (!port.artifacts.empty()) {
    attempt.inputs.push_back(std::move(port));
    return {};
  }
  if (input.port.optional) return {};
  if (input.spec.kind == InputSpec::Kind::model) {
    return Error{ErrorCode::not_found, "there is no model " + input.spec.model + "@" +
                                           input.spec.version + " for input " + input.spec.port};
  }
  return Error{ErrorCode::not_found, "no run of pipeline " + name + " has recorded an output '" +
                                         input.output + "' of step " + input.spec.step +
                                         " for input " + input.spec.port +
                                         "; run the pipeline that far first"};
}

Result<void> Trials::find_recorded(Attempt& attempt, const PipelineInput& input,
                                   PortInputs& port) {
  const std::string& name = attempt.pipeline->spec.name;
  const PipelineStep& parent = attempt.pipeline->steps[input.step];
  std::vector<std::string> elements = {parent.fan_source.empty() ? "" : attempt.outcome.element};
  const bool aligned = input.spec.kind == InputSpec::Kind::step && !input.collects;
  if (!parent.fan_source.empty() && !aligned && input.spec.kind != InputSpec::Kind::latest) {
    elements.clear();
    for (const SpanRow& span : spans_of(store_, name, parent.fan_source)) {
      const SpanSelection& wanted = input.spec.spans;
      const bool before = input.spec.kind != InputSpec::Kind::span ||
                          span_before(span.span, attempt.outcome.element);
      const bool in_range = wanted.kind != SpanSelection::Kind::range ||
                            span_in_range(span.span, wanted.first, wanted.last);
      if (before && in_range) elements.push_back(span.span);
    }
  }
  for (const std::string& element : elements) {
    const auto output = recorded_output(name, parent.spec.name, element, input.output);
    if (output) port.artifacts.push_back(*output);
  }
  const auto keep = [&port](std::size_t count) {  // the newest ones
    const std::size_t have = port.artifacts.size();
    if (have > count) {
      port.artifacts.erase(port.artifacts.begin(),
                           port.artifacts.end() - static_cast<std::ptrdiff_t>(count));
    }
  };
  if (input.spec.kind == InputSpec::Kind::newest) keep(1);
  if (input.spec.spans.kind == SpanSelection::Kind::last) {
    keep(static_cast<std::size_t>(input.spec.spans.count));
  }
  if (input.spec.kind == InputSpec::Kind::span) {
    const auto back = static_cast<std::size_t>(-input.spec.offset);
    if (port.artifacts.size() < back) {
      port.artifacts.clear();
    } else {
      port.artifacts = {port.artifacts[port.artifacts.size() - back]};
    }
  }
  return {};
}

std::optional<ArtifactRef> Trials::recorded_output(const std::string& pipeline,
                                                   const std::string& step,
                                                   const std::string& element,
                                                   const std::string& port) {
  for (const StepRow& row :
       store_.finished_steps(pipeline, step, element, false, INT64_MAX, 0, 1)) {
    const auto result = store_.find_result_by_id(row.result);
    for (const Binding& output : result ? result->outputs : std::vector<Binding>()) {
      if (output.port == port) return output.artifact;
    }
  }
  return std::nullopt;
}

// A share of the rows of each table, one after another; what is no table is taken whole.
void Trials::sample_next(std::shared_ptr<Attempt> attempt, std::size_t port, std::size_t position) {
  while (port < attempt->inputs.size() &&
         (position >= attempt->inputs[port].artifacts.size() ||
          attempt->inputs[port].artifacts[position].type != "examples/1")) {
    if (position + 1 < attempt->inputs[port].artifacts.size()) ++position;
    else ++port, position = 0;
  }
  if (port >= attempt->inputs.size()) return start(attempt);
  const auto info = registry_.operators.find(sample_operator);
  if (info == registry_.operators.end()) {
    return attempt->done(Error{ErrorCode::unsupported,
                               "a share of the rows needs the operator data.sql, which no "
                               "installed plugin has"});
  }
  const ArtifactRef& artifact = attempt->inputs[port].artifacts[position];
  char share[32];
  std::snprintf(share, sizeof share, "%.9f", attempt->trial.sample);
  // Every hundredth row for 1 %: the same rows each time, evenly over the table.
  const std::string each = std::string("floor(pl_row * ") + share + ") > floor((pl_row - 1) * " +
                           share + ")";
  effect::StartAttempt sample;
  sample.operator_id = sample_operator, sample.plugin = info->second.plugin, sample.number = 1;
  sample.params = {{"query", Value("SELECT * EXCLUDE (pl_row) FROM (SELECT *, row_number() OVER () "
                                   "AS pl_row FROM data) WHERE " + each + " ORDER BY pl_row")}};
  sample.inputs = {{"data", artifact.type, {artifact}}};
  sample.outputs = {{"examples", "examples/1", false, false, {}}};
  sample.timeout_ms = trial_timeout_ms;
  adhoc_.run(std::move(sample), {}, [this, attempt, port, position](
                                        Result<std::shared_ptr<const AdHocEnd>> end) {
    if (!end) return attempt->done(end.error());
    const AttemptReport& report = (*end)->report;
    if (report.outcome != Outcome::ok) {
      return attempt->done(Error{ErrorCode::invalid, "taking a share of input " +
                                                         attempt->inputs[port].port + ": " +
                                                         report.error});
    }
    attempt->replaced[{attempt->inputs[port].port, position}] =
        (*end)->folder + "/out/examples";
    attempt->samples.push_back(*std::move(end));
    sample_next(attempt, port, position + 1);
  });
}

void Trials::start(std::shared_ptr<Attempt> attempt) {
  const PipelineStep& step = attempt->of();
  effect::StartAttempt start;
  start.pipeline = attempt->pipeline->spec.name, start.step = step.spec.name;
  start.element = attempt->outcome.element, start.number = 1;
  start.operator_id = step.info->id, start.plugin = step.info->plugin;
  start.params = attempt->params, start.inputs = attempt->inputs;
  for (const OutputSpec& output : step.outputs) {
    if (!step.passed.contains(output.port)) start.outputs.push_back(output);
  }
  start.seed = step.spec.seed, start.network = step.info->network;
  start.cpus = step.spec.resources.cpus > 0 ? step.spec.resources.cpus : step.info->cpus;
  start.memory_bytes = step.spec.resources.memory_bytes;
  start.timeout_ms = step.spec.timeout_ms > 0 ? step.spec.timeout_ms : trial_timeout_ms;
  adhoc_.run(std::move(start), attempt->replaced,
             [this, attempt](Result<std::shared_ptr<const AdHocEnd>> end) {
               if (!end) return attempt->done(end.error());
               finish(*attempt, **end);
             });
}

void Trials::finish(Attempt& attempt, const AdHocEnd& end) {
  TrialOutcome& outcome = attempt.outcome;
  outcome.outcome = end.report.outcome, outcome.error = end.report.error;
  outcome.took_ms = end.took_ms, outcome.cpu_ms = end.report.cpu_ms;
  outcome.memory_peak_bytes = end.report.memory_peak_bytes;
  outcome.metrics = end.report.metrics, outcome.notes = end.report.notes;
  outcome.outputs = files_of(end.folder);
  outcome.log = end_of(artifacts_.log_path(end.report.attempt), text_bytes_max);
  attempt.done(std::move(outcome));
}

}  // namespace pipelined
