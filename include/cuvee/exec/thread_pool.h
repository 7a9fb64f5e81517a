// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/remote_call.h>
#include <cuvee/core/thread_job.h>
#include <cuvee/core/thread_limiter.h>
#include <cuvee/core/time.h>

#include <future>

namespace cuvee::inline v0 {

namespace detail {

template <class F>
struct submitted_job final : thread_job {
  using result_type = typename job_call<F>::result_type;

  explicit submitted_job(F&& fn) : call(std::move(fn)) {}
  void work() noexcept override {
    call();
    try {
      if constexpr (std::is_void_v<result_type>) {
        call.take();
        result.set_value();
      } else {
        result.set_value(call.take());
      }
    } catch (...) {
      result.set_exception(std::current_exception());
    }
  }
  void request_stop() override { call.request_stop(); }
  job_calls& calls() noexcept override { return call.calls(); }
  void drop() noexcept override {
    result.set_exception(std::make_exception_ptr(
        error(errc::closed, "run", "thread pool", "closed before the job ran")));
  }

  job_call<F> call;
  std::promise<result_type> result;
};

}  // namespace detail

/// The result to come of `thread_pool::submit`. Dropping it does not stop the job. Threads: any.
template <class T>
class submitted {
 public:
  explicit submitted(std::future<T> future) noexcept : future_(std::move(future)) {}

  /// Blocks until the job has ended; once.
  /// Errors: what the job throws; closed if the pool was closed first; resource_deadlock_would_occur, without
  /// waiting, on a thread that runs a loop: use `thread_pool::run` there.
  T get() {
    detail::refuse_to_block("get");
    return future_.get();
  }
  bool ready() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// For other libraries. Its `get` blocks loops, too.
  std::future<T> to_future() && noexcept { return std::move(future_); }

 private:
  std::future<T> future_;
};

/// Threads of its own, named `cuvee-pool`, for blocking calls and for work that needs the processor. They are
/// made when jobs need them and go when they have idled; jobs begin in the order they came.
/// Threads: all verbs but `run` from any.
class CUVEE_API thread_pool {
 public:
  struct statistics_snapshot {
    std::size_t threads;  ///< that live, idle ones included
    std::size_t idle, queued, running;
    std::size_t ended;  ///< jobs, since the pool was made
  };
  static constexpr std::size_t default_size = 40;

  /// Errors: invalid_argument for 0.
  explicit thread_pool(std::size_t most_threads = default_size);
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  /// Closes and waits for jobs that run, however long; `close` first to limit that. A job that is in a task of this
  /// thread's loop (`from_thread::run`) could never end meanwhile: if it was abandoned it is left to itself, and ends
  /// when the loop goes on; otherwise the process ends with a message.
  ~thread_pool();

  /// Runs a blocking callable on a thread of the pool.
  /// Returns: what `fn` returns. Errors: what it throws; closed.
  /// Cancel: partial, as `offload`: a job in the queue is withdrawn, a running one is told and waited for;
  /// `run(fn).abandon_on_cancel()` leaves it to itself.
  template <class F>
  [[nodiscard]] auto run(F fn) {
    return detail::thread_awaiter<F>(team_, std::move(fn));
  }
  /// The same, with a place at `limiter` as well.
  template <class F>
  [[nodiscard]] auto run(const thread_limiter& limiter, F fn) {
    return detail::thread_awaiter<F>(team_, std::move(fn), limiter.gate());
  }
  /// The same for a thread without a loop, which may wait for the result. Errors: closed.
  template <class F>
  [[nodiscard]] auto submit(F fn) {
    auto job = std::make_shared<detail::submitted_job<F>>(std::move(fn));
    submitted<typename detail::submitted_job<F>::result_type> result(job->result.get_future());
    add(std::move(job));
    return result;
  }

  /// How long a thread without work stays; 30 s unless set.
  void set_idle_time(duration length);
  /// Takes no more jobs, drops those in the queue (their awaiters get `closed`), cancels running ones and blocks until they
  /// have ended, no longer than `limit`.
  /// Returns: the threads that would not end, also because they wait for the loop of this thread; they are left to
  /// themselves, and the destructor no longer waits for them.
  /// On a thread that runs a loop keep `limit` short: the loop stands still meanwhile.
  std::size_t close(duration limit);

  statistics_snapshot statistics() const noexcept;

 private:
  void add(std::shared_ptr<detail::thread_job> job);
  std::shared_ptr<detail::thread_team> team_;
};

}  // namespace cuvee::inline v0
