#include "plugins/model/model_register.h"

#include <fstream>
#include <sstream>

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

}  // namespace

Result<void> model_register(sdk::Context& context) {
  TRY(model, read_file(context.input_path("model") / "model.json"));
  std::optional<std::string> evaluation;
  if (context.input_count("evaluation") > 0) {
    TRY(text, read_file(context.input_path("evaluation") / "evaluation.json"));
    evaluation = std::move(text);
  }
  const RegistrationWish wish{context.text("name"), context.text("at_least"),
                              context.list("aliases"), context.text("notes")};
  TRY(request, registration_json(wish, model, evaluation));
  return context.request("register_model", request);
}

}  // namespace pipelined::evaluation
