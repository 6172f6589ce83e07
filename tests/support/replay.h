// Gives the events of `pipectl history RUN --events` to a fresh engine over a ledger in memory.
//
// What was recorded before the run is laid into the ledger; then each fact is told at its time.
// Back-off is drawn anew, so the clock is turned on until the attempt of an event has begun.
// Timeouts are left out of the pipeline: attempts that came to one say so themselves.  One thread.
#pragma once

#include <catch2/catch.hpp>

#include "dag/bundle.h"
#include "daemon/api/protocol.h"
#include "dag/spec_toml.h"
#include "tests/support/memory_ledger.h"

namespace pipelined {

class Replay {
 public:
  explicit Replay(const protocol::RunEvents& events) : events_(events) {
    compile_pipeline();
    lay_down_the_past();
    engine_ = std::make_unique<Engine>(ledger, 7);
    now_ = {events.events.empty() ? 0 : events.events.front().at.ms, 0};
    turn(event::CapacityChanged{{1e6, 0, 0}});
    auto found = ledger.recover();
    REQUIRE(found);
    found->last_run = events.run - 1, found->last_arrival = events.horizon;
    REQUIRE(ledger.begin());
    std::vector<Effect> effects;
    engine_->recover(*found, {pipeline_}, now_, effects);
    REQUIRE(ledger.commit());
    take(effects);
    for (const protocol::ReplayEvent& event : events.events) tell(event);
    finish();
  }

  /// The states that the engine came to, by step and element.
  std::map<std::pair<std::string, std::string>, std::string> states() const {
    std::map<std::pair<std::string, std::string>, std::string> all;
    for (const auto& [key, row] : ledger.steps) {
      if (row.run == events_.run) all[{row.step, row.element}] = name_of(row.state);
    }
    return all;
  }
  std::string run_state() const { return name_of(ledger.runs.at(events_.run).state); }

  /// What the records say, in the same form.
  static std::map<std::pair<std::string, std::string>, std::string> recorded(
      const protocol::RunEvents& events) {
    std::map<std::pair<std::string, std::string>, std::string> all;
    for (const protocol::ReplayStep& step : events.steps) {
      all[{step.step, step.element}] = step.state;
    }
    return all;
  }

  MemoryLedger ledger;

 private:
  static ArtifactRef ref(const std::string& digest, const std::string& type, std::int64_t size) {
    const auto parsed = parse_digest(digest);
    REQUIRE(parsed);
    return {*parsed, type, size};
  }
  static std::vector<Binding> bindings(const std::vector<protocol::PortArtifact>& ports) {
    std::vector<Binding> all;
    for (const protocol::PortArtifact& port : ports) {
      all.push_back({port.port, port.position, ref(port.digest, port.type, port.size)});
    }
    return all;
  }
  static std::vector<MetricFact> metrics(const std::vector<protocol::Metric>& told) {
    std::vector<MetricFact> all;
    for (const protocol::Metric& metric : told) {
      all.push_back({metric.name, metric.slice, metric.value});
    }
    return all;
  }
  static std::vector<PortInfo> ports(const std::vector<protocol::Port>& told) {
    std::vector<PortInfo> all;
    for (const protocol::Port& port : told) {
      all.push_back({port.name, port.type, port.many, port.optional, port.evidence, port.pass, ""});
    }
    return all;
  }

  static OperatorInfo operator_from(const protocol::Operator& told) {
    OperatorInfo info;
    info.id = told.id, info.behaviour = told.behaviour, info.plugin = told.plugin;
    info.inputs = ports(told.inputs), info.outputs = ports(told.outputs);
    for (const protocol::Param& param : told.params) {
      info.params.push_back({param.name, param.kind, param.default_value, param.required,
                             param.choices, param.min, param.max, ""});
    }
    for (const auto& [name, version] : told.libraries) info.libraries.push_back({name, version});
    info.build = told.build, info.cacheable = told.cacheable, info.effect = told.effect;
    info.network = told.network, info.open_inputs = told.open_inputs;
    info.open_outputs = told.open_outputs, info.cpus = told.cpus;
    return info;
  }

