// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/remote_call.h>

/// From a job or any other thread back into a loop.
namespace cuvee::inline v0::from_thread {

/// Calls `fn()` on a loop, runs the task it returns if it does, and blocks this thread until the end.
/// Returns: its value. Errors: what it throws; loop_closed if the loop ends first, or its main task while no background
/// task lives on; cancelled_error; resource_deadlock_would_occur on a thread that runs a loop.
/// Cancel: with the job that this thread runs, if it runs one: a call that has not begun is withdrawn, a task is
/// cancelled and its end awaited, and cancelled_error thrown unless it gave a result all the same. A cancelled job can make
/// no further calls.
/// Threads: any but a loop's; `fn` is called and destroyed on the loop's, when withdrawn perhaps after the throw.
template <class F>
auto run(const loop_ref& home, F fn) {
  using value = typename detail::task_value<std::invoke_result_t<F&>>::type;
  detail::refuse_to_block("from_thread", home);
  auto call = std::make_shared<detail::remote_result<value>>();
  auto request = std::make_unique<detail::remote_request<value, F>>(call, std::move(fn));
  detail::remote_call::block(call, home, std::move(request));
  return call->take("from_thread");
}

/// As `loop_ref::post`: does not wait. Errors: loop_closed. Threads: any.
template <class F>
void post(const loop_ref& home, F fn) {
  home.post(std::move(fn));
}

}  // namespace cuvee::inline v0::from_thread
