// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/waiter.h>

namespace cuvee::inline v0 {

/// A flag that tasks wait for. `set` wakes everyone who waits, even if `clear` follows at once.
class event {
 public:
  class wait_awaiter;

  event() noexcept = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Cancel: safe, at once.
  [[nodiscard]] wait_awaiter wait() noexcept;
  inline void set();
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

 private:
  detail::list<wait_awaiter> waiters_;
  bool set_ = false;
};

class event::wait_awaiter : detail::list_node {
 public:
  explicit wait_awaiter(event& e) noexcept : event_(&e) {}

  bool await_ready() const noexcept { return event_->set_; }
  void await_suspend(waiter& w) noexcept {
    waiter_ = &w;
    event_->waiters_.push_back(*this);
  }
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  friend class event;
  friend detail::list<wait_awaiter>;
  event* event_;
  waiter* waiter_ = nullptr;
};

inline event::wait_awaiter event::wait() noexcept { return wait_awaiter(*this); }

inline void event::set() {
  set_ = true;
  // From the front each time: a completion may unlink siblings of the same list.
  while (wait_awaiter* a = waiters_.pop_front()) a->waiter_->complete();
}

}  // namespace cuvee::inline v0