  void compile_pipeline() {
    OperatorSet operators;
    for (const protocol::Operator& told : events_.operators) {
      operators.emplace(told.id, operator_from(told));
    }
    BundleFiles files;
    for (const auto& [name, content] : events_.files) files[name] = content;
    for (const auto& [name, content] : events_.binary) {
      files[name] = *protocol::base64_decode(content);
    }
    ParsedPipeline parsed = parse_pipeline(files.at(bundle_pipeline_file), "pipeline.toml");
    REQUIRE(parsed.spec);
    for (StepSpec& step : parsed.spec->steps) {
      step.timeout_ms = step.timeout_queue_ms = step.timeout_progress_ms = 0;
    }
    auto compiled = compile(*parsed.spec, operators, files, *parse_digest(events_.version));
    if (!compiled) FAIL(compiled.error().message);
    pipeline_ = *compiled;
  }

  void put_results() {
    for (const protocol::ReplayResult& known : events_.results) {
      ResultRow row;
      row.id = known.id, row.run = known.run, row.key_text = known.key_text;
      if (!known.key.empty()) row.key = parse_digest(known.key);
      row.pipeline = events_.pipeline, row.step = known.step, row.element = known.element;
      row.verdict = known.verdict, row.halt = known.halt, row.outputs = bindings(known.outputs);
      row.metrics = metrics(known.metrics), row.notes = known.notes, row.seq = ++seq_;
      if (known.id != 0) ledger.put(row);
      if (!known.accepted) continue;
      AcceptanceRow accepted;
      accepted.key = *parse_digest(known.key), accepted.who = "recorded", accepted.seq = ++seq_;
      if (known.without_remedy) accepted.evidence = ValueTable{{"remedy", "none"}};
      ledger.put(accepted);
    }
    for (const protocol::ReplayResolution& known : events_.resolutions) {
      ResolutionRow row;
      row.scope = *parse_digest(known.scope), row.run = known.run, row.origin = known.origin;
      if (!known.digest.empty()) {
        row.answer = Binding{known.port, 0, ref(known.digest, known.type, known.size)};
      }
      row.seq = ++seq_;
      ledger.put(row);
    }
  }

  void lay_down_the_past() {
    REQUIRE(ledger.begin());
    PipelineRow row;
    row.name = events_.pipeline, row.version = pipeline_->version, row.folder = events_.folder;
    row.current = true, row.seq = ++seq_;
    ledger.put(row);
    for (const protocol::ReplaySpan& known : events_.spans) {
      SpanRow span;
      span.pipeline = events_.pipeline, span.source = known.source, span.span = known.span;
      span.version = known.version, span.arrival = known.arrival;
      span.artifact = ref(known.digest, known.type, known.size);
      span.state = known.left_out.empty() ? SpanState::accepted : SpanState::dropped;
      if (known.fresh && known.left_out.empty()) span.state = SpanState::open;
      span.succeeded_run = known.fresh ? 0 : 1, span.seq = ++seq_;
      ledger.put(span);
    }
    put_results();
    REQUIRE(ledger.commit());
  }

  void turn(const Event& event) {
    REQUIRE(ledger.begin());
    std::vector<Effect> effects;
    engine_->apply(event, now_, effects);
    REQUIRE(ledger.commit());
    take(effects);
  }
  void take(const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) {
      const auto* start = std::get_if<effect::StartAttempt>(&effect);
      if (start == nullptr || start->run != events_.run) continue;
      started_[{start->step, start->element, start->number}] = *start;
    }
  }
  void turn_clock_to(TimeMs wall_ms) {
    if (wall_ms <= now_.wall_ms) return;
    now_.steady_ms += wall_ms - now_.wall_ms;
    now_.wall_ms = wall_ms;
    turn(event::TimeReached{});
  }

