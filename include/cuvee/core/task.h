// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/frame_pool.h>
#include <cuvee/core/strand.h>

#include <concepts>
#include <exception>
#include <memory>
#include <source_location>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {
template <class T>
struct promise;
/// Destroys the frame of a task that nobody has awaited. Debug mode reports it.
CUVEE_API void drop_unawaited(std::coroutine_handle<> frame) noexcept;
}  // namespace detail

/// A lazy coroutine: nothing runs until it is awaited (once, as an rvalue) or given to a combinator, a
/// group or `run`. Destroyed before that, its body never runs and its arguments are destroyed.
/// Cancel: cancelling the task that awaits it cancels what it awaits in turn, then destroys the
/// frames innermost first: destructors run, `catch` blocks do not.
template <class T = void>
class [[nodiscard("a task that nobody awaits never runs"), gnu::warn_unused]] task {
 public:
  static_assert(!std::is_reference_v<T>,
                "a task gives values: return a pointer or a std::reference_wrapper");
  using promise_type = detail::promise<T>;
  using value_type = T;

  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  task(const task&) = delete;  // a task is given away: std::move(t)
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~task() {
    if (frame_) [[unlikely]]
      detail::drop_unawaited(frame_);
  }

  /// Gives the frame up; for combinators.
  std::coroutine_handle<promise_type> release() noexcept {
    if (!frame_) [[unlikely]]
      detail::die("a task was awaited twice, or after it had been moved away");
    return std::exchange(frame_, {});
  }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;
/// What `spawn` and others take: called with these it gives a task.
template <class F, class... Args>
concept makes_task = std::is_invocable_v<F, Args...> && is_task<std::invoke_result_t<F, Args...>>;

// How control passes between frames is a property of the translation unit, so the inline functions that
// depend on it carry it in their names: objects of either kind link together.
#if CUVEE_TRAMPOLINE
inline namespace by_trampoline {
using transfer = void;
inline void transfer_to(strand& s, std::coroutine_handle<> h) noexcept { s.home->next_frame = h; }
inline void transfer_nowhere() noexcept {}
}  // namespace by_trampoline
#else
inline namespace by_tail_call {
using transfer = std::coroutine_handle<>;
inline transfer transfer_to(strand&, std::coroutine_handle<> h) noexcept { return h; }
inline transfer transfer_nowhere() noexcept { return std::noop_coroutine(); }
}  // namespace by_tail_call
#endif

/// Between a frame and the one that awaits it; lives in the awaiting frame.
struct task_link {
  std::coroutine_handle<> child;
  std::coroutine_handle<> parent;
};

template <class T>
struct task_awaiter;
template <class T>
struct in_place_awaiter;

/// `co_await in_place(t)` is a reference to the result where the child has left it, good until the end of
/// the full expression: for what is dear to move.
template <class T>
class in_place {
 public:
  explicit in_place(task<T>&& t) noexcept : task_(std::move(t)) {}
  std::coroutine_handle<promise<T>> release() noexcept { return task_.release(); }

 private:
  task<T> task_;
};

struct promise_base : pooled {
  strand* owner = nullptr;
  task_link* awaited_by = nullptr;
  std::source_location
      where;  // of the await in progress or the last one; before the first, the function

