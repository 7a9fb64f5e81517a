// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <exception>
#include <new>
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
                                   std::vector<std::exception_ptr> rest) noexcept;

/// An exception for those who cannot throw; where memory is short, that is what it says.
template <class E, class... Args>
std::exception_ptr failure_of(const Args&... args) noexcept {
  try {
    return std::make_exception_ptr(E(args...));
  } catch (...) {
    return std::current_exception();
  }
}

/// What several children threw.
class failure_list {
 public:
  explicit operator bool() const noexcept { return static_cast<bool>(first_); }
  /// Where memory is short, a later one is lost: children end inside completions, which cannot fail.
  void add(const std::exception_ptr& failure) noexcept {
    try {
      if (!first_) first_ = failure;
      else rest_.push_back(failure);
    } catch (const std::bad_alloc&) {
    }
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
