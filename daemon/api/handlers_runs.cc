// Handlers that concern runs: lists, waiting, explaining, logs, decisions.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/api/asking.h"
#include "daemon/api/comparing.h"
#include "daemon/api/explaining.h"
#include "daemon/api/handlers.h"
#include "daemon/api/recounting.h"
#include "daemon/api/translate.h"
#include "daemon/api/waiting.h"
#include "dag/metric_name.h"
#include "dag/nearest_name.h"
#include "dag/run_state.h"

namespace pipelined::api {
namespace {

constexpr std::size_t metrics_asked_max = 20;

/// Names to choose from when somebody named a step wrongly.
std::vector<std::string> known_steps(Backend& backend, RunNumber run) {
  StepFilter filter;
  filter.run = run, filter.limit = view_limit_max;
  std::vector<std::string> known;
  for (const StepRow& row : list_step_rows(backend.store(), filter)) {
    known.push_back(step_path(row.step, row.element));
  }
  return known;
}

/// The parameters that the run worked with: the pipeline's own, and those it was given instead.
ValueTable values_of(Backend& backend, const RunRow& run) {
  ValueTable values;
  if (const auto pipeline = backend.pipeline_version(run.version)) values = pipeline->spec.params;
  for (const auto& [name, value] : run.options.params) values[name] = value;
  return values;
}

}  // namespace

void get_runs(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto before = asked_number(request, "before", 0, 0, INT64_MAX);
  if (!before) return refuse(respond, before.error());
  RunFilter filter;
  filter.pipeline = request.asked("pipeline");
  filter.limit = static_cast<int>(*limit), filter.before = *before;
  if (const std::string word = request.asked("state"); !word.empty()) {
    filter.state = parse_run_state(word);
    if (!filter.state) {
      return refuse(respond, {ErrorCode::invalid, "'" + word + "' is no state of a run; the states "
                              "are queued, running, failed, rejected, halted, in_review, cancelled "
                              "and succeeded"});
    }
  }
  const auto values = asked_flag(request, "values");
  if (!values) return refuse(respond, values.error());
  const std::vector<std::string> metrics = split_names(request.asked("metrics"));
  if (metrics.size() > metrics_asked_max) {
    return refuse(respond, {ErrorCode::invalid, "at most " + std::to_string(metrics_asked_max) +
                                                    " metrics can be asked for at once"});
  }
  protocol::RunList reply;
  for (const RunView& view : list_runs(backend.store(), filter)) {
    protocol::RunSummary run = summary_of(view);
    if (*values) run.values = values_of(backend, view.row);
    for (const std::string& name : metrics) {
      const auto value = find_metric(backend.store(), view.row.number, name);
      if (value) run.metrics[name] = *value;
    }
    reply.runs.push_back(std::move(run));
  }
  answer(respond, reply);
}

void get_run_diff(Backend& backend, const Request& request, const Respond& respond) {
  const auto first = find_run_named(backend, request);
  if (!first) return refuse(respond, first.error());
  const auto other = asked_number(request, "with", 0, 1, INT64_MAX);
  if (!other) return refuse(respond, other.error());
  const auto all = asked_flag(request, "all");
  if (!all) return refuse(respond, all.error());
  const auto second = find_run_view(backend.store(), *other);
  if (!second) {
    return refuse(respond, {ErrorCode::not_found, "there is no run " + std::to_string(*other) +
                                                      " to compare with; name it as `with`"});
  }
  answer(respond, compare_runs(backend, *first, *second, *all));
}

void get_run_history(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = find_run_named(backend, request);
  if (!run) return refuse(respond, run.error());
  const auto limit = asked_number(request, "limit", view_limit_max, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  answer(respond, recount(backend, *run, parse_step_name(request.asked("after")),
                          static_cast<int>(*limit)));
}

void get_run_replay(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = find_run_named(backend, request);
  if (!run) return refuse(respond, run.error());
  const auto replay = replay_of(backend, *run);
  if (!replay) return refuse(respond, replay.error());
  answer(respond, *replay);
}

void get_run(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = find_run_named(backend, request);
  if (!run) return refuse(respond, run.error());
  StepPage page;
  const auto limit = asked_number(request, "limit", page.limit, 0, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto offset = asked_number(request, "offset", 0, 0, INT64_MAX / 2);
  if (!offset) return refuse(respond, offset.error());
  const auto stuck = asked_flag(request, "stuck");
  if (!stuck) return refuse(respond, stuck.error());
  page.limit = *limit, page.offset = *offset, page.stuck_only = *stuck;
  answer(respond, detail_of(backend, *run, page));
}

void get_run_step(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = run_number(backend, request);
  if (!run) return refuse(respond, run.error());
  const StepName name = {request.asked("step"), request.asked("element")};
  const auto view = find_step(backend.store(), *run, name);
  if (!view) {
    const std::string where = step_path(name.step, name.element);
    return refuse(respond, {ErrorCode::not_found,
                            "run " + std::to_string(*run) + " has recorded no step '" + where + "'" +
                                did_you_mean(where, known_steps(backend, *run))});
  }
  answer(respond, step_of(*view));
}

void get_run_wait(Backend& backend, const Request& request, const Respond& respond) {
  const auto number = run_number(backend, request);
  if (!number) return refuse(respond, number.error());
  const auto until_final = asked_flag(request, "final");
  if (!until_final) return refuse(respond, until_final.error());
  const auto timeout_ms = asked_number(request, "timeout_ms", 30'000, 0, 60'000);
  if (!timeout_ms) return refuse(respond, timeout_ms.error());
  wait_for_run(backend, request, {*number, *until_final, *timeout_ms}, respond);
}

void get_explanation(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = find_run_named(backend, request);
  if (!run) return refuse(respond, run.error());
  const auto told = explanation_of(backend, *run, {request.asked("step"), request.asked("element")});
  if (!told) return refuse(respond, told.error());
  answer(respond, *told);
}

namespace {

/// The attempt that a log is wanted of: the one named, or the newest of the step.  A step that
/// was reused has none in this run; then the attempt that made its result is meant.
Result<AttemptRow> find_logged_attempt(Backend& backend, const Request& request, RunNumber run) {
  const std::string step = request.asked("step"), element = request.asked("element");
  if (step.empty()) return Error{ErrorCode::invalid, "parameter 'step' is missing: a step's name"};
  const std::vector<AttemptRow> attempts = list_attempts(backend.store(), run, step, element);
  const auto number = asked_number(request, "attempt", 0, 0, INT64_MAX);
  if (!number) return number.error();
  for (const AttemptRow& attempt : attempts) {
    if (attempt.number == *number) return attempt;
  }
  const std::string where = step_path(step, element);
  if (*number > 0) {
    return Error{ErrorCode::not_found, "step " + where + " of run " + std::to_string(run) +
                                           " has no attempt " + std::to_string(*number)};
  }
  if (!attempts.empty()) return attempts.back();
  if (const auto view = find_step(backend.store(), run, {step, element}); view && view->result) {
    const auto maker = find_attempt(backend.store(), view->result->attempt);
    if (maker) return *maker;
  }
  return Error{ErrorCode::not_found, "step " + where + " of run " + std::to_string(run) +
                                         " has not been tried" +
                                         did_you_mean(where, known_steps(backend, run))};
}

/// What has been written behind `offset`, at most 64 KiB of it.
std::string read_from(int descriptor, std::int64_t& offset) {
  std::string text(std::size_t{64} << 10, '\0');
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), offset);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  offset += static_cast<std::int64_t>(text.size());
  return text;
}

}  // namespace

void get_log(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = run_number(backend, request);
  if (!run) return refuse(respond, run.error());
  const auto follow = asked_flag(request, "follow");
  if (!follow) return refuse(respond, follow.error());
  const auto attempt = find_logged_attempt(backend, request, *run);
  if (!attempt) return refuse(respond, attempt.error());
  Answer answer;
  answer.content_type = "text/plain; charset=utf-8";
  const std::string path = backend.log_path(attempt->id);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  const bool silent = descriptor < 0 && errno == ENOENT;  // a log begins with the first output
  struct stat facts {};
  if (descriptor < 0 || ::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    if (descriptor >= 0) ::close(descriptor);
    if (!silent && !attempt->running) {
      return refuse(respond, {ErrorCode::io, "the log of attempt " + attempt->id +
                                                 " cannot be read"});
    }
    answer.body = std::string();
    return respond(std::move(answer));
  }
  auto file = std::make_shared<FileBody>(descriptor, facts.st_size);
  if (!*follow) {
    answer.body = std::move(file);
    return respond(std::move(answer));
  }
  auto offset = std::make_shared<std::int64_t>(0);
  GrowingBody growing;
  growing.more = [file, offset] { return read_from(file->descriptor, *offset); };
  growing.goes_on = [&backend, id = attempt->id] {
    const auto row = find_attempt(backend.store(), id);
    return row && row->running;
  };
  answer.body = std::move(growing);
  respond(std::move(answer));
}

void get_reviews(Backend& backend, const Request& request, const Respond& respond) {
  protocol::ReviewList reply;
  for (const RunState state : {RunState::halted, RunState::in_review, RunState::running}) {
    RunFilter filter;
    filter.pipeline = request.asked("pipeline"), filter.state = state;
    filter.limit = view_limit_max;
    for (const RunView& view : list_runs(backend.store(), filter)) {
      StepFilter stuck;
      stuck.run = view.row.number, stuck.stuck_only = true, stuck.limit = view_limit_max;
      for (const StepView& step : list_steps(backend.store(), stuck)) {
        if (!is_held(step.row.state)) continue;
        reply.reviews.push_back({view.row.number, view.row.pipeline, step.row.step,
                                 step.row.element, name_of(step.row.state),
                                 explain_held(held_of(backend, view.row, step)),
                                 {step.row.ended_at}});
      }
    }
  }
  answer(respond, reply);
}

namespace {

/// Fills in what decisions about a step have in common.
template <class Wish>
void decide(Backend& backend, const Request& request, const Respond& respond, const char* verb) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  const auto run = run_number(backend, request);
  if (!run) return refuse(respond, run.error());
  if (body->why.find_first_not_of(" \t\n") == std::string::npos) {
    return refuse(respond, {ErrorCode::invalid, std::string("to ") + verb +
                            " needs a reason: it is recorded beside your name"});
  }
  if (!find_step(backend.store(), *run, {body->step, body->element})) {
    const std::string where = step_path(body->step, body->element);
    return refuse(respond, {ErrorCode::not_found,
                            "run " + std::to_string(*run) + " has no step '" + where + "' to " +
                                verb + did_you_mean(where, known_steps(backend, *run))});
  }
  Wish wish;
  wish.run = *run, wish.step = body->step, wish.element = body->element;
  wish.who = request.caller.who, wish.why = body->why;
  if constexpr (requires { wish.without_remedy; }) wish.without_remedy = body->without_remedy;
  if constexpr (requires { wish.groups; }) wish.groups = request.caller.groups;
  submit(backend, std::move(wish), respond);
}

/// The same for decisions about a whole run.
template <class Wish>
void decide_run(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  const auto run = run_number(backend, request);
  if (!run) return refuse(respond, run.error());
  Wish wish;
  wish.run = *run, wish.who = request.caller.who, wish.why = body->why;
  submit(backend, std::move(wish), respond);
}

}  // namespace

void post_accept(Backend& backend, const Request& request, const Respond& respond) {
  decide<event::AcceptRequested>(backend, request, respond, "accept");
}
void post_approve(Backend& backend, const Request& request, const Respond& respond) {
  decide<event::ApproveRequested>(backend, request, respond, "approve");
}
void post_reject(Backend& backend, const Request& request, const Respond& respond) {
  decide<event::RejectRequested>(backend, request, respond, "reject");
}
void post_cancel(Backend& backend, const Request& request, const Respond& respond) {
  decide_run<event::CancelRequested>(backend, request, respond);
}
void post_resume(Backend& backend, const Request& request, const Respond& respond) {
  decide_run<event::ResumeRequested>(backend, request, respond);
}
void post_migrate(Backend& backend, const Request& request, const Respond& respond) {
  decide_run<event::MigrateRequested>(backend, request, respond);
}
void post_retry(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  const auto run = run_number(backend, request);
  if (!run) return refuse(respond, run.error());
  event::RetryRequested wish;
  wish.run = *run, wish.who = request.caller.who, wish.why = body->why;
  wish.steps = body->steps, wish.select = body->select;
  submit(backend, std::move(wish), respond);
}

}  // namespace pipelined::api
