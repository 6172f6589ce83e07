#include "daemon/api/waiting.h"

#include <memory>

#include "daemon/api/asking.h"
#include "daemon/api/translate.h"
#include "dag/run_state.h"

namespace pipelined::api {
namespace {

void answer_with_run(Backend& backend, RunNumber number, const Respond& respond) {
  RunFilter filter;
  filter.before = number + 1, filter.limit = 1;
  const std::vector<RunView> found = list_runs(backend.store(), filter);
  if (found.empty() || found.front().row.number != number) {
    return refuse(respond, {ErrorCode::not_found, "run " + std::to_string(number) + " is gone"});
  }
  answer(respond, summary_of(found.front()));
}

}  // namespace

bool is_over(RunState state, bool until_final) {
  return until_final ? !is_open(state) : is_at_rest(state);
}

void wait_for_run(Backend& backend, const Request& request, RunWait wait, const Respond& respond) {
  const std::optional<RunRow> row = backend.store().find_run(wait.run);
  if (!row || is_over(row->state, wait.until_final) || wait.timeout_ms == 0) {
    return answer_with_run(backend, wait.run, respond);
  }
  auto subscription = std::make_shared<std::uint64_t>(0);
  auto finish = [&backend, wait, respond, subscription] {
    if (*subscription == 0) return;
    backend.unsubscribe(std::exchange(*subscription, 0));
    answer_with_run(backend, wait.run, respond);
  };
  *subscription = backend.subscribe([wait, finish](const BackendEvent& event) {
    if (event.kind != BackendEvent::Kind::run || event.run != wait.run) return;
    const std::optional<RunState> state = parse_run_state(event.state);
    if (!state || !is_over(*state, wait.until_final)) return;
    const auto last = finish;  // unsubscribing destroys this function
    last();
  });
  CHECK(*subscription != 0);
  request.later(wait.timeout_ms, finish);
}

}  // namespace pipelined::api
