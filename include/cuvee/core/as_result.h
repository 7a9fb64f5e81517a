// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/child.h>

namespace cuvee::inline v0 {

namespace detail {

template <class A>
class as_result_awaiter {
 public:
  using value_type = std::remove_cvref_t<decltype(std::declval<A&>().await_resume())>;
  using wrapped = A;

  explicit as_result_awaiter(A&& a) : inner_(std::move(a)) {}

  bool await_ready() {
    return attempt([&] { return inner_.await_ready(); }, true);
  }
  bool await_early_cancel() { return early_cancel_awaiter(inner_); }
  bool await_suspend(waiter& w) {
    return attempt([&] { return suspend_awaiter(inner_, w); }, false);
  }
  bool await_cancel(waiter& w) { return cancel_awaiter(inner_, w); }
  bool await_must_resume() { return failure_ || awaiter_must_resume(inner_); }
  void visit(visitor& v) { v.same(ops_of<A>, &inner_); }
  result<value_type> await_resume() {
    if (failure_) [[unlikely]]
      return as_error(failure_);
    if constexpr (requires { inner_.await_result(); }) {
      return inner_.await_result();
    } else {
      try {
        if constexpr (std::is_void_v<value_type>) {
          inner_.await_resume();
          return {};
        } else {
          return inner_.await_resume();
        }
      } catch (const error& e) {
        return e;
      }
    }
  }

 private:
  /// The error of an operation that could not begin completes it at once.
  template <class F>
  bool attempt(F begin, bool completed) {
    try {
      return begin();
    } catch (const error&) {
      failure_ = std::current_exception();
      return completed;
    }
  }

  A inner_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// Awaits an operation and gives its `cuvee::error` as a value. I/O operations do so without a throw
/// inside (their awaiters have `await_result`). Other exceptions pass. Cancel: as the operation.
template <class A>
[[nodiscard]] auto as_result(A operation) {
  return detail::as_result_awaiter<A>(std::move(operation));
}

template <class T>
task<result<T>> as_result(task<T> operation) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(operation);
      co_return result<T>();
    } else {
      co_return co_await std::move(operation);
    }
  } catch (const error& e) {
    co_return e;
  }
}

}  // namespace cuvee::inline v0
