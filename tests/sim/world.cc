#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "dag/run_state.h"
#include "dag/spec_toml.h"
#include "tests/sim/pipelines.h"

namespace pipelined::sim {

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

World::World(const Scenario& scenario, Hits& hits, bool trace)
    : scenario_(scenario), random_(scenario.seed), hits_(hits), trace_(trace),
      operators_(operators()) {
  ledger_.at_commit = [this](bool done) { at_commit(done); };
  choose_pipeline();
}

World::~World() = default;

void World::choose_pipeline() {
  const auto& texts = pipeline_texts();
  text_ = texts[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(texts.size())))];
  for (const std::string& step : scenario_.without) text_ = without_step(text_, step);
  add_version(text_);
}

std::vector<std::string> World::step_names() const {
  std::vector<std::string> names;
  for (const PipelineStep& step : pipelines_.front()->steps) names.push_back(step.spec.name);
  return names;
}

// What each part of the world decides comes from a stream of its own, so that a scenario in which
// less happens does not change the rest.
Random& World::stream(const std::string& domain) {
  const auto found = streams_.find(domain);
  if (found != streams_.end()) return found->second;
  std::uint64_t hash = scenario_.seed;
  for (const char c : domain) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return streams_.emplace(domain, Random(hash)).first->second;
}

// Whether something that the seed wants to happen does.
bool World::happens(const std::string& domain, const std::string& what) {
  const std::string name = domain + "#" + std::to_string(++counted_[domain]);
  if (scenario_.keep && !scenario_.keep->contains(name)) return false;
  happened_.push_back({name, what + " at " + std::to_string(now_.steady_ms) + " ms"});
  return true;
}

void World::add_version(const std::string& text) {
  ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
  if (!parsed.spec && !scenario_.without.empty()) throw Unfit{};
  CHECK(parsed.spec.has_value());
  const BundleFiles files = {{"join.sql", "SELECT 1"}, {"schema.toml", "[feature.late]"}};
  auto pipeline = compile(*parsed.spec, operators_, files, sha256(text));
  if (!pipeline && !scenario_.without.empty()) throw Unfit{};
  CHECK(pipeline.has_value());
  std::erase_if(pipelines_, [&](const auto& known) { return known->version == (*pipeline)->version; });
  pipelines_.push_back(*pipeline);
  record("pipeline " + parsed.spec->name + " " + (*pipeline)->version.brief());
}

std::shared_ptr<const Pipeline> World::find_version(const Digest& version) const {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->version == version) return pipeline;
  }
  return nullptr;
}

const Pipeline& World::pipeline_of(const RunRow& run) const {
  if (const auto found = find_version(run.version)) return *found;  // kept in pipelines_
  violate("run " + std::to_string(run.number) + " is of a version that nobody applied");
}

void World::record(const std::string& line) {
  history_ += std::to_string(now_.steady_ms) + " " + line + "\n";
  if (trace_) std::printf("%8lld %s\n", static_cast<long long>(now_.steady_ms), line.c_str());
}

void World::violate(const std::string& sentence) const { throw Violation{sentence}; }

void World::later(std::int64_t delay_ms, bool outlives, std::function<void()> what) {
  due_.push({now_.steady_ms + delay_ms, ++order_, outlives ? 0 : life_, std::move(what)});
}

void World::may_crash(const char* where, std::int64_t one_in) {
  const std::string what = std::string("crash in ") + where;
  if (!faults_ || stream(what).below(one_in) != 0 || !happens(what, what)) return;
  hit(what);
  record(what);
  throw Crash{};
}

void World::at_commit(bool done) { may_crash(done ? "commit done" : "commit", 1500); }

// Runs something of the daemon; a Crash out of it ends that life.
void World::guarded(const std::function<void()>& what) {
  try {
    what();
  } catch (const Crash&) {
    crash();
  }
}

