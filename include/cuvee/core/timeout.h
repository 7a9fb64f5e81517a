// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>

#include <new>

namespace cuvee::inline v0 {

namespace detail {

enum class on_expiry { fail, give_up };

/// How long, or until when in nanoseconds of the loop's clock.
struct time_limit {
  duration length;
  bool absolute = false;
};
[[noreturn]] CUVEE_API void throw_timed_out(time_limit limit);

template <class A, on_expiry Mode>
class timeout_awaiter : combinator, timer_node, scope_around<A> {
 public:
  timeout_awaiter(time_limit limit, A&& a)
      : timer_node(&on_timer), child_(std::move(a)), limit_(limit) {}
  timeout_awaiter(timeout_awaiter&&) = default;  // before it starts

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() { return child_.cancel_early(); }
  bool await_suspend(waiter& w) {
    parent = &w;
    pending = 2;
    home_ = this_scheduler;
    child_ended = [](combinator& c, const std::exception_ptr*) {
      auto& self = static_cast<timeout_awaiter&>(c);
      stop_timer(*self.home_, self);
      if (--self.pending == 0) self.parent->complete();
    };
    start_under<A>(*this, child_, *this);
    if (--pending == 0) return false;
    try {
      start_limit();
    } catch (const std::bad_alloc&) {
      unlimited_ = true;
      child_.cancel();
    }
    return true;
  }
  bool await_cancel(waiter&) {
    return cancel_by([&] { child_.cancel(); }, *this);
  }
  bool await_must_resume() { return child_.state() == outcome::completed; }
  void visit(visitor& v) { visit_body(child_, v); }

  auto await_resume() {
    using value = stored<typename child<A>::result_type>;
    bool expired = child_.state() == outcome::cancelled;
    if (expired && unlimited_) throw std::bad_alloc();
    if constexpr (Mode == on_expiry::give_up) {
      return expired ? std::optional<value>() : std::optional<value>(child_.take());
    } else {
      if (expired) throw_timed_out(limit_);
      if constexpr (std::is_void_v<typename child<A>::result_type>) child_.take();
      else return child_.take();
    }
  }

 private:
  void start_limit() {
    // A limit that has passed already beats any timer the child starts.
    if (limit_.length <= duration::zero()) start_timer_at(*home_, *this, 0);
    else if (limit_.absolute) start_timer_at(*home_, *this, std::uint64_t(limit_.length.count()));
    else start_timer(*home_, *this, limit_.length);
    if constexpr (runs_tasks<A>) this->deadline = at;
  }
  static void on_timer(timer_node* n) {
    auto& self = *static_cast<timeout_awaiter*>(n);
    if constexpr (runs_tasks<A>) self.cancelled = true;
    self.child_.cancel();
  }

  child<A> child_;
  time_limit limit_;
  scheduler* home_ = nullptr;
  bool unlimited_ = false;  // no memory for the timer
};

}  // namespace detail

/// Gives an awaitable a time limit. At the limit it is cancelled and awaited: what it needs to clean up
/// delays the return; if it completes all the same, its value is returned.
/// Errors: timeout_error; those of the awaitable.
/// Cancel: as the awaitable.
template <class Rep, class Period, class A>
[[nodiscard]] auto timeout(std::chrono::duration<Rep, Period> limit, A awaitable) {
  return detail::timeout_awaiter<A, detail::on_expiry::fail>({detail::saturated(limit)},
                                                             std::move(awaitable));
}
/// The same until a moment of the loop's clock.
template <class A>
[[nodiscard]] auto timeout_at(time_point when, A awaitable) {
  return detail::timeout_awaiter<A, detail::on_expiry::fail>({when.time_since_epoch(), true},
                                                             std::move(awaitable));
}

/// The same, without an error. Returns: an optional, empty if the limit cut the awaitable short.
/// Errors: those of the awaitable. Cancel: as the awaitable.
template <class Rep, class Period, class A>
[[nodiscard]] auto move_on_after(std::chrono::duration<Rep, Period> limit, A awaitable) {
  return detail::timeout_awaiter<A, detail::on_expiry::give_up>({detail::saturated(limit)},
                                                                std::move(awaitable));
}
/// The same until a moment of the loop's clock.
template <class A>
[[nodiscard]] auto move_on_at(time_point when, A awaitable) {
  return detail::timeout_awaiter<A, detail::on_expiry::give_up>({when.time_since_epoch(), true},
                                                                std::move(awaitable));
}

}  // namespace cuvee::inline v0
