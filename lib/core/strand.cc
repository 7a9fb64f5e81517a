// SPDX-License-Identifier: MIT
#include <cuvee/core/strand.h>
#include <cuvee/core/task.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace cuvee::inline v0::detail {

namespace {
constexpr int deepest_cancel = 64;  // nested combinators told in one call; deeper ones are queued
}

void die(const char* why) noexcept {
  std::fprintf(stderr, "cuvee: %s\n", why);
  std::abort();
}

void strand::begin_on(scheduler& loop, const strand_kind& k) noexcept {
  home = &loop;
  context = home->context;
  kind = &k;
  state = strand_state::created;
  home->push(*this);
  if (home->watch) [[unlikely]]
    home->watch->spawned(*this);
}

void strand::end() {
  if (home->watch) [[unlikely]]
    home->watch->ending(*this);
  kind->ended(*this);
}

void strand::on_complete_checked(waiter* w) {
  auto& s = *static_cast<strand*>(w);
  if (!on_own_thread(*s.home))
    die("a task was woken from a thread that does not run its loop; use loop_ref::post");
  on_complete(w);
}

void strand::on_complete(waiter* w) {
  auto& s = *static_cast<strand*>(w);
  if (s.state == strand_state::suspended && !s.cancel_sent) [[likely]] {
    s.state = strand_state::ready;
    return s.home->push(s);
  }
  complete_unusually(s);
}

// Before the suspension was settled, or after a cancel.
void strand::complete_unusually(strand& s) {
  strand_state before = s.state;
  if (before != strand_state::suspended && before != strand_state::suspending &&
      before != strand_state::cancel_queued) [[unlikely]]
    die("an awaiter completed twice, or after it confirmed its cancellation");
  bool cancelled = s.cancel_sent && !s.ops->must_resume(s.awaiter);
  s.state = cancelled ? strand_state::unwinding : strand_state::ready;
  if (before != strand_state::cancel_queued) s.home->push(s);
}

void strand::cancel() {
  if (state == strand_state::done || state == strand_state::unwinding) return;
  cancel_requested = true;
  if (state == strand_state::suspended && !cancel_sent) deliver_cancel();
}

void strand::deliver_cancel() {
  if (home->cancel_depth > deepest_cancel) {
    state = strand_state::cancel_queued;
    home->push(*this);
    return;
  }
  cancel_sent = true;
  home->cancel_depth++;
  bool confirmed = ops->cancel(awaiter, *this);
  home->cancel_depth--;
  if (!confirmed) return;
  if (state != strand_state::suspended) die("an awaiter confirmed its cancellation and completed");
  state = strand_state::unwinding;
  home->push(*this);
}

void strand::run() {
  home->running = this;
  home->context = context;
  if (state == strand_state::ready) [[likely]]
    return step();
  switch (state) {
    case strand_state::created:
      if (cancel_requested) return unwind();
      if (kind->boot) {
        frame = kind->boot(*this);
        if (!frame) {
          state = strand_state::done;
          return end();
        }
      }
      return step();
    case strand_state::cancel_queued: state = strand_state::suspended; return deliver_cancel();
    case strand_state::unwinding: return unwind();
    default: die("a task that is not ready stands in the ready queue");
  }
}

void strand::step() {
  state = strand_state::running;
  cancel_sent = false;
  home->completions_left = completions_per_turn;
  frame.resume();
  while (home->next_frame) std::exchange(home->next_frame, {}).resume();
  if (state == strand_state::done) return end();
  if (state == strand_state::running) [[unlikely]]
    die("a coroutine neither suspended nor finished: g++ 12 skips bodies with co_await inside a "
        "condition; bind the result to a variable first");
}

// Iterative, innermost first: the stack may be small and the nesting deep.
void strand::unwind() {
  while (frame) {
    auto& promise = std::coroutine_handle<promise_base>::from_address(frame.address()).promise();
    task_link* link = promise.awaited_by;
    frame.destroy();
    if (!link) break;
    link->child = {};
    frame = link->parent;
  }
  frame = {};
  was_cancelled = true;
  state = strand_state::done;
  end();
}

}  // namespace cuvee::inline v0::detail
