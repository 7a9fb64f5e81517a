// SPDX-License-Identifier: MIT
#include <cuvee/testing/virtual_clock.h>

#include "core/loop_state.h"

namespace cuvee::inline v0::testing {

virtual_clock::virtual_clock(loop& l, duration quiet) : loop_(&l), start_(l.now()) {
  auto& state = detail::loop_state::of(l);
  auto now = static_cast<std::uint64_t>(start_.time_since_epoch().count());
  state.virtual_clock.emplace(detail::virtual_time{now, quiet});
  uv_timer_stop(&state.timer);
  state.armed_ms = detail::loop_state::never;
  state.stop_polling();  // the loop must come back and go on in virtual steps
}

virtual_clock::~virtual_clock() { detail::loop_state::of(*loop_).virtual_clock.reset(); }

duration virtual_clock::elapsed() const noexcept { return loop_->now() - start_; }

}  // namespace cuvee::inline v0::testing
