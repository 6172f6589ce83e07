// A backend over a real store in a temporary folder, and a server for it on a thread of its own.
//
// The records tell the story of flights: run 3 took November, run 4 halted at December.  Requests to
// the engine are kept and answered as the test says; uploads are read, checked and compiled for real.
// Everything but `TestDaemon`'s constructor and `on_loop` runs on the loop's thread.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "daemon/api/server.h"
#include "dag/bundle.h"
#include "dag/check.h"
#include "dag/spec_toml.h"

namespace pipelined::test {

/// A folder that is gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pipelined-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

  /// Writes a file below the folder and gives its path.
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }

 private:
  std::string path_;
};

inline constexpr const char* flights_toml = R"(name = "flights"
description = "late or not"

[params]
depth = 6

[source.flights]
path = "incoming/{YYYY}-{MM}.csv"

[[trigger]]
arrival = ["flights"]

[[trigger]]
webhook = "push"

[step.ingest]
foreach  = "source.flights"
operator = "test.copy"
in.from  = "each"

[step.statistics]
foreach  = "ingest"
operator = "test.copy"
in.from  = "ingest"

[step.validate]
foreach     = "ingest"
operator    = "test.validate"
in.examples = "ingest"
in.previous = { of = "statistics", span = -1, optional = true }

[step.split]
operator    = "test.collect"
in.from     = "validate.examples"

[step.train]
operator    = "test.copy"
in.from     = "split"

[step.backtest]
operator    = "test.copy"
in.from     = { newest = "validate.examples" }
)";

/// Three small operators: one copies, one collects, one judges.
inline OperatorSet test_operators() {
  OperatorInfo copy;
  copy.id = "test.copy", copy.summary = "Copies.", copy.plugin = "test";
  copy.inputs = {{"from", "*", false, false, false, "", "what is copied"}};
  copy.outputs = {{"to", "files/1", false, false, false, "", ""}};
  ParamInfo depth;
  depth.name = "depth", depth.kind = "int", depth.default_value = Value(6);
  copy.params = {depth};
  OperatorInfo collect = copy;
  collect.id = "test.collect", collect.inputs.front().many = true;
  OperatorInfo validate;
  validate.id = "test.validate", validate.summary = "Judges.", validate.plugin = "test";
  validate.inputs = {{"examples", "files/1", false, false, false, "", ""},
                     {"previous", "files/1", false, true, false, "", ""}};
  validate.outputs = {{"examples", "files/1", false, false, false, "examples", ""},
                      {"anomalies", "files/1", false, false, true, "", ""}};
  return {{copy.id, copy}, {collect.id, collect}, {validate.id, validate}};
}

/// Jobs that are done at once, and pins in the store behind the backend.
class FakeKeeping : public Keeping {
 public:
  explicit FakeKeeping(std::function<Store&()> store_in) : store_(std::move(store_in)) {}

  Result<std::int64_t> start(JobOrder order) override {
    Job job;
    job.number = static_cast<std::int64_t>(jobs.size()) + 1, job.kind = order.kind;
    job.state = JobState::done;
    ReportRow row;
    row.name = "I2", row.about = "every artifact's files are there", row.checked = 7;
    if (order.deep) row.violate("artifact ab12: flights.csv is wrong", 4);
    job.report.push_back(row);
    jobs.push_back(job);
    orders.push_back(std::move(order));
    return job.number;
  }
  std::optional<Job> find_job(std::int64_t number) override {
    if (number < 1 || number > static_cast<std::int64_t>(jobs.size())) return std::nullopt;
    return jobs[static_cast<std::size_t>(number) - 1];
  }
  void when_ended(std::int64_t, std::function<void()> done) override { done(); }
  std::vector<Pin> pins() override { return list_pins(store_()); }
  Result<void> pin(Pin pin) override { return put_pin(store_(), pin); }
  Result<void> unpin(const std::string& kind, const std::string& subject) override {
    return remove_pin(store_(), kind, subject);
  }

  std::vector<Job> jobs;
  std::vector<JobOrder> orders;

 private:
  std::function<Store&()> store_;
};

class FakeBackend : public Backend {
 public:
  explicit FakeBackend(boost::asio::io_context& loop_in) : loop(loop_in) {
    StoreOptions options;
    options.path = folder.path() + "/state.db", options.ballast_bytes = 0;
    auto opened = Store::open(options);
    REQUIRE(opened);
    store_ = *std::move(opened);
    apply_text(flights_toml);
    tell_story();
  }

