// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/waiter.h>

#include <utility>

namespace cuvee::inline v0::detail {

/// Turns a cancellation into a call: never completes, and when cancelled runs `fn`, which must not run
/// tasks, and is gone. Beside a shielded part that `fn` asks to end.
template <class F>
class on_cancel {
 public:
  explicit on_cancel(F fn) : fn_(std::move(fn)) {}
  bool await_ready() const noexcept { return false; }
  bool await_early_cancel() {
    fn_();
    return true;
  }
  void await_suspend(waiter&) const noexcept {}
  bool await_cancel(waiter&) {
    fn_();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  F fn_;
};

}  // namespace cuvee::inline v0::detail