void World::crash() {
  // The processes die with the daemon, an open transaction with its connection.
  working_.clear();
  ++life_;
  wake_at_.reset();
  turn_wanted_ = false;
  ledger_.rollback();
  supervisor_.reset();
  later(1 + random_.below(5000), true, [this] { boot(); });
}

void World::boot() {
  ++life_;
  Supervisor::Callbacks callbacks;
  callbacks.reply = [this](const effect::Reply& reply) {
    may_crash("reply", 60);
    if (reply.error) {
      hit("request refused");
      return;
    }
    if (reply.run != 0) promised_[reply.request] = reply.run;
  };
  callbacks.run_changed = [this](const effect::RunChanged& changed) {
    record("run " + std::to_string(changed.run) + " " + name_of(changed.state));
  };
  callbacks.wake = [this](std::optional<std::int64_t> at) { wake_at_ = at; };
  callbacks.post_turn = [this] { turn_wanted_ = true; };
  callbacks.load_pipeline = [this](const std::string&, const Digest& version)
      -> Result<std::shared_ptr<const Pipeline>> {
    if (auto found = find_version(version)) return found;
    return Error{ErrorCode::not_found, "no such version"};
  };
  callbacks.start_poll = [this](const effect::StartPoll& poll) { answer_poll(poll); };
  callbacks.entropy = [this] { return random_.next(); };
  callbacks.planted = scenario_.planted;
  supervisor_ = std::make_unique<Supervisor>(*this, ledger_, *this, *this, std::move(callbacks));
  record("boot");
  guarded([this] {
    const auto started = supervisor_->start(capacity());
    if (!started) throw Crash{};
    supervisor_->post(event::PipelineApplied{current(), 0, "/data"});
  });
  // Deliveries that the dead life did not record are offered again by the folder scan.
  if (!supervisor_) return;
  for (const auto& [source, spans] : delivered_) {
    for (const auto& [span, content] : spans) {
      supervisor_->post(event::Arrived{current()->spec.name, source, span,
                                       {sha256(content), "files/1", 1}, span});
    }
  }
}

void World::live() {
  boot();
  plan_arrivals();
  plan_request();
  plan_faults();
  int turns = 0;
  while (now_.steady_ms < life_ms || !has_lived()) {
    if (++turns > 60'000 || (scenario_.keep && now_.steady_ms > life_ms)) break;
    step();
  }
  faults_ = false;
  disk_full_ = ledger_.disk_full = false;
  record("healed");
  deliver_the_rest();
  // Somebody takes the pause away once the daemon is there again.
  const bool scheduled = without_schedule(text_) != text_;
  if (scheduled) add_version(without_schedule(text_));
  later(20'000, true, [this, scheduled] {
    if (supervisor_) {
      if (scheduled) supervisor_->post(event::PipelineApplied{current(), 0, "/data"});
      supervisor_->post(event::PauseRequested{0, current()->spec.name, "sim", false});
      release_all();
    }
  });
  come_to_rest();
  check_rest();
  check_rebuilt();
  run_twice();
  for (const auto& [number, run] : ledger_.runs) {
    if (run.reason.code == "remedy") hit("remedy by policy");
    if (run.reason.code == "schedule") hit("schedule fired");
  }
}

// What a step may wait for is there in the end, though a scenario kept it from landing.
void World::deliver_the_rest() {
  for (const SourceSpec& source : current()->spec.sources) {
    const bool whole = source.kind != "query" && source.path.find('{') == std::string::npos;
    if (!whole || delivered_[source.name].contains("all")) continue;
    delivered_[source.name]["all"] = source.name;
    ++changes_[{source.name, "all"}];
    later(20'000, true, [this, name = source.name] {
      tell({current()->spec.name, name, "all", {sha256(name), "files/1", 1}, "all"});
    });
  }
}

// Enough has happened to this pipeline.
bool World::has_lived() const { return steps() >= 260 && runs() >= 6 && spans() >= 3; }

