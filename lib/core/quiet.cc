// SPDX-License-Identifier: MIT
#include "loop_state.h"

#include <algorithm>

namespace cuvee::inline v0::detail {

void watch_quiet(scheduler& s, quiet_watch& watch) noexcept {
  loop_state& l = loop_state::of(s);
  l.quiet_watches.push_back(watch);
  l.stop_polling();  // the loop must come back and look
}

// Something real may still be on its way. libuv fires up to a millisecond early, hence the clock.
bool loop_state::stay_quiet(duration quiet) {
  std::uint64_t before = turns;
  std::uint64_t end = uv_hrtime() + static_cast<std::uint64_t>(quiet.count());
  for (std::uint64_t t = uv_hrtime(); turns == before && t < end; t = uv_hrtime()) {
    // The timer may be due before libuv polls, which without uv_stop would then wait for ever.
    uv_timer_start(
        &timer, [](uv_timer_t* h) { uv_stop(h->loop); }, (end - t + ns_per_ms - 1) / ns_per_ms, 0);
    poll(UV_RUN_ONCE);
  }
  uv_timer_stop(&timer);
  armed_ms = never;
  arm_timer();
  return turns == before;
}

void loop_state::step_quiet() {
  std::uint64_t before = turns;
  uv_ref(uv::as_handle(&wake));  // else libuv may not look for posts
  poll(UV_RUN_NOWAIT);
  if (turns == before && !ready_head) {
    if (pool_requests != 0) poll(UV_RUN_ONCE);
    else await_quiet();
  }
  if (remote_waits == 0) uv_unref(uv::as_handle(&wake));
}

// The shortest cushion first: those it wakes are an event for the others.
void loop_state::await_quiet() {
  duration cushion = duration::max();
  quiet_watches.for_each([&](quiet_watch& w) { cushion = std::min(cushion, w.cushion); });
  if (cushion > duration::zero()) {
    bool timer_first = !virtual_clock && !timers.empty() &&
                       timers.next_deadline() < now() + static_cast<std::uint64_t>(cushion.count());
    if (timer_first) return poll(UV_RUN_ONCE);
    if (!stay_quiet(cushion)) return;
  }
  turn t(*this);
  list<quiet_watch> others;
  while (quiet_watch* w = quiet_watches.pop_front()) {
    if (w->cushion <= cushion) w->quiet(*w);
    else others.push_back(*w);
  }
  quiet_watches.splice(others);
}

}  // namespace cuvee::inline v0::detail
