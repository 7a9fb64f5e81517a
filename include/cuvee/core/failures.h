// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <exception>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

/// The failures that a `gather`, `any_of` or group met after `first`, which it threw; in the order
/// they happened. Inside a `catch` block, call it without an argument.
/// Lifetime: kept for the last 64 such errors of the thread.
CUVEE_API std::vector<std::exception_ptr> suppressed(
    const std::exception_ptr& first = std::current_exception());

namespace detail {

CUVEE_API void remember_suppressed(const std::exception_ptr& first,
                                   std::vector<std::exception_ptr> rest);

/// What several children threw.
class failure_list {
 public:
  explicit operator bool() const noexcept { return static_cast<bool>(first_); }
  void add(const std::exception_ptr& failure) {
    if (!first_) first_ = failure;
    else rest_.push_back(failure);
  }
  /// All of them, in the order they happened.
  std::vector<std::exception_ptr> all() && {
    if (first_) rest_.insert(rest_.begin(), std::exchange(first_, nullptr));
    return std::move(rest_);
  }
  /// The first as it was thrown, with the later ones suppressed on it.
  const std::exception_ptr& combined() {
    if (!rest_.empty()) remember_suppressed(first_, std::exchange(rest_, {}));
    return first_;
  }

 private:
  std::exception_ptr first_;
  std::vector<std::exception_ptr> rest_;
};

}  // namespace detail
}  // namespace cuvee::inline v0
