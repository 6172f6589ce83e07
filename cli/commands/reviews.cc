#include <ostream>

#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_reviews(Session& session) {
  const auto list = session.get<protocol::ReviewList>(
      "/api/v1/reviews" + query_of({{"pipeline", session.arguments.text("pipeline")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"RUN", false, true}, {"PIPELINE"}, {"STEP"}, {"STATE"},
                                 {"SINCE"}, {"WHAT"}});
    for (const protocol::Review& review : list->reviews) {
      table.add({std::to_string(review.run), review.pipeline,
                 step_path(review.step, review.element), review.kind, short_time(review.since),
                 review.sentence});
    }
    session.print(table);
    if (list->reviews.empty()) session.say("Nothing waits for a person.");
  });
}

}  // namespace pipelined::cli
