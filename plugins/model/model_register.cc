#include "plugins/model/model_register.h"

#include <fstream>
#include <sstream>

#include "plugins/common/examples.h"
#include "plugins/model/golden.h"
#include "plugins/model/registration.h"

namespace pipelined::evaluation {
namespace {

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (stream && text) return text.str();
  return Error{ErrorCode::invalid,
               "cannot register: the artifact has no file " + path.filename().string()};
}

// The rows that `model.verify` scores again.  A model that cannot be scored here has none.
Result<Golden> golden_rows(const sdk::Context& context) {
  const auto model = model::Model::load(context.input_path("model"));
  if (!model) {
    context.log(sdk::Level::warning, "no golden rows are kept: " + model.error().message);
    return Golden{"none", {}};
  }
  const auto seed = static_cast<std::uint64_t>(context.seed());
  if (context.input_count("examples") == 0) return golden_of_signature(*model, seed);
  TRY(reader, ExamplesReader::open({context.input_path("examples").string()}));
  return golden_of_examples(*model, reader, seed, [&] { return context.cancelled(); });
}

Result<void> write_golden(const sdk::Context& context) {
  auto golden = golden_rows(context);
  if (!golden) return golden.error().within("golden rows for the version");
  std::vector<model::ColumnInput> inputs;
  if (!golden->rows.empty()) {
    TRY(model, model::Model::load(context.input_path("model")));
    inputs = model.inputs();
  }
  std::ofstream stream(context.output_path("golden") / "golden.json", std::ios::binary);
  stream << golden_json(*golden, inputs);
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write golden.json"};
}

}  // namespace

Result<void> model_register(sdk::Context& context) {
  TRY(model, read_file(context.input_path("model") / "model.json"));
  ModelEvidence evidence;
  if (context.input_count("evaluation") > 0) {
    TRY(text, read_file(context.input_path("evaluation") / "evaluation.json"));
    evidence.evaluation = std::move(text);
  }
  if (context.input_count("explanation") > 0) {
    TRY(text, read_file(context.input_path("explanation") / "explanation.json"));
    evidence.explanation = std::move(text);
  }
  const RegistrationWish wish{context.text("name"), context.text("at_least"),
                              context.list("aliases"), context.text("notes")};
  TRY(request, registration_json(wish, model, evidence));
  if (context.wants_output("golden")) TRY_VOID(write_golden(context));
  return context.request("register_model", request);
}

}  // namespace pipelined::evaluation
