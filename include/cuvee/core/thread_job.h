// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>
#include <cuvee/core/job_calls.h>

#include <atomic>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>

namespace cuvee::inline v0::detail {

class job_gate;
class job_wait;
class thread_team;
struct gate_ticket;
struct loop_state;

template <class F>
constexpr bool takes_stop_token = std::is_invocable_v<F&, std::stop_token>;

template <class F>
auto invoke_job(F& fn, const std::stop_source* stop) {
  static_assert(takes_stop_token<F> || std::is_invocable_v<F&>,
                "a job is a function without parameters, or of a std::stop_token: "
                "offload([=] { return f(x); }) and not offload(f(x))");
  static_assert(!makes_task<F&> && !makes_task<F&, std::stop_token>,
                "a job is a plain function; a task runs on its loop: co_await it there");
  if constexpr (takes_stop_token<F>) return std::invoke(fn, stop->get_token());
  else return std::invoke(fn);
}

/// A callable for another thread, and what became of it.
template <class F>
class job_call {
 public:
  using result_type = decltype(invoke_job(std::declval<F&>(), nullptr));

  explicit job_call(F&& fn) : fn_(std::move(fn)) {}
  job_call(job_call&& other)  // before it runs
      : fn_(std::move(other.fn_)), stop_(std::move(other.stop_)) {}

  /// On the loop's thread, before it runs: the job sees the context variables of its awaiter. Copies, for an
  /// abandoned job outlives them.
  void inherit_context() noexcept {
    try {
      bound_ = copy_bindings(current_context(), nullptr);
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  void operator()() noexcept {
    if (error_) return;
    job_context = bound_.get();
    this_job_calls = &calls_;
    run();
    this_job_calls = nullptr;
    job_context = nullptr;
  }
  /// From any thread.
  void request_stop() {
    calls_.cancel();
    if constexpr (takes_stop_token<F>) stop_.request_stop();
  }
  job_calls& calls() noexcept { return calls_; }
  /// It was asked to stop, and that is how it ended.
  bool was_cancelled() const noexcept { return was_cancelled_; }
  result_type take() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<result_type>) return std::move(*value_);
  }
  F& callable() noexcept { return fn_; }

