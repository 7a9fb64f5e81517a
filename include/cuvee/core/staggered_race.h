// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/race.h>
#include <cuvee/core/scheduler.h>

#include <functional>

namespace cuvee::inline v0 {

namespace detail {

template <class A>
class staggered_awaiter
    : public first_success<staggered_awaiter<A>, range_awaiter<staggered_awaiter<A>, A>>,
      timer_node {
  using base = first_success<staggered_awaiter, range_awaiter<staggered_awaiter, A>>;

 public:
  using value = stored<typename child<A>::result_type>;

  template <class R>
  staggered_awaiter(duration delay, R&& range)
      : base(std::move(range)), timer_node(&on_timer), delay_(delay), allowed_(this->size()) {}
  staggered_awaiter(staggered_awaiter&&) = default;  // before it starts

  // Only the first would start now: if it is a shield it does so, and no other.
  bool await_early_cancel() {
    allowed_ = 1;
    return this->nth(0).cancel_early();
  }
  bool await_cancel(waiter& w) {
    stop_timer(*this->home_, *this);
    return base::await_cancel(w);
  }
  race_result<value> await_resume() {
    std::size_t index = this->winner();
    return {index, this->nth(index).take(), std::move(this->failures_).all()};
  }

 private:
  friend combinator_awaiter<staggered_awaiter>;
  friend base;

  void start_children() {
    this->remember_context();
    advance(true);
  }
  void child_left() { advance(false); }
  /// Starts the next one if it is due or the newest has failed; then gives that one its time.
  void advance(bool due) {
    if (advancing_) return;  // an attempt that ends while it starts: the loop below goes on
    advancing_ = true;
    context_switch as_at_first(*this->home_, this->context_);
    bool started = false;
    while (!this->stopping && next_ < allowed_ && (due || failed(next_ - 1))) {
      due = false;
      started = true;
      this->start_child(this->nth(next_++));
    }
    advancing_ = false;
    if (this->stopping) leave_rest();
    if (started || this->stopping) stop_timer(*this->home_, *this);
    if (!started || this->stopping || next_ >= allowed_) return;
    try {
      start_timer(*this->home_, *this, delay_);
    } catch (...) {
      this->give_up(std::current_exception());
    }
  }
  // Nobody has forgotten to await those that never get their turn.
  void leave_rest() {
    while (next_ < this->size()) this->nth(next_++).cancel_early();
  }
  bool failed(std::size_t i) { return this->nth(i).state() == outcome::completed; }
  static void on_timer(timer_node* n) {
    auto& self = static_cast<staggered_awaiter&>(*n);
    self.pending++;  // an attempt that ends at once must not end the race under our feet
    self.advance(true);
    if (--self.pending == 0) self.parent->complete();
  }

  duration delay_;
  std::size_t allowed_;
  std::size_t next_ = 0;
  bool advancing_ = false;
};

/// The task that a callable makes, when its turn has come; keeps the callable.
template <class F, class T = typename std::invoke_result_t<F&>::value_type>
task<T> call_in_turn(F fn) {
  if constexpr (std::is_void_v<T>) co_await std::invoke(fn);
  else co_return co_await std::invoke(fn);
}

}  // namespace detail

/// Tries awaitables one after the other, as in Happy Eyeballs (RFC 8305): each is started `delay` after the
/// one before, or as soon as that one has failed. The first success wins; the others are cancelled and awaited.
/// Returns: `race_result` with the winner's position and value. Tasks may tie as in `race`.
/// Errors: if all of them fail, the first failure, later ones `suppressed` on it; invalid_argument for none.
/// Cancel: as its children; if one succeeded all the same, it has won.
template <class Rep, class Period, awaitable_range R>
[[nodiscard]] auto staggered_race(std::chrono::duration<Rep, Period> delay, R attempts) {
  return detail::staggered_awaiter<typename R::value_type>(
      detail::saturated(delay), detail::checked_contenders(attempts, "staggered_race"));
}

/// The same for a container of callables, each of which is called when its turn comes and returns a task.
/// They live as long as the expression.
template <class Rep, class Period, class R>
  requires detail::is_task<std::invoke_result_t<typename R::value_type&>>
[[nodiscard]] auto staggered_race(std::chrono::duration<Rep, Period> delay, R attempts) {
  using call = typename R::value_type;
  using value = typename std::invoke_result_t<call&>::value_type;
  std::vector<task<value>> tasks;
  for (call& fn : detail::checked_contenders(attempts, "staggered_race"))
    tasks.push_back(detail::call_in_turn<call>(std::move(fn)));
  return staggered_race(delay, std::move(tasks));
}

template <class Rep, class Period, class T>
void staggered_race(std::chrono::duration<Rep, Period>,
                    std::vector<task<T>>&) = delete;  // …(delay, std::move(attempts))

}  // namespace cuvee::inline v0
