// sdk.h: operators in C++, a thin layer over pipelined_plugin.h.
//
// An operator is a function `Result<void> run(sdk::Context&)` and a constant that describes it:
//
//   constexpr auto count_rows = sdk::describe("example.count", 1, "Counts the rows of a table")
//       .input("examples", "examples/1", "the table")
//       .output("report", "report/1", "the count")
//       .param(sdk::text("label", "the column to count").standard("late"));
//   PL_PLUGIN("example", "1.0", sdk::Operator<count_rows, run_count_rows>)
//
// Errors become outcomes: invalid is INVALID, unavailable RETRY, cancelled CANCELLED, unsupported
// UNSUPPORTED, any other FAILED; `Context::halt` makes a HALT.  An exception that leaves `run`
// becomes FAILED, a parameter of another kind than asked for INVALID.  Only std and dag/result.h
// are needed.  In tests, operators/testing/fake_context.h runs such a function without a plugin.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string_view>

#include "dag/result.h"
#include "operators/sdk_context.h"
#include "operators/sdk_description.h"

namespace pipelined::sdk {

/// The work of an operator.
using Function = Result<void> (*)(Context&);

/// Fills the caller's error.  Text that is too long is cut at a character.
inline void fill(pl_error_t* error, std::string_view message) noexcept {
  if (!error || error->struct_size < offsetof(pl_error_t, message) + sizeof error->message) return;
  std::size_t size = std::min(message.size(), sizeof error->message - 1);
  while (size < message.size() && size > 0 &&
         (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) {
    --size;
  }
  std::memcpy(error->message, message.data(), size);
  error->message[size] = 0;
}

/// The outcome that an error code stands for.
constexpr std::int32_t outcome_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return PL_INVALID;
    case ErrorCode::unavailable: return PL_RETRY;
    case ErrorCode::cancelled: return PL_CANCELLED;
    case ErrorCode::unsupported: return PL_UNSUPPORTED;
    default: return PL_FAILED;
  }
}

/// Runs an operator's function so that nothing but an outcome comes out.
inline std::int32_t guarded(Function function, const pl_context_t* raw,
                            pl_error_t* error) noexcept {
  try {
    Context context(raw);
    const Result<void> result = function(context);
    if (!result) {
      fill(error, result.error().message);
      return outcome_of(result.error().code);
    }
    if (!context.verdict()) return context.more() ? PL_MORE : PL_OK;
    fill(error, *context.verdict());
    return PL_HALT;
  } catch (const ParameterError& thrown) {
    fill(error, thrown.what());
    return PL_INVALID;
  } catch (const std::exception& thrown) {
    fill(error, std::string_view(thrown.what()));
    return PL_FAILED;
  } catch (...) {
    fill(error, "the operator threw something that is no std::exception");
    return PL_FAILED;
  }
}

/// Binds a description to a function: the C descriptor is a constant of the library.
template <const Description& description, Function function>
class Operator {
 public:
  static std::int32_t run(const pl_context_t* context, pl_error_t* error) noexcept {
    return guarded(function, context, error);
  }

 private:
  template <class T>
  static constexpr auto pointers(const std::array<T, Description::capacity>& list) {
    std::array<const T*, Description::capacity> result{};
    for (std::size_t i = 0; i < list.size(); ++i) result[i] = &list[i];
    return result;
  }
  static constexpr auto inputs = pointers(description.input_list);
  static constexpr auto outputs = pointers(description.output_list);
  static constexpr auto params = pointers(description.param_list);
  static constexpr auto libraries = pointers(description.library_list);
  static constexpr pl_operator_t complete() {
    pl_operator_t raw = description.raw;
    raw.inputs = inputs.data();
    raw.outputs = outputs.data();
    raw.params = params.data();
    raw.libraries = libraries.data();
    raw.run = &run;
    return raw;
  }

 public:
  static constexpr pl_operator_t descriptor = complete();
};

/// The entry of a plugin with these operators; PL_PLUGIN uses it.
template <class... Operators>
struct Plugin {
  static constexpr std::array<const pl_operator_t*, sizeof...(Operators)> operators{
      &Operators::descriptor...};
  static constexpr pl_plugin_t entry(const char* id, const char* version) {
    return {PL_ABI_MAJOR, PL_ABI_MINOR, sizeof(pl_plugin_t), sizeof...(Operators), id, version,
            operators.data(), nullptr, nullptr, nullptr};
  }
};

}  // namespace pipelined::sdk

/// PL_PLUGIN("id", "version", Operator<...>, ...): defines the plugin's one exported symbol, at the
/// end of one .cc file, outside any namespace.
#define PL_PLUGIN(id, version, ...)             \
  constinit const pl_plugin_t pl_plugin_entry = \
      ::pipelined::sdk::Plugin<__VA_ARGS__>::entry(id, version);
