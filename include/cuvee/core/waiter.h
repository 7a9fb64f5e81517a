// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/visitor.h>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0 {

/// Who waits for a leaf awaiter: a task, or a combinator the leaf is a child of.
///
/// The awaiter protocol is the standard trio with `await_suspend(waiter&)` (void, or bool: false =
/// completed at once) plus three optional members that make it cancellable:
///  - `bool await_early_cancel()`: cancelled before the start; true (the default) = nothing happened.
///  - `bool await_cancel(waiter&)`: asked once, while suspended; true = unlinked, confirmed now, and
///    `complete` will not be called; false = `complete` follows. Must not run foreign code.
///  - `bool await_must_resume()`: asked at completion after a cancel; true = it did complete.
/// `await_ready` is called once and may have effects. A standard awaiter, whose `await_suspend`
/// takes a `coroutine_handle`, works as well: resuming that handle completes the waiter.
///
/// `await_ready` and `await_suspend` may throw as long as nothing has begun: nobody is left who
/// would call `complete`, which is not called either. The `co_await` throws it, in a combinator the
/// child has failed with it. The optional members must not throw.
///
/// The layout is that of the head of a coroutine frame, so
/// `std::coroutine_handle<>::from_address(&w).resume()` is `w.complete()`.
class waiter {
 public:
  /// The operation has ended; call exactly once. Queues, never resumes inside the call.
  void complete() { complete_(this); }

 protected:
  using complete_fn = void (*)(waiter*);
  explicit waiter(complete_fn fn = nullptr) noexcept : complete_(fn) {}
  complete_fn complete_;

 public:
  waiter* queue_next = nullptr;  ///< the ready queue's link, in the slot of a frame's destroy
};

namespace detail {

template <class A>
concept native_awaiter = requires(A& a, waiter& w) { a.await_suspend(w); };

template <class A>
constexpr bool suspends_quietly() noexcept {
  if constexpr (native_awaiter<A>)
    return noexcept(std::declval<A&>().await_suspend(std::declval<waiter&>()));
  else return noexcept(std::declval<A&>().await_suspend(std::coroutine_handle<>()));
}

/// True: suspended.
template <class A>
bool suspend_awaiter(A& a, waiter& w) noexcept(suspends_quietly<A>()) {
  auto call = [&]() noexcept(suspends_quietly<A>()) -> decltype(auto) {
    if constexpr (native_awaiter<A>) return a.await_suspend(w);
    else return a.await_suspend(std::coroutine_handle<>::from_address(&w));
  };
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return true;
  } else {
    // A handle to resume would grow the stack where tail calls are missing.
    static_assert(std::same_as<decltype(call()), bool>, "await_suspend returns void or bool");
    return call();
  }
}
template <class A>
bool early_cancel_awaiter(A& a) {
  if constexpr (requires { a.await_early_cancel(); }) return a.await_early_cancel();
  else return true;
}
template <class A>
bool cancel_awaiter(A& a, waiter& w) {
  if constexpr (requires { a.await_cancel(w); }) return a.await_cancel(w);
  else return false;
}
template <class A>
bool awaiter_must_resume(A& a) {
  if constexpr (requires { a.await_must_resume(); }) return a.await_must_resume();
  else return true;
}

template <class A>
constexpr const char* signature_naming() noexcept {
  return __PRETTY_FUNCTION__;
}

/// How a strand talks to the awaiter it is suspended in.
struct awaiter_ops {
  bool (*cancel)(void* awaiter, waiter&);
  bool (*must_resume)(void* awaiter);
  void (*visit)(void* awaiter, visitor&);  // null: it waits for nobody else and has nothing to tell
  const char* signature;                   // holds the name of its type
};
template <class A>
constexpr auto visit_of() noexcept -> void (*)(void*, visitor&) {
  if constexpr (requires(A& a, visitor& v) { a.visit(v); })
    return [](void* a, visitor& v) { static_cast<A*>(a)->visit(v); };
  else return nullptr;
}
template <class A>
inline constexpr awaiter_ops ops_of = {
    [](void* a, waiter& w) { return cancel_awaiter(*static_cast<A*>(a), w); },
    [](void* a) { return awaiter_must_resume(*static_cast<A*>(a)); }, visit_of<A>(),
    signature_naming<A>()};

}  // namespace detail
}  // namespace cuvee::inline v0
