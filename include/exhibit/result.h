#pragma once
// What an operation gives back when it can fail, and the three channels of errors (DESIGN.md, "Errors"):
// Result<T> for 'cannot do what you asked', Reporter for 'damaged here, went on', EXHIBIT_CHECK for our own bugs.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace exhibit {

// The names are those of a problem record's `cause` where one exists there (findings.md).
enum class ErrorCode {
  io_error,          // the operating system refused a read or a write
  corrupt,           // the data contradict their own format
  unsupported,       // a format or feature that Exhibit doesn't read
  encrypted,         // readable only with a key that wasn't given
  not_found,         // a file, an item or a key that was named isn't there
  invalid_argument,  // the caller's or the user's words are off
  ambiguous,         // more than one format claims the data
  timeout,
  crash,
  memory_limit,
  depth_limit,
  size_limit,
  interrupted,
  internal,
};

// `io-error`, `corrupt`, … as records and messages spell it.
const char* name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;                  // one line: what is wrong and what to do
  std::string where;                    // the id or the base name of the place; may be empty
  std::optional<std::uint64_t> offset;  // bytes within `where`
};

// A value or an Error. Never both, never neither.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  // Not of a yes or no: in a condition it would say that there is an answer, where a reader sees which.
  explicit operator bool() const requires(!std::is_same_v<T, bool>) { return ok(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T take() { return std::move(std::get<0>(state_)); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(state_); }
  Error take_error() { return std::move(std::get<1>(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void take() const {}
  const Error& error() const { return *error_; }
  Error take_error() { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace exhibit

// Yields the value of a Result, or returns its Error from the enclosing function. __COUNTER__ keeps nested uses apart.
#define EXHIBIT_TRY(expression) EXHIBIT_TRY_NAMED(expression, __COUNTER__)
#define EXHIBIT_TRY_NAMED(expression, number) EXHIBIT_TRY_GLUED(expression, number)
#define EXHIBIT_TRY_GLUED(expression, number) EXHIBIT_TRY_AS(expression, exhibit_try_result_##number)
#define EXHIBIT_TRY_AS(expression, result)        \
  __extension__({                                 \
    auto result = (expression);                   \
    if (!result.ok()) return result.take_error(); \
    result.take();                                \
  })

// Our own bug: the process dies. Never used on what evidence or a user says.
#define EXHIBIT_CHECK(condition)                                                                     \
  do {                                                                                               \
    if (!(condition)) {                                                                              \
      std::fprintf(stderr, "exhibit: internal error: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                                  \
    }                                                                                                \
  } while (false)
