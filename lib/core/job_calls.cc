// SPDX-License-Identifier: MIT
#include <cuvee/core/job_calls.h>

#include "loop_state.h"

namespace cuvee::inline v0::detail {

constinit thread_local job_calls* this_job_calls = nullptr;

void job_calls::enter(const std::shared_ptr<remote_call>& call, const loop_ref& target) noexcept {
  std::lock_guard lock(mutex_);
  call_ = &call;
  target_ = &target;
  if (cancelled_) remote_call::cancel(call, target);
}

void job_calls::leave() noexcept {
  std::lock_guard lock(mutex_);
  call_ = nullptr;
}

// Under the lock, so that the call's owner stays in `leave` meanwhile; nothing foreign runs inside.
void job_calls::cancel() noexcept {
  std::lock_guard lock(mutex_);
  if (std::exchange(cancelled_, true) || !call_) return;
  remote_call::cancel(*call_, *target_);
}

bool job_calls::cancelled() noexcept {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

bool job_calls::wait_for_this_thread() noexcept {
  std::lock_guard lock(mutex_);
  return call_ && !(*call_)->settled() && runs_here(*target_);
}

}  // namespace cuvee::inline v0::detail
