// model verify: do the golden rows of a version score as they did when it was registered?
#include <ostream>

#include "cli/commands/models.h"
#include "cli/local_model.h"
#include "operators/value_json.h"

namespace pipelined::cli {

int run_model_verify(Session& session) {
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto model = local_model(session, *local);
  if (!model) return session.fail(model.error());
  if (!model->golden) {
    return session.fail({ErrorCode::not_found, model->title + " has no golden rows to verify with"});
  }
  const auto ended = local->run({.operator_id = "model.verify",
                                 .inputs = {{"model", {model->model}}, {"golden", {*model->golden}}},
                                 .outputs = {{"verification", "verification/1"}}});
  if (!ended) return session.fail(ended.error());
  const auto json = local->text(ended->outputs.at("verification"), "verification.json");
  if (!json) return session.fail(json.error());
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << *json;
  } else {
    const auto found = value_from_json(*json);
    if (!found) return session.fail(found.error());
    const std::string sentence = *found->as_table()->at("sentence").as_text();
    session.terminal.out << session.safe(model->title + ": " + sentence) << "\n";
  }
  return ended->halt ? exit_halted : exit_done;
}

}  // namespace pipelined::cli