  Result<std::string> secret(const std::string& name) override {
    if (name == "webhook-flights-push") return std::string("hush-hush-hush");
    return Error{ErrorCode::not_found, "there is no secret '" + name + "'"};
  }
  void submit(Event event, Answer done) override {
    submitted.push_back(std::move(event));
    boost::asio::post(loop, [this, done = std::move(done)] { done(outcome); });
  }

  void apply_pipeline(PipelineUpload upload,
                      std::function<void(Result<ApplyOutcome>)> done) override {
    ApplyOutcome applied;
    applied.diagnostics = check(upload);
    bool wrong = false;
    for (const Diagnostic& one : applied.diagnostics) wrong = wrong || !one.warning;
    if (!wrong) {
      const ParsedPipeline parsed =
          parse_pipeline(upload.files[bundle_pipeline_file], upload.file);
      applied.pipeline = parsed.spec->name, applied.version = bundle_version(upload.files);
      applied.changed = true;
    }
    uploads.push_back(std::move(upload));
    boost::asio::post(loop, [done = std::move(done), applied] { done(applied); });
  }

  std::vector<Diagnostic> check(const PipelineUpload& upload) override {
    const auto text = upload.files.find(bundle_pipeline_file);
    ParsedPipeline parsed =
        parse_pipeline(text->second, upload.file, {}, bundle_environment(upload.files));
    if (!parsed.spec) return parsed.problems;
    std::vector<Diagnostic> found =
        pipelined::check(*parsed.spec, operator_set, upload.files, upload.file);
    parsed.problems.insert(parsed.problems.end(), found.begin(), found.end());
    return parsed.problems;
  }

  Result<std::vector<StepFreshness>> freshness(const std::string&) override {
    return std::vector<StepFreshness>{{"ingest", 0, "", 0, 0, 0},
                                      {"train", 1, "flights/2013-12", 1'700'000'000'000, 3, 0}};
  }
  Result<std::vector<PlannedStep>> plan(const std::string&, const RunOptions& options) override {
    planned = options;
    return std::vector<PlannedStep>{
        {"ingest", "2013-12", "reuse", {"same_inputs", "same inputs as run 4", {}}},
        {"train", "", "run", {"parameter_changed", "depth changed", {{"depth", "6", "8"}}}}};
  }

  std::optional<Reason> why_waiting(RunNumber, const StepName& step) override {
    if (step.step != "split") return std::nullopt;
    return Reason{"waits_for_step", "waits for validate/2013-12, which is halted", {}};
  }

  Result<std::vector<PlannedStep>> plan_migration(RunNumber run) override {
    if (run != 4) return Error{ErrorCode::conflict, "run has the version in force already"};
    return std::vector<PlannedStep>{{"ingest", "2013-12", "keep", {"", "", {}}},
                                    {"train", "", "run", {"migrated", "defined otherwise", {}}},
                                    {"old", "", "drop", {"migrated", "no such step", {}}}};
  }
  Result<std::vector<PlannedSpan>> plan_backfill(const BackfillRow& wish) override {
    backfill = wish;
    return std::vector<PlannedSpan>{{"2013-11", "accepted", false, "accepted in run 1", 0, 0},
                                    {"2013-12", "failed", true, "failed at validate", 3, 1}};
  }
  Result<std::vector<Dependent>> dependents(const event::InvalidateRequested& wish) override {
    if (wish.step == "nothing") return Error{ErrorCode::not_found, "there is no result of it"};
    return std::vector<Dependent>{{7, 0, "flights", "validate", "2013-12", 4, "abc", "examples/1"},
                                  {9, 7, "flights", "train", "", 4, "def", "model/1"}};
  }

  std::shared_ptr<const Pipeline> pipeline(const std::string& name) override {
    return name == "flights" ? flights : nullptr;
  }
  std::shared_ptr<const Pipeline> pipeline_version(const Digest& version) override {
    if (version == flights->version) return flights;
    const auto found = versions.find(version);
    return found == versions.end() ? nullptr : found->second;
  }
  Store& store() override { return *store_; }

