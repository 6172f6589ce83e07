// The fakes of the simulated machine: the artifact store and the workers.
#include "dag/run_state.h"
#include "tests/sim/world.h"

namespace pipelined::sim {

void World::prepare(const effect::StartAttempt& start,
                    std::function<void(Result<AttemptPlan>)> done) {
  may_crash("prepare");
  prepared_in_[start.attempt] = life_;
  check_held(start);
  AttemptPlan plan;
  plan.start = start;
  plan.folder = "/attempts/" + start.attempt;
  Result<AttemptPlan> answer = plan;
  for (const PortInputs& port : start.inputs) {
    for (const ArtifactRef& artifact : port.artifacts) {
      if (!ledger_.lost.contains(artifact.digest)) continue;
      answer = Error{ErrorCode::not_found, "artifact " + artifact.digest.brief() + " was lost"};
    }
  }
  if (disk_full_) answer = Error{ErrorCode::exhausted, "no space for the attempt's folder"};
  later(stream("prepare").below(20), false, [done = std::move(done), answer] { done(answer); });
}

void World::start(AttemptPlan plan) {
  may_crash("start");
  const std::string id = plan.start.attempt;
  for (const auto& [other, working] : working_) {
    const bool same = working.start.run == plan.start.run && working.start.step == plan.start.step &&
                      working.start.element == plan.start.element;
    if (same) violate("two live attempts of " + step_path(plan.start.step, plan.start.element));
  }
  if (!working_.emplace(id, plan).second) violate("attempt " + id + " was started twice");
  check_slots();
  record("start " + step_path(plan.start.step, plan.start.element) + " run " +
         std::to_string(plan.start.run) + " attempt " + std::to_string(plan.start.number));
  behave(plan);
}

namespace {

Digest data_of(const effect::StartAttempt& start) {
  std::string text = start.operator_id;
  for (const PortInputs& port : start.inputs) {
    for (const ArtifactRef& artifact : port.artifacts) text += artifact.digest.hex();
  }
  return sha256(text);
}

// What a good worker answers: a function of the data, so that a halt comes again, and a search asks
// for the same elements.
Outcome good_outcome(const effect::StartAttempt& start) {
  const auto dice = data_of(start).bytes;
  if (start.operator_id == "gate" && dice[0] % 5 == 0) return Outcome::halt;
  if (start.operator_id == "judge" && dice[0] % 3 == 0) return Outcome::halt;
  if (start.operator_id != "search") return Outcome::ok;
  const auto past = start.params.find("generated");
  const ValueList* elements = past == start.params.end() ? nullptr : past->second.as_list();
  const std::size_t known = elements == nullptr ? 0 : elements->size();
  return known == 0 || (known < 6 && dice[1] % 2 == 0) ? Outcome::more : Outcome::ok;
}

}  // namespace

// A pure function of the operator, its parameters and its inputs: equal work, equal outputs.
AttemptReport World::truth(const AttemptPlan& plan, Outcome outcome) const {
  AttemptReport report;
  report.attempt = plan.start.attempt;
  report.fence = plan.start.fence;
  report.outcome = outcome;
  if (outcome == Outcome::ok || outcome == Outcome::halt) {
    for (const OutputSpec& output : plan.start.outputs) report.outputs.push_back(output.port);
  }
  const auto dice = data_of(plan.start).bytes;
  if (outcome == Outcome::more) {
    for (int i = 0; i <= dice[2] % 3; ++i) {
      report.requests.push_back({"element", ValueTable{{"x", std::int64_t{dice[3]} % 4 + i}}});
    }
  } else if (outcome != Outcome::ok) {
    report.error = "the operator says " + std::string(name_of(outcome));
  }
  if (plan.start.operator_id == "judge" && outcome == Outcome::halt) {
    report.notes = ValueTable{{"remedy", dice[1] % 4 == 0 ? "none" : "weights"}};
  }
  report.metrics = {{"m", "", static_cast<double>(plan.start.number)}};
  return report;
}

void World::report(AttemptReport what, std::int64_t delay_ms) {
  later(delay_ms, false, [this, what = std::move(what)] {
    if (!working_.contains(what.attempt)) return;  // killed meanwhile
    working_.erase(what.attempt);
    on_ended(what);
  });
}

void World::behave(const AttemptPlan& plan) {
  const effect::StartAttempt& start = plan.start;
  const std::string who = step_path(start.step, start.element) + " run " + std::to_string(start.run) +
                          " attempt " + std::to_string(start.number);
  Random random(Random(scenario_.seed).next() ^ sha256(who).bytes[0] * std::uint64_t{0x9e3779b97f4a7c15} ^
                static_cast<std::uint64_t>(sha256(who).bytes[1]) << 32);
  const std::int64_t delay = 1 + random.below(3000);
  std::int64_t dice = faults_ ? random.below(100) : 99;
  if (dice < 33 && !happens("worker of " + who, "misbehaves")) dice = 99;
  const Outcome good = good_outcome(start);
  if (dice < 4) {
    hit("worker fails");
    report(truth(plan, Outcome::failed), delay);
  } else if (dice < 10) {
    hit("worker crashes");
    AttemptReport crashed = truth(plan, Outcome::failed);
    crashed.retryable = true;
    report(std::move(crashed), delay);
  } else if (dice < 13) {
    hit("worker asks for a retry");
    report(truth(plan, Outcome::retry), delay);
  } else if (dice < 17) {
    hit("worker hangs");  // until it is killed
  } else if (dice < 20) {
    hit("host dies");
    AttemptReport lost = truth(plan, Outcome::failed);
    lost.lost = true;
    lost.error = "its host died";
    report(std::move(lost), delay);
  } else if (dice < 23) {
    hit("worker lies about its fence");
    AttemptReport lie = truth(plan, Outcome::ok);
    lie.fence = "ffffffffffffffffffffffffffffffff";
    later(delay / 2, false, [this, lie] { on_ended(lie); });
    report(truth(plan, good), delay);
  } else if (dice < 26) {
    hit("worker lies about its name");
    AttemptReport lie = truth(plan, Outcome::ok);
    lie.attempt = "01NOBODY";
    later(delay / 2, false, [this, lie] { on_ended(lie); });
    report(truth(plan, good), delay);
  } else if (dice < 29) {
    hit("worker leaves an output out");
    AttemptReport less = truth(plan, Outcome::ok);
    if (!less.outputs.empty()) less.outputs.pop_back();
    report(std::move(less), delay);
  } else if (dice < 33) {
    hit("worker answers twice");
    const AttemptReport twice = truth(plan, good);
    report(twice, delay);
    later(delay + random.below(500), false, [this, twice] { on_ended(twice); });
  } else {
    report(truth(plan, good), delay);
  }
}

void World::kill(const std::string& attempt, std::int64_t grace_ms, const std::string&) {
  may_crash("kill", 20);
  const auto found = working_.find(attempt);
  if (found == working_.end()) return;
  record("kill " + step_path(found->second.start.step, found->second.start.element));
  AttemptReport killed = truth(found->second, Outcome::cancelled);
  killed.error = "killed";
  if (stream("kills").chance(30)) {
    hit("worker ends well while it is killed");
    killed = truth(found->second, good_outcome(found->second.start));
  }
  report(std::move(killed), stream("kills").below(grace_ms + 1));
}

void World::promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
                    std::function<void(Result<Promoted>)> done) {
  may_crash("promote");
  const bool too_large = faults_ && stream("space").below(200) == 0 &&
                         happens("too large outputs", "the outputs do not fit");
  if (disk_full_ || too_large) {
    hit("no space for outputs");
    later(1, false, [done = std::move(done)] {
      done(Error{ErrorCode::exhausted, "no space for the outputs"});
    });
    return;
  }
  Promoted promoted;
  std::string text = plan.start.operator_id + canonical(Value(plan.start.params));
  for (const PortInputs& port : plan.start.inputs) {
    text += port.port;
    for (const ArtifactRef& artifact : port.artifacts) text += artifact.digest.hex();
  }
  for (const OutputSpec& output : outputs) {
    const ArtifactRef artifact{sha256(text + output.port), output.type, 1};
    promoted.outputs.push_back({output.port, 0, artifact});
    stored_.insert(artifact.digest);
    ledger_.lost.erase(artifact.digest);
  }
  if (faults_ && stream("promote").chance(1) && happens("refused output", "an output is a link")) {
    hit("output refused");
    promoted.refused = "output is a symbolic link";
  }
  later(stream("promote").below(30), false, [this, done = std::move(done), promoted] {
    may_crash("promoted");
    done(promoted);
  });
}

