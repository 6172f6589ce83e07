// What attempts used, step by step.
#include "daemon/store/store_state.h"
#include "daemon/store/views.h"

namespace pipelined {

std::vector<StepUse> list_uses(Store& store, const std::string& pipeline, int runs) {
  // Short attempts tell nothing of processors: their time is measured in ticks.
  Query query(store.database(),
              "SELECT step, count(*), max(memory_peak_bytes), max(scratch_bytes), "
              "sum(failure_class = 'out_of_memory'), sum(failure_class = 'scratch'), "
              "max(CASE WHEN ended_at - started_at >= 1000 "
              "THEN cpu_ms * 1.0 / (ended_at - started_at) ELSE 0.0 END) "
              "FROM attempts WHERE run IN (SELECT number FROM runs WHERE pipeline = ?1 "
              "ORDER BY number DESC LIMIT ?2) AND running = 0 AND machine_fault = 0 "
              "AND outcome <> 'cancelled' GROUP BY step ORDER BY step", pipeline, runs);
  std::vector<StepUse> uses;
  while (query.next()) {
    uses.push_back({query.string(0), query.integer(1), query.integer(2), query.integer(3),
                    query.integer(4), query.integer(5), query.real(6)});
  }
  return uses;
}

}  // namespace pipelined
