// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/child.h>
#include <cuvee/core/loop_ref.h>

#include <atomic>
#include <functional>
#include <memory>

namespace cuvee::inline v0::detail {

struct loop_state;
struct remote_task;

template <class T>
struct task_value {
  using type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct task_value<task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};

/// A call on another loop, shared by that loop and by the task or thread that waits for its end.
class CUVEE_API remote_call {
 public:
  enum class end : unsigned char { none, value, error, cancelled, closed };

  remote_call();
  remote_call(const remote_call&) = delete;
  remote_call& operator=(const remote_call&) = delete;
  virtual ~remote_call();

  // The called loop's side.
  /// False: withdrawn, or begun already.
  bool begin() noexcept;
  /// Once, after all else: the waiting side may go on inside.
  static void settle(std::shared_ptr<remote_call> self, end how) noexcept;
  /// It will not run, because its loop has gone or its request was dropped.
  static void lose(std::shared_ptr<remote_call> self) noexcept;

  // The waiting side, a task.
  /// Before the request is sent.
  void prepare(waiter& w);
  /// A task or a job; once.
  /// True: withdrawn, it never runs. False: it has begun and was asked to end.
  static bool cancel(const std::shared_ptr<remote_call>& self, const loop_ref& target) noexcept;
  // The waiting side, a thread.
  /// Sends the request and waits for the end, or for a cancel of the job that this thread runs.
  /// Errors: not enough memory.
  static void block(const std::shared_ptr<remote_call>& self, const loop_ref& target,
                    std::unique_ptr<posted> request);
  bool settled() const noexcept { return settled_.load(); }

  /// A request that does not get through ends as closed.
  static void send(const loop_ref& target, std::unique_ptr<posted> request) noexcept {
    target.try_deliver(request);
  }
  end how() const noexcept { return how_; }
  /// Throws unless the call gave a value.
  void rethrow_end(const char* operation) const;

  std::exception_ptr error;
  remote_task* running = nullptr;  // on the called loop's thread only

 private:
  friend struct remote_arrival;
  enum class phase : unsigned char { sent, begun, withdrawn };

  std::atomic<phase> phase_ = phase::sent;
  std::atomic<bool> settled_ = false;
  std::atomic<bool> cancelled_by_caller_ = false;  // also where its loop ends at the same time
  end how_ = end::none;
  loop_state* home_ = nullptr;  // null: a thread waits
  waiter* waiter_ = nullptr;
  std::shared_ptr<mailbox> box_;
  std::unique_ptr<posted> arrival_;
  std::unique_ptr<posted> cancel_;
};

template <class T>
class remote_result : public remote_call {
 public:
  T take(const char* operation) {
    rethrow_end(operation);
    if constexpr (!std::is_void_v<T>) return std::move(*value);
  }
  std::optional<stored<T>> value;
};

/// A strand that runs on the called loop. The loop cancels and awaits it when its main task ends.
struct CUVEE_API remote_task : strand, list_node {
  explicit remote_task(std::shared_ptr<remote_call> c) noexcept : call(std::move(c)) {}
  virtual ~remote_task();
  void adopt(const strand_kind& k);
  remote_call::end how_ended() const noexcept;

  std::shared_ptr<remote_call> call;
  bool loop_ended = false;
};

template <class T, class F>
struct called_task final : remote_task {
  called_task(std::shared_ptr<remote_result<T>> c, F&& fn)
      : remote_task(std::move(c)), fn_(std::move(fn)) {
    adopt(kind_);
  }

 private:
  static std::coroutine_handle<> boot(strand& s) {
    auto& t = static_cast<called_task&>(s);
    try {
      t.frame_ = std::invoke(t.fn_).release();
      t.frame_.promise().owner = &t;
      return t.frame_;
    } catch (...) {
      t.call->error = std::current_exception();
      return {};
    }
  }
  static void on_end(strand& s) {
    std::unique_ptr<called_task> t(&static_cast<called_task&>(s));
    if (!t->was_cancelled && t->frame_) {
      auto& promise = t->frame_.promise();
      if (promise.failed()) t->call->error = promise.error();
      else t->keep(promise);
      t->frame_.destroy();
    }
    remote_call::end how = t->how_ended();
    std::shared_ptr<remote_call> call = std::move(t->call);
    call->running = nullptr;
    t.reset();  // what the callable owns is gone before the caller goes on
    remote_call::settle(std::move(call), how);
  }
  void keep(promise<T>& p) {
    try {
      auto& result = static_cast<remote_result<T>&>(*call);
      if constexpr (std::is_void_v<T>) result.value.emplace();
      else result.value.emplace(p.take());
    } catch (...) {
      call->error = std::current_exception();
    }
  }
  static bool has_failed(const strand& s) {
    auto& t = static_cast<const called_task&>(s);
    return t.call->error || (t.frame_ && !t.was_cancelled && t.frame_.promise().failed());
  }
  static constexpr strand_kind kind_{&on_end, &boot, &has_failed, nullptr};

  F fn_;
  std::coroutine_handle<promise<T>> frame_;
};

/// Carries a callable to the called loop. A function runs there at once, a task as a strand.
template <class T, class F>
struct remote_request final : posted {
  remote_request(std::shared_ptr<remote_result<T>> c, F&& f) : call(std::move(c)) {
    fn.emplace(std::move(f));
  }
  ~remote_request() override {
    fn.reset();
    if (call) remote_call::lose(std::move(call));
  }
  void run() override {
    if (!call->begin()) return call.reset();
    if constexpr (task_value<std::invoke_result_t<F&>>::is_task) {
      try {
        // Owns itself from now on.
        static_cast<void>(new called_task<T, F>(call, std::move(*fn)));
        call.reset();
      } catch (...) {
        fail();
      }
    } else {
      call_plainly();
    }
  }

 private:
  void call_plainly() {
    try {
      if constexpr (std::is_void_v<T>) {
        std::invoke(*fn);
        call->value.emplace();
      } else {
        call->value.emplace(std::invoke(*fn));
      }
      fn.reset();
      remote_call::settle(std::move(call), remote_call::end::value);
    } catch (...) {
      fail();
    }
  }
  void fail() noexcept {
    call->error = std::current_exception();
    fn.reset();
    remote_call::settle(std::move(call), remote_call::end::error);
  }

  std::shared_ptr<remote_result<T>> call;
  std::optional<F> fn;
};

/// Errors: resource_deadlock_would_occur on a thread that runs a loop.
CUVEE_API void refuse_to_block(const char* operation);
/// The same for waiting for `target`, also before its own thread has begun to run it.
CUVEE_API void refuse_to_block(const char* operation, const loop_ref& target);

}  // namespace cuvee::inline v0::detail
