// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/scheduler.h>
#include <cuvee/core/waiter.h>

namespace cuvee::inline v0 {

namespace detail {

class sleep_awaiter : timer_node {
 public:
  explicit sleep_awaiter(duration length) noexcept : timer_node(&on_timer), length_(length) {}

  bool await_ready() noexcept { return false; }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    home_ = &require_scheduler();
    start_timer(*home_, *this, length_);
  }
  bool await_cancel(waiter&) noexcept {
    stop_timer(*home_, *this);
    return true;
  }
  void await_resume() noexcept {}

 private:
  static void on_timer(timer_node* n) { static_cast<sleep_awaiter*>(n)->waiter_->complete(); }

  duration length_;
  waiter* waiter_ = nullptr;
  scheduler* home_ = nullptr;
};

class sleep_until_awaiter : timer_node {
 public:
  explicit sleep_until_awaiter(time_point when) noexcept : timer_node(&on_timer), when_(when) {}

  bool await_ready() noexcept { return false; }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    home_ = &require_scheduler();
    auto at = when_.time_since_epoch().count();
    start_timer_at(*home_, *this, at < 0 ? 0 : static_cast<std::uint64_t>(at));
  }
  bool await_cancel(waiter&) noexcept {
    stop_timer(*home_, *this);
    return true;
  }
  void await_resume() noexcept {}

 private:
  static void on_timer(timer_node* n) { static_cast<sleep_until_awaiter*>(n)->waiter_->complete(); }

  time_point when_;
  waiter* waiter_ = nullptr;
  scheduler* home_ = nullptr;
};

class checkpoint_awaiter {
 public:
  bool await_ready() noexcept { return false; }
  void await_suspend(waiter& w) { w.complete(); }
  void await_resume() noexcept {}
};

class forever_awaiter {
 public:
  bool await_ready() noexcept { return false; }
  void await_suspend(waiter&) {
    home_ = &require_scheduler();
    hold_loop(*home_, +1);
  }
  bool await_cancel(waiter&) noexcept {
    hold_loop(*home_, -1);
    return true;
  }
  void await_resume() noexcept {}

 private:
  scheduler* home_ = nullptr;
};

}  // namespace detail

/// Suspends the task for at least `length`; never wakes early. Equal deadlines wake in start order. Zero or
/// less: until the next turn of the loop; beyond 146 years: for ever.
/// Errors: invalid_argument for NaN. Cancel: safe, at once.
template <class Rep, class Period>
[[nodiscard]] auto sleep(std::chrono::duration<Rep, Period> length) {
  return detail::sleep_awaiter(detail::saturated(length));
}

/// Suspends the task until a moment of the loop's clock (`loop::now`). Cancel: safe, at once.
[[nodiscard]] inline auto sleep_until(time_point when) { return detail::sleep_until_awaiter(when); }

/// Lets every other task that is ready run first. Cancel: a pending cancel is delivered here.
[[nodiscard]] inline auto checkpoint() { return detail::checkpoint_awaiter(); }

/// Suspends until cancelled; the loop does not take it for a deadlock. Cancel: safe, at once.
[[nodiscard]] inline auto forever() { return detail::forever_awaiter(); }

}  // namespace cuvee::inline v0