 private:
  void run() noexcept {
    try {
      if constexpr (takes_stop_token<F>) keep(&stop_);
      else keep(nullptr);
    } catch (const cancelled_error&) {
      error_ = std::current_exception();
      was_cancelled_ = calls_.cancelled();
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  void keep(const std::stop_source* stop) {
    if constexpr (std::is_void_v<result_type>) {
      invoke_job(fn_, stop);
      value_.emplace();
    } else {
      value_.emplace(invoke_job(fn_, stop));
    }
  }

  struct no_source {};
  F fn_;
  [[no_unique_address]] std::conditional_t<takes_stop_token<F>, std::stop_source, no_source> stop_;
  job_calls calls_;
  std::unique_ptr<binding_node> bound_;
  std::optional<stored<result_type>> value_;
  std::exception_ptr error_;
  bool was_cancelled_ = false;
};

/// A job for a thread of ours, shared by that thread and whoever waits: the last of them destroys it.
struct CUVEE_API thread_job {
  virtual ~thread_job();
  virtual void work() noexcept = 0;
  virtual void request_stop() = 0;
  virtual job_calls& calls() noexcept = 0;
  /// The pool was closed before it ran.
  virtual void drop() noexcept {}
  /// After `work`, on its thread; gives up the thread's share.
  virtual void ended(std::shared_ptr<thread_job> self) noexcept;

  std::atomic<bool> abandoned = false;
  // Guarded by the team's mutex.
  bool queued = false;
  bool told_to_stop = false;  // by the team that closes
  std::list<std::shared_ptr<thread_job>>::iterator place;
};

/// One that a task waits for.
struct CUVEE_API awaited_job : thread_job {
  ~awaited_job() override;
  void drop() noexcept final { dropped = true; }
  void ended(std::shared_ptr<thread_job> self) noexcept final;

  job_wait* awaiter = nullptr;  // on the loop's thread only; null: abandoned
  bool dropped = false;
  std::shared_ptr<job_gate> gate;  // to leave when the thread is done
  std::shared_ptr<mailbox> home;
  std::unique_ptr<posted> arrival;
};

template <class F>
struct called_job final : awaited_job {
  explicit called_job(F&& fn) : call(std::move(fn)) {}
  void work() noexcept override { call(); }
  void request_stop() override { call.request_stop(); }
  job_calls& calls() noexcept override { return call.calls(); }
  job_call<F> call;
};

/// The waiting side of a job: through its gates to a thread and back. Movable before it starts.
class CUVEE_API job_wait {
 public:
  bool await_ready() const noexcept { return false; }

 protected:
  using work_fn = void (*)(job_wait&) noexcept;
  /// For libuv's pool, in place: `work` is done with `*this`.
  job_wait(work_fn work, std::shared_ptr<job_gate> gate) noexcept;
  /// For a thread of `team`.
  job_wait(std::shared_ptr<thread_team> team, std::shared_ptr<awaited_job> job,
           std::shared_ptr<job_gate> gate) noexcept;
  job_wait(job_wait&&) noexcept = default;

  /// False: failed at once.
  bool start(waiter& w) noexcept;
  /// True: the job has not begun and will not, or `abandon` was given and it is left to itself.
  bool withdraw(bool abandon) noexcept;
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  bool ran() const noexcept { return stage_ == stage::ran; }
  std::shared_ptr<job_gate> take_gate() noexcept { return std::move(gate_); }

 private:
  friend struct gate_ticket;
  friend struct job_arrival;
  friend struct late_arrival;
  friend struct work_request;
  enum class stage : unsigned char { fresh, limited, admitted, submitted, ran, failed };

  void advance();
  bool enter(const std::shared_ptr<job_gate>& gate);
  void admitted() noexcept;
  void submit_to_libuv();
  void submit_to_team();
  void arrived() noexcept;
  void leave_gates() noexcept;
  void stand_down() noexcept;
  void end(stage how) noexcept;

  work_fn work_ = nullptr;
  std::shared_ptr<thread_team> team_;
  std::shared_ptr<awaited_job> shared_;
  std::shared_ptr<job_gate> gate_;  // the user's
  waiter* waiter_ = nullptr;
  loop_state* home_ = nullptr;
  gate_ticket* ticket_ = nullptr;  // while it stands in the line of a gate
  void* request_ = nullptr;        // libuv's
  std::exception_ptr failure_;
  stage stage_ = stage::fresh;
};

/// Awaits a callable on a thread of ours.
template <class F>
class thread_awaiter : job_wait {
 public:
  thread_awaiter(std::shared_ptr<thread_team> team, F&& fn, std::shared_ptr<job_gate> gate = {})
      : thread_awaiter(std::move(team), std::make_shared<called_job<F>>(std::move(fn)),
                       std::move(gate)) {}
  thread_awaiter(thread_awaiter&&) noexcept = default;  // before it starts

  using job_wait::await_ready;
  bool await_suspend(waiter& w) noexcept {
    job_->call.inherit_context();
    return start(w);
  }
  bool await_cancel(waiter&) {
    job_->call.request_stop();
    return withdraw(abandon_);
  }
  bool await_must_resume() const noexcept { return ran() && !job_->call.was_cancelled(); }
  auto await_resume() {
    rethrow_failure();
    return job_->call.take();
  }

  /// A cancel then returns at once and leaves a running job to itself; what it returns or throws is
  /// dropped when it ends, even after the loop is gone.
  /// Lifetime: the callable owns all it uses.
  thread_awaiter abandon_on_cancel() && {
    abandon_ = true;
    return std::move(*this);
  }

 private:
  thread_awaiter(std::shared_ptr<thread_team> team, std::shared_ptr<called_job<F>> job,
                 std::shared_ptr<job_gate> gate) noexcept
      : job_wait(std::move(team), job, std::move(gate)), job_(std::move(job)) {}

  std::shared_ptr<called_job<F>> job_;
  bool abandon_ = false;
};

/// The threads of abandoned offloads: not libuv's, which a loop and the process's exit wait for.
CUVEE_API std::shared_ptr<thread_team> spare_threads();

}  // namespace cuvee::inline v0::detail
