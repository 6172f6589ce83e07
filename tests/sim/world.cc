#include "tests/sim/world.h"

#include <cstdio>

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

World::World(std::uint64_t seed, Hits& hits, PlantedBug planted, bool trace)
    : seed_(seed), random_(seed), hits_(hits), planted_(planted), trace_(trace),
      operators_(operators()) {
  choose_pipeline();
}

World::~World() = default;

void World::choose_pipeline() {
  const auto& texts = pipeline_texts();
  text_ = texts[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(texts.size())))];
  add_version(text_);
}

void World::add_version(const std::string& text) {
  ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
  CHECK(parsed.spec.has_value());
  const BundleFiles files = {{"join.sql", "SELECT 1"}, {"schema.toml", "[feature.late]"}};
  auto pipeline = compile(*parsed.spec, operators_, files, sha256(text));
  CHECK(pipeline.has_value());
  std::erase_if(pipelines_, [&](const auto& known) { return known->version == (*pipeline)->version; });
  pipelines_.push_back(*pipeline);
  record("pipeline " + parsed.spec->name + " " + (*pipeline)->version.brief());
}

const Pipeline& World::pipeline_of(const RunRow& run) const {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->version == run.version) return *pipeline;
  }
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
  if (!faults_ || random_.below(one_in) != 0) return;
  hit(std::string("crash in ") + where);
  record(std::string("crash in ") + where);
  throw Crash{};
}

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
    for (const auto& pipeline : pipelines_) {
      if (pipeline->version == version) return pipeline;
    }
    return Error{ErrorCode::not_found, "no such version"};
  };
  callbacks.entropy = [this] { return random_.next(); };
  callbacks.planted = planted_;
  supervisor_ = std::make_unique<Supervisor>(*this, ledger_, *this, *this, std::move(callbacks));
  record("boot");
  guarded([this] {
    const auto started = supervisor_->start({3, 0, 0});
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
  while (steps() < 260 || runs() < 6 || spans() < 3) {
    if (++turns > 60'000) break;
    step();
  }
  faults_ = false;
  disk_full_ = ledger_.disk_full = false;
  record("healed");
  // Somebody takes the pause away once the daemon is there again.
  later(20'000, true, [this] {
    if (supervisor_) {
      supervisor_->post(event::PauseRequested{0, current()->spec.name, "sim", false});
    }
  });
  come_to_rest();
  check_rest();
  check_rebuilt();
  run_twice();
}

void World::come_to_rest() {
  for (int i = 0; i < 200'000; ++i) {
    if (due_.empty() && !wake_at_ && !turn_wanted_) return;
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
    const StepSpec* spec = current()->spec.step(row.step);
    if (row.state == StepState::succeeded && spec->cache && spec->run_on == "success") {
      violate(step_path(row.step, row.element) + " of run " + std::to_string(row.run) +
              " ran though nothing had changed: " + row.reason.sentence);
    }
  }
}

// The next thing that happens: a turn that was asked for, a timer of the daemon, or what is due.
void World::step() {
  if (supervisor_ && turn_wanted_) {
    turn_wanted_ = false;
    guarded([this] { supervisor_->turn(); });
    check();
    return;
  }
  const bool timer = supervisor_ && wake_at_ && (due_.empty() || *wake_at_ <= due_.top().at);
  if (timer) {
    const std::int64_t ahead = std::max<std::int64_t>(0, *wake_at_ - now_.steady_ms);
    now_.steady_ms += ahead;
    now_.wall_ms += ahead;
    wake_at_.reset();
    guarded([this] { supervisor_->turn(); });
    check();
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
  later(random_.below(20'000), true, [this] {
    if (!faults_) return;
    const PipelineSpec& spec = current()->spec;
    for (const SourceSpec& source : spec.sources) {
      const bool fanned = source.path.find('{') != std::string::npos;
      const std::string span =
          fanned ? std::to_string(10 + random_.below(4 + now_.steady_ms / 300'000)) : "all";
      auto& content = delivered_[source.name][span];
      if (!content.empty() && !random_.chance(fanned ? 25 : 5)) continue;
      if (!content.empty()) hit("span delivered again");
      if (!content.empty() && random_.chance(20)) hit("same content again");
      else content = source.name + span + std::to_string(random_.below(5));
      if (!supervisor_) continue;  // found by the scan at the next start
      supervisor_->post(event::Arrived{spec.name, source.name, span,
                                       {sha256(content), "files/1", 1}, span});
    }
    plan_arrivals();
  });
}

void World::plan_request() {
  later(random_.below(60'000), true, [this] {
    if (!faults_) return;
    if (supervisor_) supervisor_->post(random_request());
    plan_request();
  });
}

void World::plan_faults() {
  later(random_.below(90'000), true, [this] {
    if (!faults_) return;
    const std::int64_t kind = random_.below(5);
    if (kind == 0) {
      hit("commit fails");
      ledger_.fail_next_commit = true;
    } else if (kind == 1) {
      hit("disk full");
      disk_full_ = ledger_.disk_full = true;
      later(random_.below(30'000), true, [this] { disk_full_ = ledger_.disk_full = false; });
    } else if (kind == 2 && !stored_.empty()) {
      hit("object lost");
      auto it = stored_.begin();
      std::advance(it, random_.below(static_cast<std::int64_t>(stored_.size())));
      ledger_.lost.insert(*it);
    } else if (kind == 3 && supervisor_) {
      hit("killed between turns");
      crash();
    } else if (supervisor_) {
      hit("clean stop");
      guarded([this] { supervisor_->stop(); });
      if (supervisor_) crash();  // what was left is gone with the process
    }
    plan_faults();
  });
}

Event World::answer_for(const StepRow& held) {
  const RequestId id = ++last_request_;
  const std::int64_t kind = random_.below(held.state == StepState::in_review ? 3 : 4);
  if (kind == 0) return event::RejectRequested{id, held.run, held.step, held.element, "sim", "no"};
  if (held.state == StepState::in_review) {
    return event::ApproveRequested{id, held.run, held.step, held.element, "sim", "fine"};
  }
  if (kind == 1 && !held.element.empty()) {
    return event::SpanRequested{id, current()->spec.name, "", held.element, "sim", "drop", false};
  }
  return event::AcceptRequested{id, held.run, held.step, held.element, "sim", "fine"};
}

Event World::random_request() {
  const std::string& name = current()->spec.name;
  const RequestId id = ++last_request_;
  const auto last = ledger_.runs.empty() ? 0 : ledger_.runs.rbegin()->first;
  if (random_.chance(45)) {
    for (auto it = ledger_.steps.rbegin(); it != ledger_.steps.rend(); ++it) {
      if (is_held(it->second.state) && is_open(ledger_.runs.at(it->second.run).state)) {
        hit("a person answers");
        return answer_for(it->second);
      }
    }
  }
  if (random_.chance(8)) {
    hit("pipeline applied again");
    add_version(revised(text_, random_.below(9)));
    return event::PipelineApplied{current(), id, "/data"};
  }
  switch (random_.below(9)) {
    case 0: hit("cancel"); return event::CancelRequested{id, last, "sim", "enough"};
    case 1: hit("retry"); return event::RetryRequested{id, last, "sim", "again"};
    case 2: {
      hit("pause");
      later(random_.below(20'000), true, [this, name] {
        if (supervisor_) supervisor_->post(event::PauseRequested{0, name, "sim", false});
      });
      return event::PauseRequested{id, name, "sim", true};
    }
    case 3: {
      hit("drop or restore");
      const std::string span = std::to_string(10 + random_.below(6));
      return event::SpanRequested{id, name, "", span, "sim", "chance", random_.chance(60)};
    }
    default: break;
  }
  RunOptions options;
  if (random_.chance(40)) options.params["p"] = Value(random_.below(4));
  if (random_.chance(15)) {
    hit("force");
    const auto steps = static_cast<std::int64_t>(current()->steps.size());
    options.force = {current()->steps[static_cast<std::size_t>(random_.below(steps))].spec.name};
  }
  options.refresh = random_.chance(5);
  options.revalidate = random_.chance(5);
  return event::RunRequested{id, name, options, "sim"};
}

}  // namespace pipelined::sim
