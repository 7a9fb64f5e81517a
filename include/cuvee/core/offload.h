// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/child.h>

#include <exception>
#include <functional>
#include <stop_token>

namespace cuvee::inline v0 {

namespace detail {

/// One job for libuv's thread pool. It outlives its run: a cancelled one is waited for.
struct CUVEE_API offload_job : list_node {
  explicit offload_job(void (*work)(offload_job&) noexcept) noexcept : work_(work) {}

  void start(waiter& w);
  /// True: it had not begun and will not.
  bool withdraw() noexcept;

  void (*work_)(offload_job&) noexcept;
  waiter* waiter_ = nullptr;
  scheduler* home_ = nullptr;
  void* request_ = nullptr;  // libuv's, while queued or running there
  int status_ = 0;
};

template <class F>
constexpr bool takes_stop_token = std::is_invocable_v<F&, std::stop_token>;

template <class F>
auto invoke_job(F& fn, const std::stop_source* stop) {
  if constexpr (takes_stop_token<F>) return std::invoke(fn, stop->get_token());
  else return std::invoke(fn);
}

template <class F>
class offload_awaiter : offload_job {
 public:
  using result_type = decltype(invoke_job(std::declval<F&>(), nullptr));

  explicit offload_awaiter(F&& fn) : offload_job(&call), fn_(std::move(fn)) {}
  offload_awaiter(offload_awaiter&& other)
      : offload_job(&call), fn_(std::move(other.fn_)), stop_(std::move(other.stop_)) {}

  bool await_ready() noexcept { return false; }
  void await_suspend(waiter& w) { start(w); }
  bool await_cancel(waiter&) {
    if constexpr (takes_stop_token<F>) stop_.request_stop();
    return withdraw();
  }
  bool await_must_resume() const noexcept { return status_ == 0; }
  result_type await_resume() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<result_type>) return std::move(*value_);
  }

 private:
  static void call(offload_job& job) noexcept {
    auto& self = static_cast<offload_awaiter&>(job);
    try {
      if constexpr (takes_stop_token<F>) self.keep(&self.stop_);
      else self.keep(nullptr);
    } catch (...) {
      self.error_ = std::current_exception();
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
  std::optional<stored<result_type>> value_;
  std::exception_ptr error_;
};

}  // namespace detail

/// Runs a blocking callable on libuv's thread pool. At most pool size − 2 jobs of a loop (at least one) run at
/// once, so that files and name lookups never starve; the others wait in order.
/// Returns: what `fn` returns. Errors: what it throws.
/// Cancel: partial. A job that waits is withdrawn; a running one is waited for, and if it takes a
/// `std::stop_token` that is told; its result then wins.
/// Threads: `fn` runs on another thread; callbacks on its stop token run on the loop's, inside the
/// cancel, and must not touch tasks.
template <class F>
[[nodiscard]] auto offload(F fn) {
  return detail::offload_awaiter<F>(std::move(fn));
}

}  // namespace cuvee::inline v0
