// model export: a version as a folder that MLflow loads, with the library that scores it.
#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/models.h"
#include "cli/local_model.h"
#include "cli/local_operators.h"
#include "cli/mlflow_loader.h"
#include "dag/model_version.h"
#include "dag/value_entries.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* library_name = "libpipelined_score.so";
constexpr const char* onnx_library_name = "libonnxruntime.so";

constexpr const char* python_environment =
    "python: \"3.11\"\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n";
constexpr const char* conda_environment =
    "name: mlflow-env\nchannels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip\n- pip:\n"
    "  - mlflow\n  - numpy\n  - pandas\n";

// Whole numbers and flags of MLflow cannot be missing, ours can.
std::string mlflow_type(const std::string& type) {
  if (type == "float") return "double";
  if (type == "string") return "string";
  if (type == "date" || type == "time") return "datetime";
  return "any";
}

std::string inputs_text(const std::vector<ModelColumn>& columns) {
  ValueList list;
  for (const ModelColumn& column : columns) {
    list.push_back(ValueTable{{"type", mlflow_type(column.type)},
                              {"name", column.name},
                              {"required", !column.optional}});
  }
  return json_text(Value(std::move(list)));
}

std::string outputs_text(const std::vector<ModelColumn>& columns) {
  ValueList list;
  for (const ModelColumn& column : columns) {
    const bool classes = column.type == "probabilities";
    for (const std::string& name : classes ? column.values : std::vector{column.name}) {
      list.push_back(ValueTable{{"type", "float"}, {"name", name}, {"required", true}});
    }
  }
  return json_text(Value(std::move(list)));
}

// JSON text within a line of YAML.
std::string yaml_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

Result<void> write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (file.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.string()};
}

Result<fs::path> scoring_library(const Session& session) {
  TRY(programs, find_programs(session.environment.worker, session.environment.plugins,
                              session.environment.program_folder));
  const fs::path library = fs::path(programs.plugins).lexically_normal() / ".." / library_name;
  std::error_code error;
  if (fs::exists(library, error)) return library;
  return Error{ErrorCode::unavailable, std::string("there is no ") + library_name +
                                           " beside the folder of plugins; install it again"};
}

bool is_onnx(const LocalModel& model) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model.model.folder, error)) {
    if (entry.path().extension() == ".onnx") return true;
  }
  return false;
}

// Models in the ONNX format are scored by ONNX Runtime, which goes with them.
Result<void> add_onnx_runtime(const fs::path& folder, const fs::path& library) {
  std::error_code error;
  for (const fs::path& from : {library.parent_path() / "lib", library.parent_path()}) {
    if (!fs::exists(from / onnx_library_name, error)) continue;
    fs::copy_file(from / onnx_library_name, folder / "code" / onnx_library_name, error);
    if (!error) return {};
    return Error{ErrorCode::io, "cannot copy ONNX Runtime to " + folder.string() + ": " + error.message()};
  }
  return Error{ErrorCode::unavailable, std::string("export a model in the ONNX format: there is no ") +
                                           onnx_library_name + " beside the plugins, which scores it; install it"};
}

Result<void> fill(const fs::path& folder, const fs::path& library, const LocalModel& model,
                  const std::string& description) {
  std::error_code error;
  fs::create_directories(folder / "code", error);
  if (!error) {
    fs::create_directories(folder / "data", error);
  }
  if (error) {
    return Error{ErrorCode::io, "cannot make " + folder.string() + ": " + error.message()};
  }
  TRY_VOID(write(folder / "MLmodel", description));
  TRY_VOID(write(folder / "conda.yaml", conda_environment));
  TRY_VOID(write(folder / "python_env.yaml", python_environment));
  TRY_VOID(write(folder / "requirements.txt", "mlflow\nnumpy\npandas\n"));
  TRY_VOID(write(folder / "code" / "pipelined_mlflow.py", mlflow_loader));
  if (is_onnx(model)) TRY_VOID(add_onnx_runtime(folder, library));
  fs::copy_file(library, folder / "code" / library_name, error);
  for (const auto& entry : fs::directory_iterator(model.model.folder, error)) {
    if (!error) fs::copy_file(entry.path(), folder / "data" / entry.path().filename(), error);
    if (error) break;
  }
  if (!error) return {};
  return Error{ErrorCode::io, "cannot copy the model to " + folder.string() + ": " +
                                  error.message()};
}

// Whole or not at all.
Result<void> export_to(const fs::path& folder, const fs::path& library, const LocalModel& model,
                       const std::string& description) {
  std::error_code error;
  if (fs::exists(folder, error)) {
    return Error{ErrorCode::conflict, folder.string() + " is there already"};
  }
  const fs::path part = folder.string() + ".part";
  if (fs::exists(part, error)) {
    return Error{ErrorCode::conflict, part.string() + " is there, perhaps of an export that was "
                                                      "interrupted; remove it"};
  }
  auto filled = fill(part, library, model, description);
  if (filled) {
    fs::rename(part, folder, error);
    if (!error) return {};
    filled = Error{ErrorCode::io, "cannot make " + folder.string() + ": " + error.message()};
  }
  fs::remove_all(part, error);
  return filled;
}

}  // namespace

std::string mlflow_description(const protocol::ModelVersionInfo* version) {
  std::string text = "flavors:\n  python_function:\n    code: code\n    data: data\n"
                     "    env:\n      conda: conda.yaml\n      virtualenv: python_env.yaml\n"
                     "    loader_module: pipelined_mlflow\n    python_version: 3.11.0\n";
  if (version == nullptr) return text;
  text += "metadata:\n  pipelined_model: " + yaml_text(version->model) +
          "\n  pipelined_version: " + yaml_text(version->version) + "\n";
  for (const protocol::ModelArtifact& one : version->artifacts) {
    if (one.port == "model") text += "  pipelined_sha256: " + yaml_text(one.digest) + "\n";
  }
  const auto facts = model_facts_from(Value(version->facts));
  if (facts && !facts->inputs.empty()) {
    text += "signature:\n  inputs: " + yaml_text(inputs_text(facts->inputs)) +
            "\n  outputs: " + yaml_text(outputs_text(facts->outputs)) + "\n  params: null\n";
  }
  return text;
}

int run_model_export(Session& session) {
  const std::string to = session.arguments.text("to");
  if (to.empty()) {
    return session.fail({ErrorCode::invalid, "model export: --to names the folder to be made"});
  }
  const auto library = scoring_library(session);
  if (!library) return session.fail(library.error());
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto model = local_model(session, *local);
  if (!model) return session.fail(model.error());
  std::string description = mlflow_description(nullptr);
  if (model->golden) {  // only registered versions have golden rows
    const auto version = fetch_version(session, session.arguments.text("NAME"),
                                       session.arguments.text("VERSION", "newest"));
    if (!version) return session.fail(version.error());
    description = mlflow_description(&*version);
  }
  const auto done = export_to(to, *library, *model, description);
  if (!done) return session.fail(done.error());
  session.say(model->title + " is in " + to + ": mlflow.pyfunc.load_model(\"" + to +
              "\") loads it.");
  return exit_done;
}

}  // namespace pipelined::cli
