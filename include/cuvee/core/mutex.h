// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/held.h>
#include <cuvee/core/wait_list.h>

#include <optional>

namespace cuvee::inline v0 {

class mutex_guard;

/// Mutual exclusion among tasks of one loop, for what must hold over a `co_await`; between awaits
/// none is needed, and among threads it does not serve. Whoever unlocks hands it to the one that
/// has waited longest, so nobody barges in. A task that locks it twice waits for ever.
class mutex {
 public:
  class lock_awaiter;

  mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  /// Returns: a guard that unlocks when it is destroyed. Cancel: safe, no lock is taken.
  [[nodiscard]] lock_awaiter lock() noexcept;
  /// Returns: nothing if it is locked.
  [[nodiscard]] std::optional<mutex_guard> try_lock() noexcept;
  bool locked() const noexcept { return locked_; }

 private:
  friend class condition;
  friend class mutex_guard;
  struct line_node : detail::wait_node {
    mutex_guard* into = nullptr;
  };

  bool lock_now(mutex_guard& into) noexcept;
  void lock_later(line_node& node, mutex_guard& into, waiter& w) noexcept;
  void unlock();

  detail::wait_list<line_node> waiting_;
  bool locked_ = false;
};

/// Holds a `mutex` until it is destroyed or unlocked. Lifetime: the mutex outlives it.
class [[nodiscard]] mutex_guard {
 public:
  /// Holds nothing.
  mutex_guard() noexcept = default;

  /// Errors: operation_not_permitted if it holds nothing.
  void unlock() { held_.give_back("unlock", "mutex"); }
  bool owns_lock() const noexcept { return held_.owner() != nullptr; }

 private:
  friend class condition;
  friend class mutex;
  explicit mutex_guard(mutex& m) noexcept : held_(m) {}

  detail::held<mutex, &mutex::unlock> held_;
};

/// The guard lies here from the moment of the handover, so an awaiter that is dropped then unlocks.
class [[gnu::warn_unused]] mutex::lock_awaiter : public mutex::line_node {
 public:
  explicit lock_awaiter(mutex& m) noexcept : mutex_(&m) {}

  bool await_ready() noexcept { return mutex_->lock_now(guard_); }
  void await_suspend(waiter& w) noexcept { mutex_->lock_later(*this, guard_, w); }
  mutex_guard await_resume() noexcept { return std::move(guard_); }

 private:
  mutex* mutex_;
  mutex_guard guard_;
};

inline mutex::lock_awaiter mutex::lock() noexcept { return lock_awaiter(*this); }

inline std::optional<mutex_guard> mutex::try_lock() noexcept {
  std::optional<mutex_guard> guard(std::in_place);
  if (!lock_now(*guard)) guard.reset();
  return guard;
}

inline bool mutex::lock_now(mutex_guard& into) noexcept {
  if (locked_) return false;
  locked_ = true;
  into = mutex_guard(*this);
  return true;
}

inline void mutex::lock_later(line_node& node, mutex_guard& into, waiter& w) noexcept {
  node.into = &into;
  waiting_.add(node, w);
}

inline void mutex::unlock() {
  line_node* next = waiting_.take();
  locked_ = next != nullptr;
  if (!next) return;
  *next->into = mutex_guard(*this);
  next->waiting->complete();
}

}  // namespace cuvee::inline v0
