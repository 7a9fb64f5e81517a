// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/scheduler.h>

#include <coroutine>
#include <cstdint>

namespace cuvee::inline v0::detail {

enum class strand_state : std::uint8_t {
  created,  // queued for its first step
  ready,    // queued to go on
  running,
  suspending,  // inside await_suspend: a cancel only leaves its mark
  suspended,
  cancel_queued,  // a cancel too deep in nested combinators to be told at once
  unwinding,      // queued to be destroyed, innermost frame first
  done
};

struct strand_kind {
  void (*ended)(strand&);                     // last call: may free the strand
  std::coroutine_handle<> (*boot)(strand&);   // makes the first frame; null: `frame` is set already
  bool (*failed)(const strand&);              // asked right before `ended`
  const std::string* (*name)(const strand&);  // null: it has none
};

/// The schedulable unit, asyncio's Task: one per root, group child and task child of a combinator.
/// A `task` frame awaited inside belongs to its strand. The layout depends on no macro.
struct CUVEE_API strand : waiter {
  strand_state state = strand_state::created;
  bool cancel_requested = false;
  bool cancel_sent = false;  // the awaiter in progress has been asked
  bool was_cancelled = false;
  std::coroutine_handle<> frame;  // innermost; valid while not running
  void* awaiter = nullptr;
  const awaiter_ops* ops = nullptr;
  scheduler* home = nullptr;
  const strand_kind* kind = nullptr;
  context_node* context = nullptr;  // inherited from whoever started it

  strand() noexcept : waiter(&on_complete) {}

  void begin(const strand_kind& k) noexcept { begin_on(*this_scheduler, k); }
  void begin_on(scheduler& loop, const strand_kind& k) noexcept;
  /// Marks, tells the awaiter, queues. Never runs user code, never destroys.
  void cancel();
  /// One turn on the ready queue.
  void run();
  /// Debug mode: dies when something completes it on another thread than its loop's.
  void check_thread_on_completion() noexcept { complete_ = &on_complete_checked; }
  void unwind_from(std::coroutine_handle<> innermost) noexcept {
    frame = innermost;
    state = strand_state::unwinding;
    home->push(*this);
  }

 private:
  friend struct suspension;
  static void on_complete(waiter* w);
  static void on_complete_checked(waiter* w);
  static void complete_unusually(strand& s);
  void end();
  void deliver_cancel();
  void step();
  void unwind();
};
static_assert(sizeof(strand) <= 72);

[[noreturn]] CUVEE_API void die(const char* why) noexcept;

/// The part of suspending in a leaf that does not depend on its type.
struct suspension {
  static void yield(strand& s) noexcept {
    s.state = strand_state::ready;
    s.home->push(s);
    if (s.home->on_suspend) [[unlikely]]
      s.home->on_suspend(*s.home, s);
  }
  /// Called after the awaiter has said "suspended"; it may have completed already.
  static void settle(strand& s) noexcept {
    if (s.state == strand_state::suspending) {
      s.state = strand_state::suspended;
      if (s.cancel_requested && !s.cancel_sent) [[unlikely]]
        s.deliver_cancel();
    }
    if (s.home->on_suspend) [[unlikely]]
      s.home->on_suspend(*s.home, s);
  }
  static void failed_at_once(strand& s) noexcept {
    if (s.state != strand_state::suspending && s.state != strand_state::running)
      die("an awaiter threw although it had completed");
    s.state = strand_state::running;
    s.cancel_sent = false;
  }
  /// The awaiter completed inside await_suspend. True: stay suspended all the same.
  template <class A>
  static bool completed_at_once(strand& s, A& a) noexcept {
    if (s.cancel_sent && !awaiter_must_resume(a)) {
      s.unwind_from(s.frame);
      return true;
    }
    s.state = strand_state::running;
    s.cancel_sent = false;
    if (--s.home->completions_left > 0) [[likely]]
      return false;
    yield(s);
    return true;
  }
};

/// What `co_await` of anything but a task becomes.
template <class A>
struct leaf_awaiter {
  static_assert(
      requires(A& a) { a.await_ready(), a.await_resume(); },
      "co_await takes a task or another awaitable; sleep(5) is POSIX's, sleep(5s) is ours");

  A& inner;
  strand& owner;
  bool yielding = false;

  bool await_ready() {
    if (owner.cancel_requested) [[unlikely]]
      return false;
    if (!inner.await_ready()) return false;
    if (--owner.home->completions_left > 0) [[likely]]
      return true;
    yielding = true;  // ready, but others must get their turn; never ask it again
    return false;
  }

  // Not inlined: it would grow every coroutine by the rare cases.
  template <class Promise>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<Promise> h) noexcept(quiet) {
    strand& s = owner;
    s.frame = h;
    if (yielding) {
      suspension::yield(s);
      return true;
    }
    s.awaiter = &inner;
    s.ops = &ops_of<A>;
    if (s.cancel_requested) [[unlikely]] {
      if (early_cancel_awaiter(inner)) {
        s.unwind_from(h);
        return true;
      }
      s.cancel_sent = true;
      if (attempt([&] { return inner.await_ready(); }))
        return suspension::completed_at_once(s, inner);
    }
    s.state = strand_state::suspending;
    if (!attempt([&] { return suspend_awaiter(inner, s); }))
      return suspension::completed_at_once(s, inner);
    suspension::settle(s);
    return true;
  }

  decltype(auto) await_resume() { return inner.await_resume(); }

 private:
  static constexpr bool quiet = noexcept(std::declval<A&>().await_ready()) && suspends_quietly<A>();

  /// What the awaiter throws comes out of the co_await.
  template <class F>
  bool attempt(F begin) noexcept(quiet) {
    if constexpr (quiet) {
      return begin();
    } else {
      try {
        return begin();
      } catch (...) {
        suspension::failed_at_once(owner);
        throw;
      }
    }
  }
};

}  // namespace cuvee::inline v0::detail
