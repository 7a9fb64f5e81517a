// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop_ref.h>

#include <memory>
#include <mutex>

namespace cuvee::inline v0::detail {

/// What a job calls back into loops. A cancel of the job cancels the call in which its thread waits, and
/// all later ones before they begin. Threads: any, but `enter` and `leave` are the job's.
class CUVEE_API job_calls {
 public:
  /// Both live until `leave`.
  void enter(const std::shared_ptr<remote_call>& call, const loop_ref& target) noexcept;
  void leave() noexcept;
  void cancel() noexcept;
  bool cancelled() noexcept;
  /// The job waits for the loop of the thread that asks.
  bool wait_for_this_thread() noexcept;

 private:
  std::mutex mutex_;
  const std::shared_ptr<remote_call>* call_ = nullptr;
  const loop_ref* target_ = nullptr;
  bool cancelled_ = false;
};

/// Those of the job that this thread runs; null outside of jobs.
extern CUVEE_API CUVEE_HOT_TLS constinit thread_local job_calls* this_job_calls;

}  // namespace cuvee::inline v0::detail
