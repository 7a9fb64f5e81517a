// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>

#include <functional>

namespace cuvee::inline v0 {

namespace detail {

template <class A, class F, bool Always>
class try_finally_awaiter : combinator, timer_node {
 public:
  try_finally_awaiter(A&& body, F&& fn, duration limit)
      : timer_node(&on_timer), body_(std::move(body)), fn_(std::move(fn)), limit_(limit) {}
  try_finally_awaiter(try_finally_awaiter&& other)  // before it starts
      : timer_node(&on_timer),
        body_(std::move(other.body_)),
        fn_(std::move(other.fn_)),
        limit_(other.limit_) {}

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() { return body_.cancel_early() && !Always; }
  bool await_suspend(waiter& w) {
    parent = &w;
    home_ = this_scheduler;
    context_ = home_->context;
    child_ended = [](combinator& c, const std::exception_ptr* failure) {
      static_cast<try_finally_awaiter&>(c).on_end(failure);
    };
    starting_ = true;
    if (body_.state() == outcome::cancelled) clean_up();
    else body_.start(*this);
    starting_ = false;
    return !ended_;
  }
  bool await_cancel(waiter&) {
    if (!cleaning_) body_.cancel();
    return false;
  }
  void visit(visitor& v) {
    if (cleaning_) cleanup_.visit_block(v);
    else visit_body(body_, v);
  }
  bool await_must_resume() const noexcept {
    return body_.state() == outcome::completed || failures_;
  }
  auto await_resume() {
    if (failures_) std::rethrow_exception(failures_.combined());
    if constexpr (std::is_void_v<typename child<A>::result_type>) body_.take();
    else return body_.take();
  }

 private:
  void on_end(const std::exception_ptr* failure) {
    if (failure) failures_.add(*failure);
    if (!cleaning_) return clean_up();
    if (armed()) stop_timer(*home_, *this);
    if (cleanup_.state() == outcome::cancelled)
      failures_.add(failure_of<timeout_error>("clean up"));
    finish();
  }
  void clean_up() {
    cleaning_ = true;
    try {
      cleanup_.reset(call(fn_));
    } catch (...) {  // no memory for its frame
      failures_.add(std::current_exception());
      return finish();
    }
    shield_.up = context_;
    shield_.shield = true;
    context_switch as_our_task(*home_, &shield_);
    cleanup_.start(*this);
    if (limit_ != duration::max()) start_limit();
  }
  // Without memory for a timer it cleans up all the same.
  void start_limit() {
    try {
      start_timer(*home_, *this, limit_);
      shield_.deadline = at;
    } catch (...) {
      failures_.add(std::current_exception());
    }
  }
  // A frame of its own: inside a completion no foreign code may run, not even to make the awaitable.
  static task<> call(F& fn) { co_await std::invoke(fn); }
  void finish() {
    ended_ = true;
    if (!starting_) parent->complete();
  }
  static void on_timer(timer_node* n) { static_cast<try_finally_awaiter*>(n)->cleanup_.cancel(); }

  child<A> body_;
  F fn_;
  duration limit_;
  child<task<>> cleanup_;
  scope_node shield_;
  failure_list failures_;
  scheduler* home_ = nullptr;
  context_node* context_ = nullptr;
  bool starting_ = false;
  bool cleaning_ = false;
  bool ended_ = false;
};

inline constexpr duration cleanup_limit = std::chrono::seconds(10);

template <class A>
using awaited = std::remove_cvref_t<typename child<A>::result_type>;
template <class A, class F>
using used_for = typename std::invoke_result_t<F&, awaited<A>&>::value_type;

// What `use` throws before it gives a task comes out of the frame, where the resource is closed.
template <class F, class R>
auto use_resource(F& use, R& resource) -> typename std::invoke_result_t<F&, R&> {
  co_return co_await std::invoke(use, resource);
}

}  // namespace detail

/// Runs `body`, an awaitable, and then whatever became of it awaits `cleanup()`, shielded from cancellation for at
/// most `limit`. Not run if the task was cancelled before `body` began.
/// Returns: the value of `body`. Errors: its error, with one of the clean-up `suppressed` on it; that of the
/// clean-up alone; timeout_error if the clean-up took too long. Cancel: of the body; the clean-up follows.
template <class A, class F, class Rep = duration::rep, class Period = duration::period>
[[nodiscard]] auto try_finally(A body, F cleanup,
                               std::chrono::duration<Rep, Period> limit = detail::cleanup_limit) {
  static_assert(std::is_invocable_v<F&>,
                "the clean-up is a function: try_finally(body(), close), not (body(), close())");
  return detail::try_finally_awaiter<A, F, false>(std::move(body), std::move(cleanup),
                                                  detail::saturated(limit));
}

/// Awaits `acquire`, runs `use(resource)`, a task, and awaits `resource.close()`, shielded for at most 10 seconds, whatever
/// became of it: for things whose end must be awaited. Once acquired the resource is closed, also where the cancel
/// came before `use` began.
/// Returns: what `use` returns. Errors: as `try_finally`; those of `acquire`. Cancel: as `try_finally`.
template <class A, class F>
auto with_resource(A acquire, F use) -> task<detail::used_for<A, F>> {
  auto resource = co_await std::move(acquire);
  auto close = [&resource] { return resource.close(); };
  using block = detail::try_finally_awaiter<task<detail::used_for<A, F>>, decltype(close), true>;
  co_return co_await block(detail::use_resource(use, resource), std::move(close),
                           detail::cleanup_limit);
}

}  // namespace cuvee::inline v0
