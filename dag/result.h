// Errors as values.
//
// `Error` is one code that a caller can act on and one sentence that a person can act on;
// `Result<T>` is either a value or an `Error`, with the part of `std::expected` that we use.
// This header knows nothing of files, processes or the engine.  Values are plain and may be moved
// between threads; a `Result` must be looked at before its value is taken (checked, in release too).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pipelined {

/// What went wrong, coarsely: few codes, each with one way to react.
enum class ErrorCode {
  invalid,      ///< the input is wrong; mend it and try again
  not_found,    ///< the thing named does not exist
  conflict,     ///< the thing exists or is in a state that forbids this
  corrupt,      ///< stored bytes are not what they should be
  io,           ///< the operating system refused
  exhausted,    ///< no space, memory or slots; try again later
  unavailable,  ///< the other side is not there; try again later
  denied,       ///< the caller may not do this
  cancelled,    ///< somebody asked to stop
  unsupported,  ///< not possible here
  internal,     ///< a defect of ours
};

/// The stable lower-case name of a code, as scripts see it in JSON.
constexpr const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::io: return "io";
    case ErrorCode::exhausted: return "exhausted";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::denied: return "denied";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

/// A failure: the message says what was attempted, on what, what is wrong and what to do next.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;

  /// The same error with what was being done when it happened put in front.
  Error within(const std::string& context) const { return {code, context + ": " + message}; }
};

/// Stops the program when a programmer's promise is broken.  Input from outside never reaches it.
[[noreturn]] inline void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "defect: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

#define PL_CHECK(condition) \
  ((condition) ? void() : ::pipelined::check_failed(#condition, __FILE__, __LINE__))

// A test has Catch's own CHECK.
#ifndef CATCH_VERSION_MAJOR
#define CHECK(condition) PL_CHECK(condition)
#endif

/// A value or an error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// REQUIRES: has_value().
  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return *checked(); }
  const T& operator*() const& { return *const_cast<Result*>(this)->checked(); }
  T&& operator*() && { return std::move(*checked()); }
  T* operator->() { return checked(); }
  const T* operator->() const { return const_cast<Result*>(this)->checked(); }

  /// REQUIRES: !has_value().
  const Error& error() const {
    PL_CHECK(state_.index() == 1);
    return std::get<1>(state_);
  }

 private:
  T* checked() {
    PL_CHECK(state_.index() == 0);
    return &std::get<0>(state_);
  }
  std::variant<T, Error> state_;
};

/// Success, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }

  /// REQUIRES: !has_value().
  const Error& error() const {
    PL_CHECK(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

#define PL_JOIN_(a, b) a##b
#define PL_JOIN(a, b) PL_JOIN_(a, b)

/// `TRY(name, expression)`: declares `name` as the value, or returns the error.
#define TRY(name, ...)                                   \
  auto PL_JOIN(try_, __LINE__) = (__VA_ARGS__);          \
  if (!PL_JOIN(try_, __LINE__)) return PL_JOIN(try_, __LINE__).error(); \
  auto name = *std::move(PL_JOIN(try_, __LINE__))

/// `TRY_VOID(expression)`: returns the error if there is one.
#define TRY_VOID(...)                                             \
  do {                                                            \
    if (auto result_ = (__VA_ARGS__); !result_) return result_.error(); \
  } while (false)

}  // namespace pipelined
