#include "model/onnx.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <vector>

namespace pipelined::model {
namespace {

constexpr const char* library_file = "libonnxruntime.so";

// ONNX Runtime's C interface is one struct of function pointers whose order never changes; these are
// the places of those that are used here.  Every one but the releases answers with a status or null.
enum Place : std::size_t {
  get_error_message = 2,
  create_env = 3,
  create_session_from_array = 8,
  run = 9,
  create_session_options = 10,
  disable_cpu_arena = 19,
  set_intra_threads = 24,
  set_inter_threads = 25,
  input_count = 30,
  output_count = 31,
  input_name = 36,
  output_name = 37,
  create_tensor_with_data = 49,
  is_tensor = 50,
  tensor_data = 51,
  tensor_type = 60,
  tensor_element_count = 64,
  tensor_type_and_shape = 65,
  create_cpu_memory_info = 69,
  allocator_free = 76,
  default_allocator = 78,
  release_status = 93,
  release_session = 95,
  release_value = 96,
  release_tensor_info = 99,
  release_session_options = 100,
};

constexpr std::uint32_t api_version = 1;
constexpr int float_element = 1;

using Handle = void*;
using Function = void (*)();

struct ApiBase {
  const Function* (*api)(std::uint32_t version);
  const char* (*version)();
};

struct Library {
  const Function* functions = nullptr;
  std::string problem;  // why there are no functions
  Handle env = nullptr;
  Handle memory = nullptr;
  Handle allocator = nullptr;

  template <class Answer = Handle, class... Arguments>
  Answer call(Place place, Arguments... arguments) const {
    return reinterpret_cast<Answer (*)(Arguments...)>(functions[place])(arguments...);
  }

  /// The words of a status, which is released; empty if all is well.
  std::string words(Handle status) const {
    if (!status) return {};
    std::string said = call<const char*>(get_error_message, status);
    call<void>(release_status, status);
    return said.empty() ? "it does not say why" : said;
  }
};

/// One more place; see the header.
std::string& place_of_model() {
  static std::string folder;
  return folder;
}

// Beside the folder that this code was loaded from, in it, or beside the model.
std::string library_path() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&library_path), &info) || !info.dli_fname) {
    return {};
  }
  std::error_code error;
  auto self = std::filesystem::canonical(info.dli_fname, error);
  if (error) self = std::filesystem::canonical("/proc/self/exe", error);
  const auto folder = self.parent_path();
  const auto usual = folder.parent_path() / "lib" / library_file;
  for (const auto& path : {usual, folder / "lib" / library_file, folder / library_file,
                           std::filesystem::path(place_of_model()) / library_file}) {
    if (std::filesystem::exists(path, error)) return path.string();
  }
  return usual.string();
}

Library load() {
  Library library;
  const std::string path = library_path();
  // Never unloaded: it keeps threads' storage that must outlive every call.
  void* file = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!file) {
    library.problem = std::string("load ONNX Runtime: ") + dlerror() +
                      "; install it beside the plugins or run the bootstrap with --onnx";
    return library;
  }
  const auto base =
      reinterpret_cast<const ApiBase* (*)()>(dlsym(file, "OrtGetApiBase"));
  const Function* functions = base ? base()->api(api_version) : nullptr;
  if (!functions) {
    library.problem = "load ONNX Runtime: " + path + " has no interface of version 1";
    return library;
  }
  library.functions = functions;
  constexpr int errors_only = 3, arena = 1, memory_of_caller = 0;
  library.problem = library.words(library.call(create_env, errors_only, "pipelined", &library.env));
  if (library.problem.empty()) {
    library.problem = library.words(
        library.call(create_cpu_memory_info, arena, memory_of_caller, &library.memory));
  }
  if (library.problem.empty()) {
    library.problem = library.words(library.call(default_allocator, &library.allocator));
  }
  if (!library.problem.empty()) library.functions = nullptr;
  return library;
}

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

Error wrong(const std::string& what) {
  return {ErrorCode::invalid, "cannot use the ONNX model: " + what};
}

}  // namespace

void look_for_onnx_runtime_in(const std::string& folder) { place_of_model() = folder; }

struct Onnx::State {
  const Library& api;
  Handle session = nullptr;
  std::size_t features = 0, scores = 0;
  std::size_t per_row = 0;  // numbers a row in the output; 2 for one score: the second is taken
  std::string input, output;
  std::vector<std::string> outputs;