  Result<OpenedFile> open_file(const Digest& artifact, const std::string& path) override {
    const std::string file = folder.path() + "/" + artifact.hex() + "-" + path;
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return Error{ErrorCode::not_found, "lost: " + file};
    return OpenedFile{descriptor, static_cast<std::int64_t>(std::filesystem::file_size(file))};
  }
  void query_artifacts(const std::vector<Digest>&, const std::string& query, std::int64_t rows,
                       std::function<void(Result<std::string>)> done) override {
    boost::asio::post(loop, [query, rows, done = std::move(done)] {
      if (query.find("nonsense") != std::string::npos) {
        return done(Error{ErrorCode::invalid, "query: nonsense is no table"});
      }
      done(R"({"columns":["query","rows"],"rows":[{"cells":[")" + query + R"(",")" +
           std::to_string(rows) + R"("]}],"more":true})");
    });
  }
  void try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done) override {
    TrialOutcome tried;
    tried.diagnostics = check(trial.upload);
    tried.element = trial.element, tried.took_ms = 1200;
    tried.outputs = {{"to", "to.txt", 6, "hello\n"}};
    trials.push_back(std::move(trial));
    boost::asio::post(loop, [tried, done = std::move(done)] { done(tried); });
  }
  std::string log_path(const std::string& attempt) override {
    return folder.path() + "/" + attempt + ".log";
  }
  OperatorListing operators() override { return {&operator_set, {"broken.so: no entry"}}; }
  std::vector<SourceState> sources() override {
    return {{"flights", "flights", "files", "/data/incoming", "{YYYY}-{MM}.csv", "", {}, 12,
             "2013-12", 1'386'000'000'000}};
  }
  std::vector<DoctorLine> doctor() override {
    return {{"landlock", "ok", "ABI 4", ""}, {"cgroup", "missing", "not delegated", "set Delegate="}};
  }
  DaemonFigures figures() override {
    DaemonFigures all;
    all.version = "0.1.0", all.started_at = 1'386'000'000'000, all.ready = ready;
    all.open_runs[RunState::halted] = 1, all.live_attempts = 2;
    all.counters = {{"turns_total", 7}, {"watch_overflows_total", 0}};
    return all;
  }
  Keeping& keeping() override { return keeping_; }
  std::uint64_t subscribe(Listener listener) override {
    listeners[++last_subscription] = std::move(listener);
    return last_subscription;
  }
  void unsubscribe(std::uint64_t subscription) override { listeners.erase(subscription); }

  /// Tells every listener, also ones that leave while they are told.
  void tell(const BackendEvent& event) {
    const auto copy = listeners;
    for (const auto& [id, listener] : copy) {
      if (listeners.count(id) > 0) listener(event);
    }
  }

  /// Records an artifact of one file, with its bytes where `open_file` finds them.
  ArtifactRef artifact(const std::string& type, const std::string& name, const std::string& text) {
    Manifest manifest;
    manifest.type = type;
    manifest.files = {{name, sha256(text), static_cast<std::int64_t>(text.size()), false}};
    store_->put_artifact(manifest);
    const Digest digest = manifest.digest();
    folder.write(digest.hex() + "-" + name, text);
    return {digest, type, static_cast<std::int64_t>(text.size())};
  }

  /// Records a version of flights with its bundle; the one that `apply_text` made stays in force.
  Digest record_version(const BundleFiles& files, TimeMs at, bool current = false) {
    const Digest version = bundle_version(files);
    const ParsedPipeline parsed = parse_pipeline(files.at(bundle_pipeline_file), "pipeline.toml");
    if (parsed.spec) {
      auto compiled = compile(*parsed.spec, operator_set, files, version);
      if (compiled) versions[version] = *compiled;
    }
    for (const auto& [name, text] : files) folder.write(version.hex() + "-" + name, text);
    turn([&](Store& store) {
      store.put_artifact(bundle_manifest(files));
      PipelineRow row;
      row.name = "flights", row.version = version, row.folder = "/data", row.current = current;
      row.applied_at = at, row.seq = ++seq_;
      store.put(row);
    });
    return version;
  }

  /// Puts rows inside one turn.
  void turn(const std::function<void(Store&)>& put) {
    REQUIRE(store_->begin());
    put(*store_);
    REQUIRE(store_->commit());
  }

  void set_state(RunNumber run, RunState state) {
    RunRow row = *store_->find_run(run);
    row.state = state, row.ended_at = 1'386'000'100'000;
    turn([&](Store& s) { s.put(row); });
    tell({BackendEvent::Kind::run, "flights", run, name_of(state), ""});
  }

  boost::asio::io_context& loop;
  TemporaryFolder folder;
  OperatorSet operator_set = test_operators();
  std::shared_ptr<const Pipeline> flights;
  std::map<Digest, std::shared_ptr<const Pipeline>> versions;  ///< others than `flights`
  std::vector<Event> submitted;
  std::vector<PipelineUpload> uploads;
  std::vector<Trial> trials;
  RunOptions planned;
  BackfillRow backfill;
  Result<RequestOutcome> outcome = RequestOutcome{4, "run 4 goes on"};
  std::map<std::uint64_t, Listener> listeners;
  std::uint64_t last_subscription = 0;
  bool ready = true;
  ArtifactRef november, december, anomalies;

 private:
  void apply_text(const std::string& text) {
    const ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
    for (const Diagnostic& problem : parsed.problems) FAIL(problem.message);
    const BundleFiles files = {{bundle_pipeline_file, text}};
    auto compiled = compile(*parsed.spec, operator_set, files, bundle_version(files));
    if (!compiled) FAIL(compiled.error().message);
    flights = *compiled;
  }

  StepRow step(const char* name, const char* element, StepState state, std::int64_t result,
               Reason reason) {
    StepRow row;
    row.run = 4, row.step = name, row.element = element, row.state = state;
    row.key = sha256(std::string(name) + element), row.result = result, row.reason = std::move(reason);
    row.started_at = 1'386'000'000'000, row.ended_at = 1'386'000'000'400, row.seq = ++seq_;
    row.at = row.ended_at, row.attempts = state == StepState::cached ? 0 : 1;
    return row;
  }
  ResultRow result(std::int64_t id, const char* name, const char* element,
                   std::vector<Binding> inputs, std::vector<Binding> outputs) {
    ResultRow row;
    row.id = id, row.key = sha256(std::string(name) + element), row.key_text = "operator x 1\n";
    row.pipeline = "flights", row.run = id < 3 ? 3 : 4, row.step = name, row.element = element;
    row.inputs = std::move(inputs), row.outputs = std::move(outputs), row.seq = ++seq_;
    row.started_at = 1'386'000'000'000, row.ended_at = 1'386'000'000'400;
    return row;
  }

  void put_runs(Store& store) {
    for (const RunNumber number : {3, 4}) {
      RunRow run;
      run.number = number, run.pipeline = "flights", run.version = flights->version;
      run.state = number == 3 ? RunState::succeeded : RunState::halted;
      run.reason = {"arrival", number == 3 ? "arrival flights 2013-11" : "arrival flights 2013-12", {}};
      run.who = "arrival", run.created_at = 1'386'000'000'000 + number;
      run.started_at = run.created_at, run.ended_at = run.created_at + 900;
      run.spans = {{"flights", "2013-11", 1, false, ""}, {"flights", "2013-12", 1, true, ""}};
      run.created_seq = ++seq_;
      store.put(run);
    }
  }

  void put_arrivals(Store& store) {
    std::int64_t number = 0;
    for (const char* span : {"2013-11", "2013-12"}) {
      ArrivalRow arrival;
      arrival.number = ++number, arrival.pipeline = "flights", arrival.source = "flights";
      arrival.span = span, arrival.version = 1;
      arrival.artifact = number == 1 ? november : december, arrival.run = number == 1 ? 3 : 4;
      arrival.path = std::string("/data/incoming/") + span + ".csv", arrival.seq = ++seq_;
      arrival.at = 1'386'000'000'000;
      store.put(arrival);
      SpanRow row;
      row.pipeline = "flights", row.source = "flights", row.span = span, row.version = 1;
      row.arrival = number, row.artifact = arrival.artifact, row.run = arrival.run;
      row.state = number == 1 ? SpanState::accepted : SpanState::halted;
      row.at = 1'386'000'000'000, row.seq = ++seq_;
      store.put(row);
    }
  }

  void put_steps(Store& store) {
    const ArtifactRef nov_stats = artifact("files/1", "stats.json", "{\"november\":1}\n");
    const ArtifactRef dec_stats = artifact("files/1", "stats.json", "{\"december\":1}\n");
    anomalies = artifact("files/1", "anomalies.json", "{\"verdict\":\"halt\"}\n");
    const ArtifactRef ingested = artifact("files/1", "2013-12.txt", "line 1\nline 2\nline 3\n");
    store.put(result(1, "statistics", "2013-11", {{"from", 0, november}}, {{"to", 0, nov_stats}}));
    store.put(result(3, "ingest", "2013-12", {{"from", 0, december}}, {{"to", 0, ingested}}));
    store.put(result(4, "statistics", "2013-12", {{"from", 0, ingested}}, {{"to", 0, dec_stats}}));
    ResultRow halt = result(5, "validate", "2013-12",
                            {{"examples", 0, ingested}, {"previous", 0, nov_stats}},
                            {{"examples", 0, ingested}, {"anomalies", 0, anomalies}});
    halt.halt = true, halt.attempt = "01JATTEMPT0000000000000005";
    halt.verdict = "label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1)";
    halt.metrics = {{"l_infinity", "late", 0.1137}};
    halt.notes = ValueTable{{"rows", 27020}};
    store.put(halt);
    const Reason same = {"same_inputs", "same inputs as run 3", {}};
    const Reason fresh = {"new_input", "no earlier result for these files", {}};
    store.put(step("statistics", "2013-11", StepState::cached, 1, same));
    store.put(step("ingest", "2013-12", StepState::succeeded, 3, fresh));
    store.put(step("statistics", "2013-12", StepState::succeeded, 4, fresh));
    store.put(step("validate", "2013-12", StepState::halted, 5, {"halted", halt.verdict, {}}));
    AttemptRow attempt;
    attempt.id = halt.attempt, attempt.run = 4, attempt.step = "validate";
    attempt.element = "2013-12", attempt.number = 1, attempt.fence = std::string(32, 'a');
    attempt.running = false, attempt.outcome = Outcome::halt, attempt.started_at = 1'386'000'000'000;
    store.put(attempt);
    folder.write(attempt.id + ".log", "first line\nsecond line\n");
  }

  void tell_story() {
    turn([this](Store& store) {
      PipelineRow row;
      row.name = "flights", row.version = flights->version, row.folder = "/data";
      row.current = true, row.applied_at = 1'385'000'000'000, row.seq = ++seq_;
      store.put(row);
      november = artifact("files/1", "2013-11.csv", "november\n");
      december = artifact("files/1", "2013-12.csv", "december\n");
      put_runs(store);
      put_arrivals(store);
      put_steps(store);
      AlertRow alert;
      alert.id = "flights/2013-12/validate/1", alert.pipeline = "flights";
      alert.subject = "validate/2013-12", alert.severity = "error", alert.run = 4;
      alert.step = "validate", alert.element = "2013-12", alert.sentence = "validate halted";
      alert.at = 1'386'000'000'000, alert.seq = ++seq_;
      store.put(alert);
    });
  }

  std::unique_ptr<Store> store_;
  FakeKeeping keeping_{[this]() -> Store& { return *store_; }};
  std::int64_t seq_ = 0;
};

