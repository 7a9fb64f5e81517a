// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/mutex.h>
#include <cuvee/core/task.h>

#include <concepts>
#include <cstddef>

namespace cuvee::inline v0 {

/// Lets holders of a mutex wait until others have changed what it protects. Where a plain flag, a
/// count or a queue does, use `event`, `semaphore` or a queue.
class CUVEE_API condition {
 public:
  class wait_awaiter;

  condition() noexcept = default;
  condition(const condition&) = delete;
  condition& operator=(const condition&) = delete;

  /// Unlocks the mutex and waits for a notification; `lock` holds the mutex again when it returns,
  /// throws or is cancelled. What was waited for may have been undone by then: check it again.
  /// Errors: operation_not_permitted, from the call itself, if `lock` holds nothing; from the await, if
  /// another wait has given it up meanwhile.
  /// Cancel: safe, but confirmed only when the mutex is locked again. A notification that arrived
  /// before goes to the next who waits.
  [[nodiscard]] wait_awaiter wait(mutex_guard& lock);
  /// Waits until `ready()` is true, which is asked with the mutex held. Errors: also what `ready`
  /// throws.
  /// Cancel: the same.
  template <std::predicate Ready>
  [[nodiscard]] task<> wait(mutex_guard& lock, Ready ready);

  /// Wakes the `n` that have waited longest, or all if they are fewer. The mutex need not be held.
  void notify(std::size_t n = 1);
  /// Wakes all that wait now.
  void notify_all();

 private:
  detail::wait_list<wait_awaiter> waiting_;
};

class CUVEE_API condition::wait_awaiter : public detail::wait_node {
 public:
  wait_awaiter(condition& c, mutex_guard& lock);
  wait_awaiter(wait_awaiter&&) = default;  // before it starts
  /// A notification that nobody has seen, as in a `gather` that failed, must not be lost.
  ~wait_awaiter() { pass_on(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(waiter& w);
  bool await_cancel(waiter& w);
  bool await_must_resume() const noexcept { return !cancelled_; }
  void await_resume() noexcept { notified_ = false; }

 private:
  friend class condition;
  bool lock_again(waiter& w) noexcept;
  void notified();
  void pass_on();

  condition* condition_;
  mutex_guard* lock_;
  mutex* mutex_;
  mutex::line_node relock_;
  bool notified_ = false;  // and not resumed since
  bool cancelled_ = false;
};

inline condition::wait_awaiter condition::wait(mutex_guard& lock) {
  return wait_awaiter(*this, lock);
}

template <std::predicate Ready>
task<> condition::wait(mutex_guard& lock, Ready ready) {
  while (!ready()) co_await wait(lock);
}

}  // namespace cuvee::inline v0