// A database that answers with the rows after the watermark, or fails; a dead daemon hears nothing.
void World::answer_poll(const effect::StartPoll& poll) {
  may_crash("poll", 15);
  Random& random = stream("polls");
  event::PollEnded ended;
  ended.poll = poll.poll;
  const auto found = poll.start.params.find("after");
  const std::string* after = found == poll.start.params.end() ? nullptr : found->second.as_text();
  const std::int64_t first = (after == nullptr ? 0 : std::stoll(*after)) + 1, last = rows_;
  if (faults_ && random.chance(20) && happens("failed poll", "the database does not answer")) {
    hit("poll fails");
    ended.error = "the database does not answer";
  } else {
    ended.outcome = Outcome::ok;
    const bool any = first <= last;
    const std::string from = any ? std::to_string(first) : "", to = any ? std::to_string(last) : "";
    ended.notes = ValueTable{{"rows", last - first + 1}, {"first", from}, {"last", to}, {"seen", to},
                             {"type", std::string("int")}};
    if (any) ended.snapshot = ArtifactRef{sha256("rows " + from + " to " + to), "examples/1", 1};
    if (any) changes_[{poll.start.element, first == last ? from : from + "-" + to}] = 1;
    if (any) hit("rows polled");
  }
  const std::int64_t delay = 1 + random.below(3000);
  const int times = random.chance(10) ? 2 : 1;
  if (times == 2) hit("poll answered twice");
  for (int i = 0; i < times; ++i) {
    later(delay + i * random.below(100), false, [this, ended] {
      if (supervisor_) supervisor_->post(ended);
    });
  }
}

// Whether everything that is in the table was taken.
bool World::has_polled() const {
  const auto row = ledger_.polls.find({current()->spec.name, "s"});
  if (current()->spec.sources.front().kind != "query" || rows_ == 0) return true;
  return row != ledger_.polls.end() && row->second.watermark == std::to_string(rows_);
}

void World::discard(const std::string&, bool) { may_crash("discard"); }

}  // namespace pipelined::sim
