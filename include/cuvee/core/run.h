// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

namespace cuvee::inline v0 {

namespace detail {

template <class F, class... Args>
task<int> exit_status_of(F& fn, Args&... args) {
  auto body = std::invoke(fn, std::move(args)...);
  if constexpr (std::is_void_v<typename decltype(body)::value_type>) {
    co_await std::move(body);
    co_return 0;
  } else {
    co_return co_await std::move(body);
  }
}

}  // namespace detail

/// What `main` returns: makes a loop and runs `fn(args...)`, a `task<int>` or `task<>`, on it.
/// The first SIGINT or SIGTERM cancels it and waits for its cleanup; a second one ends the process at once.
/// Returns: the task's int, 0 for void; 1 after an error, reported in one line; 130 when a SIGINT
/// ended it, 143 for SIGTERM. Threads: signals are handled only on the main thread.
template <class F, class... Args>
int run(F fn, Args... args) {
  loop l;
  return detail::run_main(l, detail::exit_status_of(fn, args...));
}

}  // namespace cuvee::inline v0