inline constexpr const char* writer_token = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978";
inline constexpr const char* reader_token = "a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50617";

/// A server over a FakeBackend, on a thread of its own.
class TestDaemon {
 public:
  explicit TestDaemon(const std::function<void(api::ServerOptions&)>& change = {})
      : guard_(boost::asio::make_work_guard(loop_)), backend_(std::make_unique<FakeBackend>(loop_)) {
    api::ServerOptions options;
    options.socket_path = socket();
    options.listen_address = "127.0.0.1";
    options.tokens = {*api::make_token("writer", writer_token, api::Role::reviewer),
                      *api::make_token("reader", reader_token, api::Role::viewer)};
    if (change) change(options);
    auto started = api::Server::start(loop_, *backend_, std::move(options));
    if (!started) FAIL(started.error().message);
    server_ = *std::move(started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~TestDaemon() {
    on_loop([this](FakeBackend&) { server_.reset(); });
    guard_.reset();
    loop_.stop();
    thread_.join();
  }

  /// Runs a function on the loop's thread and waits for it.
  void on_loop(const std::function<void(FakeBackend&)>& what) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      what(*backend_);
      done.set_value();
    });
    done.get_future().wait();
  }
  /// The same for the server.
  void on_server(const std::function<void(api::Server&)>& what) {
    on_loop([&](FakeBackend&) { what(*server_); });
  }
  std::string socket() const { return backend_->folder.path() + "/s.sock"; }
  std::uint16_t port() const { return server_->port(); }
  const std::string& folder() const { return backend_->folder.path(); }
  std::size_t connections() {
    std::size_t count = 0;
    on_loop([&](FakeBackend&) { count = server_->connections(); });
    return count;
  }

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<api::Server> server_;
  std::thread thread_;
};

}  // namespace pipelined::test
