// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/quiet_watch.h>
#include <cuvee/core/waiter.h>

#include <algorithm>

namespace cuvee::inline v0::testing {

namespace detail {

class blocked_awaiter : cuvee::detail::quiet_watch {
 public:
  explicit blocked_awaiter(duration length) noexcept : quiet_watch(&on_quiet) {
    cushion = std::max(length, duration::zero());
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    cuvee::detail::watch_quiet(cuvee::detail::require_scheduler(), *this);
  }
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  static void on_quiet(quiet_watch& w) { static_cast<blocked_awaiter&>(w).waiter_->complete(); }

  waiter* waiter_ = nullptr;
};

}  // namespace detail

/// Waits until every other task of the loop is blocked: none can run, nothing has come in from outside, and
/// nothing has happened for `cushion` of real time. The others have then done all they can, so a test need not
/// guess how many turns that takes. A task that sleeps is blocked, and so is one that waits here; one that waits
/// for a thread or for another loop is not, since it goes on by itself. Give a cushion where tasks talk over
/// sockets, whose data takes a moment to arrive. Of several tasks that wait here those with the shortest
/// cushion go on first. A virtual clock does not move meanwhile.
/// For a loop inside `run`; as a guest of another event loop it would wait for ever.
/// Cancel: safe, at once.
[[nodiscard]] inline auto wait_all_tasks_blocked() noexcept {
  return detail::blocked_awaiter(duration::zero());
}
template <class Rep, class Period>
[[nodiscard]] auto wait_all_tasks_blocked(std::chrono::duration<Rep, Period> cushion) {
  return detail::blocked_awaiter(cuvee::detail::saturated(cushion));
}

}  // namespace cuvee::inline v0::testing
