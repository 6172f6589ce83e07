// What a waiting node waits for, and the artifacts at its ports once nothing is missing.
//
// Order (rule 10): plain inputs and `after`, newest, source, model, span, latest.  A node is blocked at
// its first dead parent and skipped only when all its parents are terminal.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/model_named.h"
#include "dag/span_pattern.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

using Kind = InputSpec::Kind;

/// Evaluates one node of one run; a fresh object each time.
class Evaluator {
 public:
  Evaluator(Engine::State& state, Run& run, NodeIndex index)
      : state_(state), run_(run), index_(index), node_(run.nodes[index]), step_(run.step_of(index)) {}

  Evaluation evaluate() {
    ports_.resize(step_.inputs.size());
    present_.assign(step_.inputs.size(), false);
    const bool done = is_generated() && plain_inputs() && after_steps() && take_collections() &&
                      newest_inputs() && source_inputs() && model_inputs() &&
                      required_came() && span_inputs() && latest_inputs() && required_came();
    if (done) {
      for (std::size_t i = 0; i < ports_.size(); ++i) {
        if (present_[i]) found_.inputs.ports.push_back(std::move(ports_[i]));
      }
    }
    return std::move(found_);
  }

  /// For run_on steps: whatever is there, nothing is waited for.
  Evaluation evaluate_leniently() {
    ports_.resize(step_.inputs.size());
    present_.assign(step_.inputs.size(), false);
    if (!is_generated()) {
      stop(Evaluation::Kind::skip, {"not_generated", "no such element was generated", {}});
      return std::move(found_);
    }
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      take_what_is_there(i);
      if (present_[i]) found_.inputs.ports.push_back(std::move(ports_[i]));
    }
    return std::move(found_);
  }

 private:
  bool stop(Evaluation::Kind kind, Reason reason) {
    found_.kind = kind;
    found_.reason = std::move(reason);
    return false;
  }
  bool wait_for(NodeIndex node) {
    found_.node = node;
    const std::string what = path(node);
    const StepState state = run_.nodes[node].state;
    return stop(Evaluation::Kind::wait_node,
                {"waits", "waits for " + what + (is_held(state) ? std::string(", which is ") + name_of(state) : ""), {}});
  }
  bool blocked_by(NodeIndex node) {
    found_.node = node;
    return stop(Evaluation::Kind::block,
                {"blocked", path(node) + " is " + name_of(run_.nodes[node].state), {}});
  }
  bool skip(const std::string& sentence) {
    return stop(Evaluation::Kind::skip, {"no_input", sentence, {}});
  }

  std::string path(NodeIndex node) const {
    return step_path(run_.step_of(node).spec.name, run_.element_of(node));
  }
  SpanIndex aligned_span(StepIndex parent) const {
    return run_.pipeline->steps[parent].fan_source.empty() ? no_span : node_.span;
  }

  // Puts the artifact at `output` of a finished node into the port; false: it has none there.
  bool take(NodeIndex from, const std::string& output, PortInputs& port) const {
    const auto& outputs = run_.nodes[from].outputs;
    if (!outputs) return false;
    for (const Binding& binding : *outputs) {
      if (binding.port == output) {
        port.artifacts.push_back(binding.artifact);
        return true;
      }
    }
    return false;
  }

  bool put(std::size_t i, NodeIndex from) {
    const PipelineInput& input = step_.inputs[i];
    ports_[i].port = input.port.name;
    ports_[i].type = input.port.type;
    if (take(from, input.output, ports_[i])) present_[i] = true;
    return true;
  }
  void put(std::size_t i, const ArtifactRef& artifact) {
    ports_[i].port = step_.inputs[i].port.name;
    ports_[i].type = step_.inputs[i].port.type;
    ports_[i].artifacts.push_back(artifact);
    present_[i] = true;
  }

  void take_what_is_there(std::size_t i) {
    const PipelineInput& input = step_.inputs[i];
    if (input.spec.kind == Kind::file) return put(i, input.file);
    if (input.spec.kind == Kind::each) return put_element(i);
    if (input.spec.kind == Kind::model) return put_model(i);
    if (input.spec.kind == Kind::source) {
      if (const SpanRow* row = newest_of_source(input.spec.source)) put(i, row->artifact);
      return;
    }
    if (input.spec.kind == Kind::step && !input.collects) {
      const auto parent = run_.find(input.step, aligned_span(input.step));
      if (parent && is_done(run_.nodes[*parent].state)) put(i, *parent);
      return;
    }
    if (input.spec.kind != Kind::step && input.spec.kind != Kind::newest) return;
    std::vector<NodeIndex> done;
    for (NodeIndex n = run_.first_node[input.step]; n < run_.first_node[input.step + 1]; ++n) {
      const Node& node = run_.nodes[n];
      if (!is_done(node.state) || (node.span != no_span && run_.span_dropped[node.span])) continue;
      if (node.span == no_span || in_selection(input, node.span)) done.push_back(n);
    }
    std::size_t wanted = done.size();
    if (input.spec.kind == Kind::newest) wanted = 1;
    if (input.spec.spans.kind == SpanSelection::Kind::last) {
      wanted = static_cast<std::size_t>(input.spec.spans.count);
    }
    for (std::size_t d = done.size() - std::min(wanted, done.size()); d < done.size(); ++d) {
      put(i, done[d]);
    }
  }

  // Whether the element is there: whoever generates it may not have come to it yet.
  bool is_generated() {
    const auto generator = generator_node(run_, node_.step);
    if (!generator) return true;
    const NodeIndex at = *generator;
    const Node& node = run_.nodes[at];
    const std::size_t known = node.generated ? node.generated->size() : 0;
    if (index_ - run_.first_node[node_.step] < known) return true;
    if (is_dead(node.state)) return blocked_by(at);
    if (is_done(node.state) || node.state == StepState::skipped) {
      return stop(Evaluation::Kind::skip,
                  {"not_generated", path(at) + " generated " + std::to_string(known) + " elements", {}});
    }
    return wait_for(at);
  }

  // What came of the elements of this step so far, in their order; a round is over when all are.
  bool results(std::size_t i) {
    const PipelineInput& input = step_.inputs[i];
    const std::size_t known = node_.generated ? node_.generated->size() : 0;
    const NodeIndex begin = run_.first_node[input.step];
    for (NodeIndex n = begin; n < begin + known; ++n) {
      if (!is_terminal(run_.nodes[n].state)) return wait_for(n);
    }
    for (std::size_t ordinal = 0; ordinal < known; ++ordinal) {
      if (!element_done(run_, index_, ordinal)) continue;
      put(i, begin + static_cast<NodeIndex>(ordinal));
    }
    return true;
  }

  bool plain_inputs() {
    // First every parent must be terminal (or give evidence); artifacts are taken afterwards.
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      const PipelineInput& input = step_.inputs[i];
      if (input.spec.kind == Kind::file) put(i, input.file);
      if (input.spec.kind == Kind::each) put_element(i);
      if (input.spec.kind == Kind::results && !results(i)) return false;
      if (input.spec.kind != Kind::step) continue;
      if (!(input.collects ? collect(i) : aligned(i))) return false;
    }
    return true;
  }

  void put_element(std::size_t i) {
    const RunSpan& span = run_.row.spans[node_.span];
    const SpanRow* row = state_.span_row(run_.row.pipeline, span.source, span.span, span.version);
    CHECK(row != nullptr);
    put(i, row->artifact);
  }

  bool aligned(std::size_t i) {
    const PipelineInput& input = step_.inputs[i];
    const auto parent = run_.find(input.step, aligned_span(input.step));
    if (!parent) return true;  // that step has no such element: the input never comes
    const StepState state = run_.nodes[*parent].state;
    if (is_dead(state)) return blocked_by(*parent);
    if (is_done(state) || (state == StepState::halted && input.evidence)) return put(i, *parent);
    if (state == StepState::skipped) return true;
    return wait_for(*parent);
  }

  bool in_selection(const PipelineInput& input, SpanIndex span) const {
    const SpanSelection& wanted = input.spec.spans;
    const RunSpan& row = run_.row.spans[span];
    if (wanted.kind == SpanSelection::Kind::only_new) return row.fresh;
    if (wanted.kind == SpanSelection::Kind::range) {
      return span_in_range(row.span, wanted.first, wanted.last);
    }
    return true;
  }

  // Whether an element stands in the way: it must be waited for or it blocks.
  bool settled(const PipelineInput& input, NodeIndex n) {
    const Node& node = run_.nodes[n];
    if (run_.span_dropped[node.span]) return true;
    if (is_dead(node.state)) return is_passed_by(run_, n) || blocked_or_passed_by(n);
    if (is_done(node.state) || node.state == StepState::skipped) return true;
    if (node.state == StepState::halted &&
        (input.evidence || state_.planted == PlantedBug::skip_halted_span)) {
      return true;
    }
    return wait_for(n);
  }
  // Whether a failed element is passed by is known once its generator has ended.
  bool blocked_or_passed_by(NodeIndex n) {
    const auto generator = generator_node(run_, run_.nodes[n].step);
    const bool open = generator && run_.step_of(*generator).spec.generates->failures > 0 &&
                      !is_terminal(run_.nodes[*generator].state);
    return open ? wait_for(*generator) : blocked_by(n);
  }
  bool counts(const PipelineInput& input, NodeIndex n) const {
    const Node& node = run_.nodes[n];
    return !run_.span_dropped[node.span] &&
           (is_done(node.state) || (node.state == StepState::halted && input.evidence));
  }

  bool collect(std::size_t i) {
    const PipelineInput& input = step_.inputs[i];
    if (input.spec.spans.kind == SpanSelection::Kind::last) {
      return collect_last(i, static_cast<std::size_t>(input.spec.spans.count));
    }
    return look_through(i, input.step, [&](NodeIndex n) {
      return !in_selection(input, run_.nodes[n].span) || settled(input, n);
    });
  }

  // Looks at the elements of a step until one is in the way.  What was seen settled stays so: a
  // cursor over all collections, one after the other, so that waiting for n elements costs n looks.
  template <class Look>
  bool look_through(std::size_t phase, StepIndex step, Look look) {
    const std::uint64_t seen = node_.cursor >> 32;
    if (phase < seen) return true;
    NodeIndex n = run_.first_node[step];
    if (phase == seen) n = std::max(n, static_cast<NodeIndex>(node_.cursor & 0xffffffff));
    for (; n < run_.first_node[step + 1]; ++n) {
      node_.cursor = static_cast<std::uint64_t>(phase) << 32 | n;
      if (!look(n)) return false;
    }
    node_.cursor = static_cast<std::uint64_t>(phase + 1) << 32;
    return true;
  }

  // Only once nothing is waited for: thousands of artifacts are not put together to be thrown away.
  bool take_collections() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      const PipelineInput& input = step_.inputs[i];
      if (input.spec.kind != Kind::step || !input.collects ||
          input.spec.spans.kind == SpanSelection::Kind::last) {
        continue;
      }
      for (NodeIndex n = run_.first_node[input.step]; n < run_.first_node[input.step + 1]; ++n) {
        if (in_selection(input, run_.nodes[n].span) && counts(input, n)) put(i, n);
      }
    }
    return true;
  }

  // Counts after leaving out (rule 8): older spans come in where newer ones fall out.
  bool collect_last(std::size_t i, std::size_t count) {
    const PipelineInput& input = step_.inputs[i];
    std::vector<NodeIndex> chosen;
    const NodeIndex begin = run_.first_node[input.step];
    for (NodeIndex n = run_.first_node[input.step + 1]; n-- > begin && chosen.size() < count;) {
      if (!settled(input, n)) return false;
      if (counts(input, n)) chosen.push_back(n);
    }
    for (auto n = chosen.rbegin(); n != chosen.rend(); ++n) put(i, *n);
    return true;
  }

  bool after_steps() {
    std::size_t phase = step_.inputs.size();
    for (const std::string& name : step_.spec.after) {
      const StepIndex parent = run_.pipeline->find(name);
      const std::string& fan = run_.pipeline->steps[parent].fan_source;
      const auto ended = [&](NodeIndex n) {
        const Node& node = run_.nodes[n];
        if (node.span != no_span && run_.span_dropped[node.span]) return true;
        if (is_dead(node.state)) return is_passed_by(run_, n) || blocked_or_passed_by(n);
        return is_terminal(node.state) || wait_for(n);
      };
      if (!fan.empty() && fan == step_.fan_source) {  // element by element (rule 4)
        const auto aligned = run_.find(parent, node_.span);
        if (aligned && !ended(*aligned)) return false;
      } else if (!look_through(phase, parent, ended)) {
        return false;
      }
      ++phase;
    }
    return true;
  }

  bool newest_inputs() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      if (step_.inputs[i].spec.kind != Kind::newest) continue;
      if (run_.pipeline->steps[step_.inputs[i].step].fan_source.empty()) {
        if (!aligned(i)) return false;
      } else if (!collect_last(i, 1)) {
        return false;
      }
    }
    return true;
  }

  bool source_inputs() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      const PipelineInput& input = step_.inputs[i];
      if (input.spec.kind != Kind::source) continue;
      const SpanRow* row = newest_of_source(input.spec.source);
      if (row == nullptr) {
        return stop(Evaluation::Kind::wait_source,
                    {"waits", "waits for a first delivery of source " + input.spec.source, {}});
      }
      put(i, row->artifact);
    }
    return true;
  }

  // As of the run's creation: a run that is tried again compares with what it compared with before.
  void put_model(std::size_t i) {
    const InputSpec& spec = step_.inputs[i].spec;
    const auto found = model_named(state_.ledger, spec.model, spec.version, run_.row.created_seq);
    if (found) put(i, *found);
  }

  bool model_inputs() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      if (step_.inputs[i].spec.kind == Kind::model) put_model(i);
    }
    return true;
  }

  const SpanRow* newest_of_source(const std::string& source) const {
    const auto& spans = state_.pipelines.at(run_.row.pipeline).spans;
    const auto by_span = spans.find(source);
    if (by_span == spans.end()) return nullptr;
    const SpanRow* first = nullptr;
    for (auto it = by_span->second.rbegin(); it != by_span->second.rend(); ++it) {
      for (auto row = it->second.rbegin(); row != it->second.rend(); ++row) {
        if (row->state == SpanState::dropped || row->state == SpanState::rejected ||
            row->state == SpanState::in_review) {
          continue;
        }
        const bool was_there =
            row->arrival <= run_.row.horizon && row->approved_seq <= run_.row.created_seq;
        if (was_there) return &*row;
        if (first == nullptr || row->arrival < first->arrival) first = &*row;
      }
    }
    return first;  // none had arrived at the horizon: the first that came since (rule 14)
  }

  bool required_came() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      const PipelineInput& input = step_.inputs[i];
      const bool later = input.spec.kind == Kind::span || input.spec.kind == Kind::latest;
      if (present_[i] || input.port.optional || (later && !resolved_)) continue;
      if (input.spec.kind == Kind::model) {
        return skip("there was no model " + input.spec.model + "@" + input.spec.version +
                    " for input " + input.port.name);
      }
      if (later) return skip("nothing to resolve for input " + input.port.name + " yet");
      if (input.collects) return skip("no element to collect for input " + input.port.name);
      const bool selected = run_.selects(input.step);
      return skip("input " + input.port.name + " does not come: " + input.spec.step +
                  (selected ? " was skipped" : " is not selected and has no recorded output"));
    }
    resolved_ = true;
    return true;
  }

  std::string scope_text(std::size_t port, bool with_span_resolved) const {
    std::string text = run_.row.pipeline + "\n" + step_.spec.name + "\n" +
                       step_.inputs[port].port.name + "\n" + run_.element_of(index_) + "\n";
    if (node_.span != no_span) text += std::to_string(run_.row.spans[node_.span].version);
    text += "\n";
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      const Kind kind = step_.inputs[i].spec.kind;
      if (!present_[i] || kind == Kind::latest) continue;
      if (kind == Kind::span && !with_span_resolved) continue;
      text += ports_[i].port;
      for (const ArtifactRef& artifact : ports_[i].artifacts) text += " " + artifact.digest.hex();
      text += "\n";
    }
    return text;
  }

  // Uses what was recorded for this scope before the run was created, if anything was.
  bool recorded(std::size_t i, const Digest& scope) {
    if (run_.row.options.refresh) return false;
    if (run_.row.options.revalidate && step_.inputs[i].spec.kind == Kind::span) return false;
    const auto row = state_.ledger.find_resolution(scope, run_.row.created_seq);
    if (!row || (row->answer && state_.ledger.is_bad(row->answer->artifact.digest))) return false;
    if (row->answer) put(i, row->answer->artifact);
    return true;
  }
  void record(std::size_t i, const Digest& scope, const std::optional<ArtifactRef>& answer,
              std::string origin) {
    ResolutionRow row;
    row.scope = scope;
    row.run = run_.row.number;
    if (answer) {
      put(i, *answer);
      row.answer = Binding{step_.inputs[i].port.name, 0, *answer};
    }
    row.origin = std::move(origin);
    found_.inputs.to_record.push_back(std::move(row));
  }

  bool span_inputs() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      if (step_.inputs[i].spec.kind != Kind::span) continue;
      const Digest scope = sha256("span\n" + scope_text(i, false));
      if (!recorded(i, scope) && !resolve_span(i, scope)) return false;
    }
    return true;
  }

  bool resolve_span(std::size_t i, const Digest& scope) {
    const PipelineInput& input = step_.inputs[i];
    int left = -input.spec.offset;
    for (SpanIndex j = node_.span; j-- > 0;) {
      const RunSpan& span = run_.row.spans[j];
      if (span.source != step_.fan_source) break;
      if (!span.left_out.empty() || run_.span_dropped[j]) continue;
      if (run_.span_death[j] == Run::SpanDeath::inside) continue;
      if (run_.span_death[j] == Run::SpanDeath::outside) {
        return stop(Evaluation::Kind::block, {"blocked", "span " + span.span + " is blocked", {}});
      }
      if (!run_.span_accepted[j] && run_.span_open[j] > 0) {
        found_.span = j;
        return stop(Evaluation::Kind::wait_span,
                    {"waits", "waits until span " + span.span + " is settled", {}});
      }
      if (const auto n = run_.find(input.step, j)) {
        // A step below a collection may still be on its way when its span is settled.
        const StepState state = run_.nodes[*n].state;
        if (!is_terminal(state)) return wait_for(*n);
        if (state == StepState::blocked || state == StepState::cancelled) return blocked_by(*n);
      }
      const auto answer = output_at(input, j);
      if (!answer || --left > 0) continue;
      record(i, scope, answer, step_path(input.spec.step, span.span));
      return true;
    }
    record(i, scope, std::nullopt, "no earlier accepted span");
    return true;
  }

  // The output of an accepted span: from this run, or from history when it is no element here.
  std::optional<ArtifactRef> output_at(const PipelineInput& input, SpanIndex span) const {
    PortInputs port;
    if (const auto n = run_.find(input.step, span)) {
      if (!is_done(run_.nodes[*n].state) || !take(*n, input.output, port)) return std::nullopt;
      return port.artifacts.front();
    }
    const RunSpan& row = run_.row.spans[span];
    const SpanRow* known =
        state_.span_row(run_.row.pipeline, row.source, row.span, row.version);
    if (known == nullptr || known->state != SpanState::accepted) return std::nullopt;
    // A run of a part of the pipeline counts, as an element is made by its span's steps alone; one
    // with other parameters does not.
    static constexpr int page = 8;
    for (int offset = 0;; offset += page) {
      const auto steps = state_.ledger.finished_steps(
          run_.row.pipeline, input.spec.step, row.span, false, run_.row.created_seq, offset, page);
      for (const StepRow& step : steps) {
        const auto made_in = state_.ledger.find_run(step.run);
        if (made_in && made_in->options.params.empty()) return output_of(step, input.output);
      }
      if (steps.size() < page) return std::nullopt;
    }
  }

  std::optional<ArtifactRef> output_of(const StepRow& step, const std::string& output) const {
    const auto result = state_.ledger.find_result_by_id(step.result);
    if (!result) return std::nullopt;
    for (const Binding& binding : result->outputs) {
      if (binding.port == output && gives(step.reason, binding)) return binding.artifact;
    }
    return std::nullopt;
  }

  bool latest_inputs() {
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      if (step_.inputs[i].spec.kind != Kind::latest) continue;
      const Digest scope = sha256("latest\n" + std::to_string(run_.row.horizon) + "\n" +
                                  scope_text(i, true));
      if (!recorded(i, scope)) resolve_latest(i, scope);
    }
    return true;
  }

  void resolve_latest(std::size_t i, const Digest& scope) {
    const PipelineInput& input = step_.inputs[i];
    std::set<Digest> others;
    for (std::size_t other = 0; other < ports_.size(); ++other) {
      if (!present_[other] || step_.inputs[other].spec.kind == Kind::latest) continue;
      if (step_.inputs[other].spec.kind == Kind::file) continue;  // the bundle is nobody's descendant
      for (const ArtifactRef& artifact : ports_[other].artifacts) others.insert(artifact.digest);
    }
    const std::string element =
        run_.pipeline->steps[input.step].fan_source.empty() ? "" : run_.element_of(index_);
    static constexpr int page = 8, ancestors_max = 1'000'000;
    for (int offset = 0;; offset += page) {
      const auto steps =
          state_.ledger.finished_steps(run_.row.pipeline, input.spec.step, element, true,
                                       run_.row.created_seq, offset, page);
      for (const StepRow& step : steps) {
        const auto candidate = output_of(step, input.output);
        if (!candidate) continue;
        const auto ancestors = state_.ledger.ancestors(candidate->digest, ancestors_max);
        const bool descends = std::any_of(ancestors.begin(), ancestors.end(),
                                          [&](const Digest& d) { return others.contains(d); });
        if (descends || others.contains(candidate->digest)) continue;
        record(i, scope, candidate, "run " + std::to_string(step.run) + " " + input.spec.step);
        return;
      }
      if (steps.size() < page) break;
    }
    record(i, scope, std::nullopt, "no earlier run made one");
  }

  Engine::State& state_;
  Run& run_;
  NodeIndex index_;
  Node& node_;
  const PipelineStep& step_;
  std::vector<PortInputs> ports_;
  std::vector<bool> present_;
  bool resolved_ = false;
  Evaluation found_;
};

}  // namespace

Evaluation Engine::State::evaluate(Run& run, NodeIndex index) {
  Evaluator evaluator(*this, run, index);
  if (run.step_of(index).spec.run_on != "success") return evaluator.evaluate_leniently();
  return evaluator.evaluate();
}

}  // namespace pipelined