  promise_base(std::source_location function) noexcept : where(function) {}

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
      promise_base& p = h.promise();
      if (p.awaited_by) [[likely]]
        return transfer_to(*p.owner, p.awaited_by->parent);
      p.owner->state = strand_state::done;  // strand::step ends it once resume() has returned
      return transfer_nowhere();
    }
    void await_resume() noexcept {}
  };
  final_awaiter final_suspend() noexcept { return {}; }

  // The default arguments name the place of the await; with g++ and clang alike it is a constant.
  template <class T>
  task_awaiter<T> await_transform(
      task<T>&& t, std::source_location place = std::source_location::current()) noexcept {
    where = place;
    return task_awaiter<T>(t.release());
  }
  template <class T>
  in_place_awaiter<T> await_transform(
      in_place<T>&& t, std::source_location place = std::source_location::current()) noexcept {
    where = place;
    return in_place_awaiter<T>(t.release());
  }
  template <class T>
  void await_transform(task<T>&) = delete;  // a task is awaited once: co_await std::move(t)
  template <class A>
  leaf_awaiter<std::remove_reference_t<A>> await_transform(
      A&& a, std::source_location place = std::source_location::current()) noexcept {
    where = place;
    return {a, *owner};
  }
  // Runs a frame in this strand and knows how: a generator's.
  template <class A>
    requires std::derived_from<std::remove_reference_t<A>, task_link>
  A&& await_transform(A&& a,
                      std::source_location place = std::source_location::current()) noexcept {
    where = place;
    return static_cast<A&&>(a);
  }
};

template <class T>
struct promise : promise_base {
  promise(std::source_location function = std::source_location::current()) noexcept
      : promise_base(function) {}
  ~promise() {
    if (state_ == state::value) std::destroy_at(&value_);
    else if (state_ == state::error) std::destroy_at(&error_);
  }

  task<T> get_return_object() noexcept {
    static_assert(alignof(promise) <= 2 * sizeof(void*),
                  "the frame of an over-aligned result cannot be found from the promise's base");
    return task<T>(std::coroutine_handle<promise>::from_promise(*this));
  }
  template <class U = T>
  void return_value(U&& value) {
    static_assert(std::is_constructible_v<T, U>,
                  "co_return gives what the T of this task<T> cannot be made of");
    std::construct_at(&value_, std::forward<U>(value));
    state_ = state::value;
  }
  void unhandled_exception() noexcept {
    // A destructor may throw after the body has returned its value.
    if (state_ == state::value) std::destroy_at(&value_);
    std::construct_at(&error_, std::current_exception());
    state_ = state::error;
  }
  std::exception_ptr error() const noexcept {
    return state_ == state::error ? error_ : std::exception_ptr();
  }
  bool failed() const noexcept { return state_ == state::error; }
  T& result() {
    if (state_ == state::error) [[unlikely]]
      std::rethrow_exception(error_);
    return value_;
  }
  T take() { return std::move(result()); }

 private:
  enum class state : std::uint8_t { none, value, error } state_ = state::none;
  union {
    T value_;
    std::exception_ptr error_;
  };
};

template <>
struct promise<void> : promise_base {
  promise(std::source_location function = std::source_location::current()) noexcept
      : promise_base(function) {}

  task<void> get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise>::from_promise(*this));
  }
  void return_void() noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  std::exception_ptr error() const noexcept { return error_; }
  bool failed() const noexcept { return static_cast<bool>(error_); }
  void take() {
    if (error_) [[unlikely]]
      std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

template <class T>
struct task_awaiter : task_link {
  explicit task_awaiter(std::coroutine_handle<promise<T>> h) noexcept { child = h; }
  task_awaiter(task_awaiter&&) = delete;
  ~task_awaiter() {
    if (child) child.destroy();
  }

  bool await_ready() noexcept { return false; }
  template <class Promise>
  [[gnu::noinline]] transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    promise_base& p = h.promise();
    strand& s = *p.owner;
    if (s.cancel_requested) [[unlikely]] {
      s.unwind_from(h);
      return transfer_nowhere();
    }
    parent = h;
    promise_base& inner = typed().promise();
    inner.owner = &s;
    inner.awaited_by = this;
    return transfer_to(s, child);
  }
  T await_resume() { return typed().promise().take(); }

 protected:
  std::coroutine_handle<promise<T>> typed() const noexcept {
    return std::coroutine_handle<promise<T>>::from_address(child.address());
  }
};

template <class T>
struct in_place_awaiter : task_awaiter<T> {
  using task_awaiter<T>::task_awaiter;
  T&& await_resume() { return std::move(this->typed().promise().result()); }
};

}  // namespace detail
}  // namespace cuvee::inline v0
