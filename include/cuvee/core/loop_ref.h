// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace cuvee::inline v0 {

class loop_ref;

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
  void run() override {
    static_assert(
        !requires(F& f) { typename decltype(f())::promise_type; },
        "post takes a plain function; a task would be dropped");
    fn();
  }
  F fn;
};
class mailbox;
class remote_call;
/// Its loop is that of this thread.
CUVEE_API bool runs_here(const loop_ref& target) noexcept;

/// Decides between the loop that runs a posted call and those who take it back.
class CUVEE_API post_state {
 public:
  bool begin() noexcept;
  void end() noexcept;
  bool cancel() noexcept;

 private:
  enum class phase : unsigned char { waiting, running, ended, cancelled };
  std::atomic<phase> phase_ = phase::waiting;
  std::thread::id runner_;
};
template <class F>
struct cancellable_call {
  void operator()() {
    if (!state->begin()) return;
    struct at_end {
      post_state& s;
      ~at_end() { s.end(); }
    } ending{*state};
    fn();
  }
  F fn;
  std::shared_ptr<post_state> state;
};

}  // namespace detail

/// A posted call that can be taken back. Threads: any.
class post_handle {
 public:
  explicit post_handle(std::shared_ptr<detail::post_state> state) noexcept
      : state_(std::move(state)) {}

  /// Returns: true if the call never ran and never will. If it is running on another thread, waits until it
  /// has ended.
  bool cancel() noexcept { return state_->cancel(); }

 private:
  std::shared_ptr<detail::post_state> state_;
};

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
  /// The same for a call that may be taken back before it runs.
  template <class F>
  [[nodiscard]] post_handle post_cancellable(F fn) const {
    auto state = std::make_shared<detail::post_state>();
    post(detail::cancellable_call<F>{std::move(fn), state});
    return post_handle(std::move(state));
  }

 private:
  friend class detail::remote_call;
  friend bool detail::runs_here(const loop_ref& target) noexcept;

  void deliver(std::unique_ptr<detail::posted> call) const;
  bool try_deliver(std::unique_ptr<detail::posted>& call) const noexcept;
  std::shared_ptr<detail::mailbox> box_;
};

}  // namespace cuvee::inline v0
