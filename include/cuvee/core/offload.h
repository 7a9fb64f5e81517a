// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/thread_job.h>
#include <cuvee/core/thread_limiter.h>

namespace cuvee::inline v0 {

namespace detail {

/// Stays in place: libuv's pool works on the awaiter itself, which waits for it even when cancelled.
template <class F>
class offload_awaiter : job_wait {
 public:
  explicit offload_awaiter(F&& fn, std::shared_ptr<job_gate> gate = {})
      : job_wait(&work, std::move(gate)), call_(std::move(fn)) {}
  offload_awaiter(offload_awaiter&&) = default;  // before it starts

  using job_wait::await_ready;
  bool await_suspend(waiter& w) noexcept {
    call_.inherit_context();
    return start(w);
  }
  bool await_cancel(waiter&) {
    call_.request_stop();
    return withdraw(false);
  }
  bool await_must_resume() const noexcept { return ran() && !call_.was_cancelled(); }
  auto await_resume() {
    rethrow_failure();
    return call_.take();
  }

  /// A cancel then returns at once and leaves a running job to itself: what it returns or throws is dropped
  /// when it ends, even after the loop is gone; until then it keeps its place in a limiter. Such jobs
  /// run on threads of their own, at most 40 of a process, so that stuck ones block neither files
  /// and name lookups nor the end of the loop and the process.
  /// Lifetime: the callable owns all it uses.
  thread_awaiter<F> abandon_on_cancel() && {
    thread_awaiter<F> other(spare_threads(), std::move(call_.callable()), take_gate());
    return std::move(other).abandon_on_cancel();
  }

 private:
  static void work(job_wait& w) noexcept { static_cast<offload_awaiter&>(w).call_(); }

  job_call<F> call_;
};

}  // namespace detail

/// Runs a blocking callable on libuv's thread pool. At most pool size − 2 such jobs of the process (at least one)
/// run at once, so that files and name lookups never starve; the others wait in order.
/// Returns: what `fn` returns. Errors: what it throws; what starting it failed with.
/// Cancel: partial. A job that waits is withdrawn; a running one is waited for and its result then wins. It is told
/// by its `std::stop_token` if it takes one, and by the cancelled_error that `from_thread::run` throws; if it ends with that,
/// it counts as cancelled. To leave it to itself instead: `offload(fn).abandon_on_cancel()`.
/// Threads: `fn` runs on another thread; callbacks on its stop token run on the loop's, inside the
/// cancel, and must not touch tasks.
template <class F>
[[nodiscard]] auto offload(F fn) {
  return detail::offload_awaiter<F>(std::move(fn));
}
/// The same, with a place at `limiter` as well.
template <class F>
[[nodiscard]] auto offload(const thread_limiter& limiter, F fn) {
  return detail::offload_awaiter<F>(std::move(fn), limiter.gate());
}

}  // namespace cuvee::inline v0
