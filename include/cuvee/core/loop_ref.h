// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

#include <memory>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {

/// A callback on its way to a loop.
struct posted {
  posted* next = nullptr;
  virtual ~posted() = default;
  virtual void run() = 0;
};
template <class F>
struct posted_call final : posted {
  explicit posted_call(F&& f) : fn(std::move(f)) {}
  void run() override { fn(); }
  F fn;
};
class mailbox;

}  // namespace detail

/// Reaches a loop from any thread, also when the loop is gone. Cheap to copy.
class CUVEE_API loop_ref {
 public:
  explicit loop_ref(std::shared_ptr<detail::mailbox> box) noexcept : box_(std::move(box)) {}

  /// Runs `fn` on the loop's thread, never inside this call; those of one thread in order. What it
  /// throws goes to the loop's report handler.
  /// Errors: loop_closed. Threads: any.
  template <class F>
  void post(F fn) const {
    deliver(std::make_unique<detail::posted_call<F>>(std::move(fn)));
  }

 private:
  void deliver(std::unique_ptr<detail::posted> call) const;
  std::shared_ptr<detail::mailbox> box_;
};

}  // namespace cuvee::inline v0