// Bursts of work every twelve hours; between them, and once enough has happened, hours pass.
std::int64_t World::pause_before(const std::string& domain, std::int64_t dense_ms) {
  constexpr std::int64_t cycle = 12 * 3'600'000, burst = 60'000;
  Random& random = stream(domain);
  const std::int64_t delay = random.below(dense_ms);
  const bool week_over = now_.steady_ms >= life_ms;
  if (week_over && !has_lived()) return delay;
  if (has_lived()) return delay * 3000;
  const std::int64_t into = now_.steady_ms % cycle;
  if (into < burst || random.chance(2)) return delay;
  return cycle - into + delay;
}

void World::come_to_rest() {
  for (int i = 0; i < 200'000; ++i) {
    // Polls go on for ever: it is quiet when the next one is hours away and nothing is left to take.
    const bool polls = current()->spec.sources.front().kind == "query";
    const bool quiet = !wake_at_ || (polls && *wake_at_ - now_.steady_ms > 5 * 3'600'000);
    if (due_.empty() && quiet && !turn_wanted_ && has_polled()) return;
    step();
  }
  violate("the world does not come to rest after it was healed");
}

// Running a healthy pipeline once more does nothing.
void World::run_twice() {
  const auto last = [this] { return ledger_.runs.rbegin()->second; };
  for (int i = 0; i < 2; ++i) {
    supervisor_->post(event::RunRequested{++last_request_, current()->spec.name, {}, "sim"});
    come_to_rest();
    if (last().state != RunState::succeeded) return;
  }
  hit("run again");
  for (const StepRow& row : ledger_.steps_of(last().number)) {
    const StepSpec& spec = current()->steps[current()->find(row.step)].spec;
    if (row.state == StepState::succeeded && spec.cache && spec.run_on == "success") {
      violate(step_path(row.step, row.element) + " of run " + std::to_string(row.run) +
              " ran though nothing had changed: " + row.reason.sentence);
    }
  }
}

void World::turn() {
  for (const auto& [place, hold] : ledger_.holds) {
    seen_before_turn_ = std::max(seen_before_turn_, hold.seq);
  }
  guarded([this] { supervisor_->turn(); });
  check();
}

// The next thing that happens: a turn that was asked for, a timer of the daemon, or what is due.
void World::step() {
  if (supervisor_ && turn_wanted_) {
    turn_wanted_ = false;
    turn();
    return;
  }
  const bool timer = supervisor_ && wake_at_ && (due_.empty() || *wake_at_ <= due_.top().at);
  if (timer) {
    const std::int64_t ahead = std::max<std::int64_t>(0, *wake_at_ - now_.steady_ms);
    now_.steady_ms += ahead;
    now_.wall_ms += ahead;
    wake_at_.reset();
    turn();
    return;
  }
  if (due_.empty()) return;
  Due next = due_.top();
  due_.pop();
  const std::int64_t ahead = std::max<std::int64_t>(0, next.at - now_.steady_ms);
  now_.steady_ms += ahead;
  now_.wall_ms += ahead;
  if (next.life != 0 && next.life != life_) return;  // of a life that is over
  guarded(next.what);
}

void World::plan_arrivals() {
  later(pause_before("arrivals", 20'000), true, [this] {
    if (!faults_) return;
    Random& random = stream("arrivals");
    for (const SourceSpec& source : current()->spec.sources) land(source, random);
    plan_arrivals();
  });
}

