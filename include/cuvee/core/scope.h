// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>

#include <functional>

namespace cuvee::inline v0 {

namespace detail {
template <class F>
class scope_awaiter;
}

/// What a `scope` block hands to its body, and to whoever may cut it short. All of it may be used by other tasks
/// while the block runs. A scope made outside lives longer than its block and tells afterwards how it ended.
class CUVEE_API cancel_scope : detail::timer_node, detail::scope_node {
 public:
  cancel_scope() noexcept : timer_node(&on_timer) {}
  cancel_scope(const cancel_scope&) = delete;
  cancel_scope& operator=(const cancel_scope&) = delete;

  /// Cancels the body; the task goes on after the block. Only the first reason counts.
  void cancel(std::string reason = {},
              std::source_location where = std::source_location::current());
  /// Moves the deadline; one that has passed cancels on the next turn. What was cancelled stays so.
  void set_deadline(time_point when);
  template <class Rep, class Period>
  void expire_after(std::chrono::duration<Rep, Period> length) {
    expire_in(detail::saturated(length));
  }
  void clear_deadline() { set_deadline(time_point::max()); }
  /// `time_point::max()` if there is none.
  time_point deadline() const noexcept;
  /// While on, a cancel from outside the block waits; it is delivered when the shield is taken away.
  void set_shield(bool on);
  bool shielded() const noexcept { return shield; }

  bool cancel_called() const noexcept { return cancelled; }
  /// The deadline was what cancelled it.
  bool expired() const noexcept { return expired_; }
  /// The body was cut short, and the cancel ended here.
  bool absorbed() const noexcept { return absorbed_; }
  /// Null until `cancel` or the deadline.
  const cancel_reason* why() const noexcept { return reason.get(); }

 private:
  template <class F>
  friend class detail::scope_awaiter;

  static void on_timer(timer_node* n);
  void expire_in(duration length);
  void arm(detail::scheduler& home);
  void rearm();
  void enter(detail::strand& body);
  void leave(bool body_cancelled) noexcept;
  void outer_cancel();

  detail::strand* body_ = nullptr;  // while the block runs
  detail::scheduler* home_ = nullptr;
  bool expired_ = false;
  bool absorbed_ = false;
  bool outer_asked_ = false;
  bool outer_sent_ = false;  // the body was cancelled from outside, so the cancel does not end here
};

namespace detail {

template <class F>
class scope_awaiter : combinator {
  static_assert(makes_task<F&, cancel_scope&>,
                "scope takes a coroutine `[](cancel_scope& s) -> task<T> { … }`");

 public:
  using value = typename std::invoke_result_t<F&, cancel_scope&>::value_type;

  scope_awaiter(cancel_scope* scope, F&& body) : scope_(scope), body_(std::move(body)) {}
  scope_awaiter(scope_awaiter&& other)  // before it starts
      : scope_(other.scope_), body_(std::move(other.body_)) {}

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() noexcept {
    if (!scope_ || !scope_->shield || scope_->body_) return true;
    scope_->outer_asked_ = true;
    return false;
  }
  bool await_suspend(waiter& w) {
    parent = &w;
    child_ended = [](combinator& c, const std::exception_ptr*) {
      auto& self = static_cast<scope_awaiter&>(c);
      self.scope_->leave(self.child_.state() == outcome::cancelled);
      self.parent->complete();
    };
    try {
      if (!scope_) scope_ = &own_.emplace();
      if (scope_->body_) throw error(errc::busy, "enter", "scope", "it has been entered already");
      child_.reset(body_(*scope_));
      scope_->arm(*this_scheduler);
    } catch (...) {  // nothing runs yet
      failure_ = std::current_exception();
      return false;
    }
    child_.start(*this);
    scope_->enter(child_);
    return true;
  }
  bool await_cancel(waiter&) {
    scope_->outer_cancel();
    return false;
  }
  bool await_must_resume() const noexcept {
    return child_.state() != outcome::cancelled || scope_->absorbed();
  }
  void visit(visitor& v) { child_.visit_block(v); }
  std::optional<stored<value>> await_resume() {
    if (failure_) std::rethrow_exception(failure_);
    if (child_.state() == outcome::cancelled) return {};
    return child_.take();
  }

 private:
  cancel_scope* scope_;
  F body_;
  std::optional<cancel_scope> own_;
  child<task<value>> child_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// Runs `body(cancel_scope&)`, a `task<T>`, as a block that can be cut short: by `cancel`, by its deadline, from
/// inside or by another task. The frames inside are then destroyed, innermost first, and the task goes on after the
/// block. `body` lives as long as the block.
/// Returns: an optional, empty if the block was cut short. Errors: those of the body; busy.
/// Cancel: passed on to the body, unless the scope is shielded.
template <class F>
[[nodiscard]] auto scope(F body) {
  return detail::scope_awaiter<F>(nullptr, std::move(body));
}
/// The same in a scope of the caller's, which may be cancelled, shielded or given a deadline before. Not
/// reusable after a cancel. Lifetime: `in` outlives the block.
template <class F>
[[nodiscard]] auto scope(cancel_scope& in, F body) {
  return detail::scope_awaiter<F>(&in, std::move(body));
}

}  // namespace cuvee::inline v0
