// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/scheduler.h>

namespace cuvee::inline v0::detail {

/// Told once nothing has happened in a loop for `cushion` of real time: no task could run, nothing came from
/// libuv and no job was on a thread. Virtual time stands still meanwhile. `unlink` takes it back.
struct quiet_watch : list_node {
  explicit quiet_watch(void (*fn)(quiet_watch&)) noexcept : quiet(fn) {}
  void (*quiet)(quiet_watch&);
  duration cushion{};
};

CUVEE_API void watch_quiet(scheduler&, quiet_watch&) noexcept;

}  // namespace cuvee::inline v0::detail