  explicit State(const Library& loaded) : api(loaded) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (session) api.call<void>(release_session, session);
  }

  Result<std::string> name(Place place, std::size_t index) const {
    char* text = nullptr;
    const std::string problem = api.words(api.call(place, session, index, api.allocator, &text));
    if (!problem.empty()) return wrong(problem);
    std::string copy = text;
    api.words(api.call(allocator_free, api.allocator, static_cast<void*>(text)));
    return copy;
  }

  Result<void> open(std::string_view bytes) {
    Handle options = nullptr;
    std::string problem = api.words(api.call(create_session_options, &options));
    if (!problem.empty()) return wrong(problem);
    api.words(api.call(set_intra_threads, options, 1));
    api.words(api.call(set_inter_threads, options, 1));
    api.words(api.call(disable_cpu_arena, options));
    problem = api.words(api.call(create_session_from_array, api.env,
                                 static_cast<const void*>(bytes.data()), bytes.size(), options,
                                 &session));
    api.call<void>(release_session_options, options);
    if (!problem.empty()) return wrong(problem);
    std::size_t inputs = 0, count = 0;
    api.words(api.call(input_count, session, &inputs));
    api.words(api.call(output_count, session, &count));
    if (inputs != 1) {
      return wrong("it has " + std::to_string(inputs) +
                   " inputs; one of 32-bit floats, rows times features, can be scored");
    }
    TRY(first, name(input_name, 0));
    input = std::move(first);
    for (std::size_t i = 0; i < count; ++i) {
      TRY(next, name(output_name, i));
      outputs.push_back(std::move(next));
    }
    return {};
  }

  // Runs one output; `take(data, count)` sees its numbers.  Words say what went wrong.
  template <class Take>
  std::string ask(const std::string& wanted, const float* values, std::size_t rows,
                  const Take& take) const {
    const std::array<std::int64_t, 2> shape{static_cast<std::int64_t>(rows),
                                            static_cast<std::int64_t>(features)};
    Handle given = nullptr, answer = nullptr;
    std::string problem = api.words(api.call(
        create_tensor_with_data, api.memory, const_cast<void*>(static_cast<const void*>(values)),
        rows * features * sizeof(float), shape.data(), shape.size(), float_element, &given));
    if (!problem.empty()) return problem;
    const char* input_names[] = {input.c_str()};
    const char* output_names[] = {wanted.c_str()};
    const Handle inputs[] = {given};
    problem = api.words(api.call(run, session, Handle{}, &input_names[0], &inputs[0],
                                 std::size_t{1}, &output_names[0], std::size_t{1}, &answer));
    api.call<void>(release_value, given);
    if (!problem.empty()) return problem;
    problem = look(answer, take);
    api.call<void>(release_value, answer);
    return problem;
  }

  template <class Take>
  std::string look(Handle answer, const Take& take) const {
    int tensor = 0, type = 0;
    std::size_t count = 0;
    Handle info = nullptr;
    void* data = nullptr;
    std::string problem = api.words(api.call(is_tensor, answer, &tensor));
    if (problem.empty() && tensor == 0) problem = "is no tensor";
    if (problem.empty()) problem = api.words(api.call(tensor_type_and_shape, answer, &info));
    if (!problem.empty()) return problem;
    problem = api.words(api.call(tensor_type, info, &type));
    if (problem.empty()) problem = api.words(api.call(tensor_element_count, info, &count));
    api.call<void>(release_tensor_info, info);
    if (problem.empty() && type != float_element) problem = "is not of 32-bit floats";
    if (problem.empty()) problem = api.words(api.call(tensor_data, answer, &data));
    if (problem.empty()) take(static_cast<const float*>(data), count);
    return problem;
  }

  // The last output that has the numbers of so many scores for rows of zeros.
  Result<void> choose_output() {
    constexpr std::size_t rows = 2;
    const std::vector<float> zeros(rows * features);
    std::string tried;
    for (const std::string& candidate : outputs) {
      std::size_t found = 0;
      const std::string problem = ask(candidate, zeros.data(), rows,
                                      [&](const float*, std::size_t count) { found = count / rows; });
      if (problem.empty() && (found == scores || (scores == 1 && found == 2))) {
        output = candidate;
        per_row = found;
        continue;
      }
      tried += (tried.empty() ? "" : "; ") + ("output \"" + candidate + "\" ") +
               (problem.empty() ? "has " + std::to_string(found) + " numbers a row" : problem);
    }
    if (!output.empty()) return {};
    return wrong("no output has " + std::to_string(scores) + (scores == 1 ? " score" : " scores") +
                 " a row for " + std::to_string(features) + " features: " + tried +
                 " (scikit-learn's classifiers are exported with zipmap = False)");
  }
};

Result<Onnx> Onnx::parse(std::string_view bytes, std::size_t features, std::size_t scores) {
  const Library& api = library();
  if (!api.functions) return Error{ErrorCode::unsupported, api.problem};
  const auto state = std::make_shared<State>(api);
  state->features = features;
  state->scores = scores;
  TRY_VOID(state->open(bytes));
  TRY_VOID(state->choose_output());
  return Onnx(state);
}

std::size_t Onnx::feature_count() const { return state_->features; }
std::size_t Onnx::score_count() const { return state_->scores; }
const std::string& Onnx::input() const { return state_->input; }
const std::string& Onnx::output() const { return state_->output; }

void Onnx::score(const float* values, std::size_t rows, float* scores) const {
  const State& state = *state_;
  const std::size_t wanted = state.scores;
  const std::size_t first = state.per_row - wanted;  // of two numbers the second is for yes
  bool whole = false;
  state.ask(state.output, values, rows, [&](const float* data, std::size_t count) {
    whole = count == rows * state.per_row;
    for (std::size_t row = 0; whole && row < rows; ++row) {
      std::copy_n(data + row * state.per_row + first, wanted, scores + row * wanted);
    }
  });
  if (!whole) std::fill_n(scores, rows * wanted, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace pipelined::model
