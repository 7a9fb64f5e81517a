// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/remote_call.h>

namespace cuvee::inline v0 {

namespace detail {

template <class F>
class call_on_awaiter {
 public:
  using value_type = typename task_value<std::invoke_result_t<F&>>::type;

  call_on_awaiter(loop_ref target, F&& fn) : target_(std::move(target)), fn_(std::move(fn)) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w) noexcept {
    try {
      auto call = std::make_shared<remote_result<value_type>>();
      auto request = std::make_unique<remote_request<value_type, F>>(call, std::move(fn_));
      call->prepare(w);
      call_ = std::move(call);
      remote_call::send(target_, std::move(request));
      return true;
    } catch (...) {
      failure_ = std::current_exception();
      return false;
    }
  }
  bool await_cancel(waiter&) noexcept { return remote_call::cancel(call_, target_); }
  bool await_must_resume() const noexcept {
    return call_->how() == remote_call::end::value || call_->how() == remote_call::end::error;
  }
  value_type await_resume() {
    if (failure_) std::rethrow_exception(failure_);
    return call_->take("call_on");
  }

 private:
  loop_ref target_;
  F fn_;
  std::shared_ptr<remote_result<value_type>> call_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// Calls `fn()` on another loop, or on this one; if it returns a task, that runs there to its end.
/// Returns: its value. Errors: what it throws; loop_closed if the other loop or its main task ends first.
/// Cancel: a call that has not begun is withdrawn at once; else the task there is cancelled and its end awaited. A
/// result that was on its way wins.
/// Threads: `fn` is called and destroyed on the other loop's thread.
template <class F>
[[nodiscard]] auto call_on(loop_ref target, F fn) {
  return detail::call_on_awaiter<F>(std::move(target), std::move(fn));
}

}  // namespace cuvee::inline v0
