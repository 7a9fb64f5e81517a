// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace cuvee::inline v0 {

/// A value or the error that took its place. `co_await as_result(operation)` gives one.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;
  using stored_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  result()
    requires std::is_default_constructible_v<stored_type>
      : state_(std::in_place_index<0>) {}
  result(stored_type value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(class error failure) : state_(std::in_place_index<1>, std::move(failure), nullptr) {}
  /// What was caught, of any type: `error()` describes it (see `as_error`), `value()` throws it as it was.
  static result caught(std::exception_ptr thrown) {
    result r(as_error(thrown));
    std::get_if<1>(&r.state_)->thrown = std::move(thrown);
    return r;
  }

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// The failure. Precondition: `!has_value()`.
  const class error& error() const noexcept { return std::get_if<1>(&state_)->error; }

  /// The value; throws the error if there is none.
  T value() && {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(*std::get_if<0>(&state_));
  }
  std::add_lvalue_reference_t<T> value() & {
    check();
    if constexpr (!std::is_void_v<T>) return *std::get_if<0>(&state_);
  }
  std::add_lvalue_reference_t<const T> value() const& {
    check();
    if constexpr (!std::is_void_v<T>) return *std::get_if<0>(&state_);
  }
  /// The value, unchecked. Precondition: `has_value()`.
  stored_type& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const stored_type& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  stored_type* operator->() noexcept { return std::get_if<0>(&state_); }

 private:
  struct failure {
    failure(class error&& e, std::exception_ptr t) : error(std::move(e)), thrown(std::move(t)) {}
    class error error;
    std::exception_ptr thrown;  // null where nothing was
  };

  void check() const {
    const failure* f = std::get_if<1>(&state_);
    if (!f) return;
    if (f->thrown) std::rethrow_exception(f->thrown);
    throw cuvee::error(f->error);
  }

  std::variant<stored_type, failure> state_;
};

}  // namespace cuvee::inline v0
