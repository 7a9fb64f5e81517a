// SPDX-License-Identifier: MIT
// loop_state: one libuv timer for the heap of ours.
#include "loop_state.h"

namespace cuvee::inline v0::detail {

namespace {

constexpr std::uint64_t farthest = std::uint64_t{1} << 62;

}  // namespace

void start_timer_at(scheduler& s, timer_node& node, std::uint64_t at) {
  loop_state& l = loop_state::of(s);
  if (l.debug) [[unlikely]]
    l.check_thread("start a timer");
  l.timers.add(node, at < farthest ? at : farthest);
  if (at == 0) [[unlikely]]
    l.overdue = true;
  if (l.depth == 0) l.arm_timer();
}
void start_timer(scheduler& s, timer_node& node, duration from_now) {
  loop_state& l = loop_state::of(s);
  bool some = from_now.count() > 0;
  start_timer_at(s, node,
                 some ? l.now() + static_cast<std::uint64_t>(from_now.count()) : l.turn_time());
}
void stop_timer(scheduler& s, timer_node& node) noexcept { loop_state::of(s).timers.remove(node); }

// The target is in whole milliseconds of the same clock, rounded up, and libuv's idea of now is rounded
// down: it fires late by less than 2 ms, never early, and needs no second arming.
void loop_state::arm_timer() {
  if (virtual_clock) return;
  armed_for = timers.earliest();
  if (timers.empty()) {
    if (armed_ms == never) return;
    uv_timer_stop(&timer);
    armed_ms = never;
    return;
  }
  std::uint64_t ms = (armed_for + ns_per_ms - 1) / ns_per_ms;
  if (ms >= armed_ms) return;
  std::uint64_t loop_ms = uv_now(uv);
  // Armed for now from its own callback, libuv 1.44 runs it again at once and never polls for I/O.
  if (firing && ms <= loop_ms) {
    armed_for = never;
    return keep_idling(true);
  }
  armed_ms = ms;
  uv_timer_start(
      &timer,
      [](uv_timer_t* h) {
        auto& state = *static_cast<loop_state*>(h->data);
        state.firing = true;
        {
          turn t(state);
          state.armed_ms = never;
          state.armed_for = never;
          state.run_posted();  // libuv runs timers first; what was posted before comes before
          state.fire_timers();
        }
        state.firing = false;
      },
      ms > loop_ms ? ms - loop_ms : 0, 0);
}

void loop_state::fire_timers() {
  std::uint64_t until = now();
  while (!timers.empty() && timers.next_deadline() <= until) {
    timer_node& node = timers.front();
    timers.remove(node);
    node.fired(&node);
  }
}

}  // namespace cuvee::inline v0::detail
