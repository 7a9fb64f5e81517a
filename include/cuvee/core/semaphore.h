// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/held.h>
#include <cuvee/core/wait_list.h>

#include <cstddef>
#include <limits>
#include <optional>

namespace cuvee::inline v0 {

class semaphore_guard;

/// A number of permits that tasks of one loop take and give back, in the order of asking.
class CUVEE_API semaphore {
 public:
  class acquire_awaiter;
  class hold_awaiter;

  /// Errors: invalid_argument if `initial` is negative.
  explicit semaphore(std::ptrdiff_t initial)
      : semaphore(initial, std::numeric_limits<std::ptrdiff_t>::max()) {}
  /// A semaphore that never has more permits than at first. Errors: as the constructor.
  static semaphore bounded(std::ptrdiff_t initial) { return semaphore(initial, initial); }
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// Takes a permit, for `release` to give back. Cancel: safe, no permit is taken.
  [[nodiscard]] acquire_awaiter acquire() noexcept;
  /// The same. Returns: a guard that gives the permit back. Cancel: safe, no permit is taken.
  [[nodiscard]] hold_awaiter hold() noexcept;
  /// False if there is none.
  [[nodiscard]] bool try_acquire() noexcept;
  /// Returns: nothing if there is no permit.
  [[nodiscard]] std::optional<semaphore_guard> try_hold() noexcept;
  /// Errors: limit_exceeded if there would be too many, and invalid_argument if `n` is negative;
  /// nothing is released then.
  void release(std::ptrdiff_t n = 1);
  /// Permits that are there to take.
  std::ptrdiff_t value() const noexcept { return value_; }

 private:
  friend class semaphore_guard;
  class line_node;

  semaphore(std::ptrdiff_t initial, std::ptrdiff_t limit);
  void give_back();
  void serve();

  detail::wait_list<line_node> waiting_;
  std::ptrdiff_t value_;
  std::ptrdiff_t limit_;
};

/// Holds a permit until it is destroyed or released. Lifetime: the semaphore outlives it.
class [[nodiscard]] semaphore_guard {
 public:
  /// Holds nothing.
  semaphore_guard() noexcept = default;

  /// Errors: operation_not_permitted if it holds nothing.
  void release() { held_.give_back("release", "semaphore"); }
  bool owns_permit() const noexcept { return held_.owner() != nullptr; }

 private:
  friend class semaphore;
  explicit semaphore_guard(semaphore& s) noexcept : held_(s) {}

  detail::held<semaphore, &semaphore::give_back> held_;
};

/// The permit lies here from the moment it is granted, so an awaiter that is dropped then gives it
/// back.
class semaphore::line_node : public detail::wait_node {
 public:
  explicit line_node(semaphore& s) noexcept : semaphore_(&s) {}

  bool await_ready() noexcept {
    if (!semaphore_->try_acquire()) return false;
    guard_ = semaphore_guard(*semaphore_);
    return true;
  }
  void await_suspend(waiter& w) noexcept { semaphore_->waiting_.add(*this, w); }

 protected:
  friend class semaphore;
  semaphore* semaphore_;
  semaphore_guard guard_;
};

class semaphore::acquire_awaiter : public semaphore::line_node {
 public:
  using line_node::line_node;
  void await_resume() noexcept { guard_.held_.release(); }
};

class [[gnu::warn_unused]] semaphore::hold_awaiter : public semaphore::line_node {
 public:
  using line_node::line_node;
  semaphore_guard await_resume() noexcept { return std::move(guard_); }
};

inline semaphore::acquire_awaiter semaphore::acquire() noexcept { return acquire_awaiter(*this); }
inline semaphore::hold_awaiter semaphore::hold() noexcept { return hold_awaiter(*this); }

inline bool semaphore::try_acquire() noexcept {
  if (value_ == 0 || !waiting_.empty()) return false;
  value_--;
  return true;
}

inline std::optional<semaphore_guard> semaphore::try_hold() noexcept {
  if (!try_acquire()) return {};
  return semaphore_guard(*this);
}

}  // namespace cuvee::inline v0
