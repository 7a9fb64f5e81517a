// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

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
  result(class error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// The failure. Precondition: `!has_value()`.
  const class error& error() const noexcept { return *std::get_if<1>(&state_); }

  /// The value; throws the error if there is none.
  T value() && {
    if (!has_value()) throw cuvee::error(error());
    if constexpr (!std::is_void_v<T>) return std::move(*std::get_if<0>(&state_));
  }
  /// The value, unchecked. Precondition: `has_value()`.
  stored_type& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const stored_type& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  stored_type* operator->() noexcept { return std::get_if<0>(&state_); }

 private:
  std::variant<stored_type, class error> state_;
};

}  // namespace cuvee::inline v0
