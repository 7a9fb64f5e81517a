// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/wait_list.h>

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
  void set() {
    set_ = true;
    waiting_.wake_all();
  }
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

 private:
  detail::wait_list<> waiting_;
  bool set_ = false;
};

class event::wait_awaiter : public detail::wait_node {
 public:
  explicit wait_awaiter(event& e) noexcept : event_(&e) {}

  bool await_ready() const noexcept { return event_->set_; }
  void await_suspend(waiter& w) noexcept { event_->waiting_.add(*this, w); }
  void await_resume() const noexcept {}

 private:
  event* event_;
};

inline event::wait_awaiter event::wait() noexcept { return wait_awaiter(*this); }

}  // namespace cuvee::inline v0