// A file for one span of a source, new or once more.
void World::land(const SourceSpec& source, Random& random) {
  if (source.kind == "query") {
    if (happens("rows", "rows are inserted")) rows_ += 1 + random.below(5);
    return;
  }
  const bool fanned = source.path.find('{') != std::string::npos;
  const std::int64_t known = std::min<std::int64_t>(now_.steady_ms / 43'200'000, 6);
  const std::string span = fanned ? std::to_string(10 + random.below(4 + known)) : "all";
  const bool again = random.chance(fanned ? 25 : 5), same = random.chance(20);
  const std::string fresh = source.name + span + std::to_string(random.below(5));
  auto& spans = delivered_[source.name];
  const auto there = spans.find(span);
  if (there != spans.end() && !again) return;
  if (!happens("arrival", source.name + "/" + span)) return;
  if (there != spans.end()) hit("span delivered again");
  if (there != spans.end() && same) hit("same content again");
  else if (there == spans.end() || there->second != fresh) {
    spans[span] = fresh;
    ++changes_[{source.name, span}];
  }
  if (!supervisor_) return;  // found by the scan at the next start
  const event::Arrived arrived{current()->spec.name, source.name, span,
                               {sha256(spans[span]), "files/1", 1}, span};
  if (random.chance(4) && happens("lost arrival", "the word of " + span + " is lost")) {
    hit("word of an arrival lost");  // the minute's full look finds the file
    later(60'000, true, [this, arrived] { tell(arrived); });
    return;
  }
  tell(arrived);
  if (random.chance(8) && happens("double arrival", "the word of " + span + " comes twice")) {
    hit("word of an arrival doubled");
    later(random.below(2'000), true, [this, arrived] { tell(arrived); });
  }
}

// Tells of the newest content: a look that comes late does not see what is gone.
void World::tell(const event::Arrived& arrived) {
  if (!supervisor_) return;
  event::Arrived now = arrived;
  now.artifact.digest = sha256(delivered_[arrived.source][arrived.span]);
  supervisor_->post(now);
}

void World::plan_request() {
  later(pause_before("requests", 60'000), true, [this] {
    if (!faults_) return;
    const bool twice = stream("requests").chance(5);
    if (supervisor_ && happens("request", "somebody asks")) {
      const Event asked = random_request();
      supervisor_->post(asked);
      if (twice && happens("double request", "the same asked twice")) {
        hit("request doubled");
        supervisor_->post(asked);
      }
    }
    plan_request();
  });
}

void World::plan_faults() {
  later(pause_before("faults", 90'000), true, [this] {
    if (!faults_) return;
    const std::int64_t kind = stream("faults").below(8);
    if (happens("fault", "kind " + std::to_string(kind))) strike(kind);
    plan_faults();
  });
}

void World::strike(std::int64_t kind) {
  Random& random = stream("strikes");
  if (kind == 0) {
    hit("commit fails");
    ledger_.fail_next_commit = true;
  } else if (kind == 1) {
    hit("disk full");
    disk_full_ = ledger_.disk_full = true;
    later(random.below(30'000), true, [this] { disk_full_ = ledger_.disk_full = false; });
  } else if (kind == 2) {
    lose_object();
  } else if (kind == 3 && supervisor_) {
    hit("killed between turns");
    crash();
  } else if (kind == 4 && supervisor_) {
    hit("clean stop");
    guarded([this] { supervisor_->stop(); });
    if (supervisor_) crash();  // what was left is gone with the process
  } else if (kind >= 5) {
    step_clock(kind);
  }
}

void World::lose_object() {
  if (stored_.empty()) return;
  hit("object lost");
  auto it = stored_.begin();
  std::advance(it, stream("strikes").below(static_cast<std::int64_t>(stored_.size())));
  ledger_.lost.insert(*it);
}

// Somebody sets the clock, or the machine sleeps: the wall clock steps, the steady one does not.
void World::step_clock(std::int64_t kind) {
  constexpr std::int64_t steps[] = {1'000, 60'000, 3'600'000, 86'400'000, 2'592'000'000,
                                    315'360'000'000};
  const std::int64_t size = steps[stream("strikes").below(std::ssize(steps))];
  if (kind == 5) {
    hit("clock set forward");
    now_.wall_ms += size;
  } else if (kind == 6) {
    hit("clock set back");
    now_.wall_ms = std::max<std::int64_t>(0, now_.wall_ms - size);
  } else {
    hit("machine sleeps");
    now_.wall_ms += 8 * 3'600'000;
  }
  clock_set_in_ = life_;
  record("wall clock is at " + std::to_string(now_.wall_ms));
}

}  // namespace pipelined::sim