  void tell(const protocol::ReplayEvent& told) {
    turn_clock_to(told.at.ms);
    if (told.attempt > 0) {
      late_.push_back(told);
      end_attempts();
      return;
    }
    if (told.kind == "run") {
      event::RunRequested asked;
      asked.pipeline = events_.pipeline, asked.who = told.who;
      asked.options.params = events_.params, asked.options.force = events_.force;
      asked.options.select = events_.select;
      turn(asked);
    } else if (told.kind == "arrived") {
      const protocol::PortArtifact& file = told.artifacts.at(0);
      turn(event::Arrived{events_.pipeline, told.source, told.span,
                          ref(file.digest, file.type, file.size), told.span});
    } else {
      decide(told);
    }
    end_attempts();
  }

  void decide(const protocol::ReplayEvent& told) {
    const RunNumber run = events_.run;
    const std::string &who = told.who, &why = told.why;
    if (told.kind == "cancel") return turn(event::CancelRequested{0, run, who, why});
    if (told.kind == "retry") {
      event::RetryRequested again;
      again.run = run, again.who = who, again.why = why;
      return turn(again);
    }
    if (told.kind.starts_with("accept")) {
      const bool without = told.kind == "accept_without_remedy";
      return turn(event::AcceptRequested{0, run, told.step, told.element, who, why, without});
    }
    if (told.kind == "approve") {
      return turn(event::ApproveRequested{0, run, told.step, told.element, who, why});
    }
    if (told.kind == "reject") {
      return turn(event::RejectRequested{0, run, told.step, told.element, who, why});
    }
    event::SpanRequested span;
    span.pipeline = events_.pipeline, span.span = told.span, span.who = who, span.why = why;
    span.restore = told.kind == "span_restore";
    for (const protocol::ReplaySpan& known : events_.spans) {
      if (known.span == told.span) span.source = known.source;
    }
    turn(span);
  }

  /// Ends the attempts that are told and have begun; as long as one of them lets another begin.
  void end_attempts() {
    for (bool again = true; again;) {
      again = false;
      for (std::size_t i = 0; i < late_.size() && !again; ++i) {
        const auto found = started_.find({late_[i].step, late_[i].element, late_[i].attempt});
        if (found == started_.end()) continue;
        const protocol::ReplayEvent told = late_[i];
        const effect::StartAttempt start = found->second;
        late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
        started_.erase(found);
        end(start, told);
        again = true;
      }
    }
  }

  void end(const effect::StartAttempt& start, const protocol::ReplayEvent& told) {
    if (told.kind == "attempt_lost") {
      return turn(event::AttemptLost{start.attempt, told.error});
    }
    event::AttemptEnded ended;
    ended.attempt = start.attempt, ended.fence = start.fence;
    ended.outcome = parse_outcome(told.outcome).value_or(Outcome::failed);
    ended.outputs = bindings(told.artifacts), ended.metrics = metrics(told.metrics);
    ended.notes = told.notes, ended.error = told.error, ended.retryable = told.retryable;
    turn(ended);
  }

  /// Ends that came before their beginning, because back-off took longer here.
  void finish() {
    for (int turns = 0; !late_.empty() && turns < 1000; ++turns) {
      const auto timer = engine_->next_timer();
      if (!timer) break;
      turn_clock_to(now_.wall_ms + std::max<std::int64_t>(1, *timer - now_.steady_ms));
      end_attempts();
    }
  }

  const protocol::RunEvents& events_;
  std::shared_ptr<const Pipeline> pipeline_;
  std::unique_ptr<Engine> engine_;
  Instant now_;
  std::int64_t seq_ = 0;
  std::map<std::tuple<std::string, std::string, std::int64_t>, effect::StartAttempt> started_;
  std::vector<protocol::ReplayEvent> late_;
};

}  // namespace pipelined
