// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>
#include <cuvee/core/as_result.h>
#include <cuvee/core/child.h>

namespace cuvee::inline v0 {

namespace detail {
template <class T>
struct generator_promise;
template <class T>
class next_awaiter;
}  // namespace detail

/// A lazy sequence made by a coroutine that may both `co_await` and `co_yield`:
/// `while (auto x = co_await g.next()) use(*x);`
/// `T` is a value, move-only ones included, or an lvalue reference. The body runs only inside `next`, as
/// part of the task that awaits it; tasks may take turns.
/// Destroyed half-way, it runs the destructors of its body at once, which cannot await: what needs an
/// awaited close belongs to whoever consumes the generator. Not to be destroyed while `next` is awaited.
/// Each generator that another one owns takes its share of the stack when they are dropped half-way.
/// g++ 12 destroys the members of an aggregate twice in `co_yield aggregate{…}`: name the object first.
template <class T>
class [[nodiscard]] generator {
 public:
  static_assert(std::same_as<T, std::remove_cv_t<T>> && !std::is_rvalue_reference_v<T>,
                "a generator gives values or lvalue references");
  using promise_type = detail::generator_promise<T>;
  using value_type = T;
  using pointer = std::add_pointer_t<T>;

  explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {
    tell_frame();
  }
  generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, {})) { tell_frame(); }
  generator& operator=(generator&& other) noexcept {
    generator old(std::move(*this));
    frame_ = std::exchange(other.frame_, {});
    tell_frame();
    return *this;
  }
  ~generator();

  /// Runs the body up to its next `co_yield`.
  /// Returns: a pointer to what it yielded, null after the end. The object is the caller's to change or move
  /// from and lives until the next call.
  /// Errors: what the body throws, after which the generator has ended; busy while another `next` is awaited.
  /// Cancel: what the body awaits is cancelled, then its frames are destroyed: the generator has ended.
  /// A cancel before the body started to go on leaves it where it stands.
  [[nodiscard]] detail::next_awaiter<T> next() & noexcept;
  void next() && = delete;  // nothing could hold what it yields

  /// True once `next` has nothing more to give.
  bool done() const noexcept { return !frame_; }

 private:
  friend detail::generator_promise<T>;
  friend detail::next_awaiter<T>;
  void tell_frame() noexcept {
    if (frame_) frame_.promise().holder = this;
  }

  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

// Never through await_transform; a template, so that its name tells how control passes.
struct yield_awaiter {
  bool await_ready() noexcept { return false; }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    promise_base& p = h.promise();
    return transfer_to(*p.owner, std::exchange(p.awaited_by, nullptr)->parent);
  }
  void await_resume() noexcept {}
};

/// `co_yield` of an lvalue: the consumer may move from the copy.
template <class T>
struct yield_copy_awaiter : yield_awaiter {
  explicit yield_copy_awaiter(const T& original) : copy(original) {}
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    h.promise().item = std::addressof(copy);
    return yield_awaiter::await_suspend(h);
  }
  T copy;
};

/// `awaited_by` is set while `next` is in progress, and only then.
template <class T>
struct generator_promise : promise_base {
  std::add_pointer_t<T> item = nullptr;
  generator<T>* holder = nullptr;
  std::exception_ptr error;

  generator_promise(std::source_location function = std::source_location::current()) noexcept
      : promise_base(function) {}
  // A cancel destroys the frame from below; the generator must know.
  ~generator_promise() {
    if (holder) holder->frame_ = {};
  }

  generator<T> get_return_object() noexcept {
    return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
  }
  yield_awaiter yield_value(T&& value) noexcept {
    item = std::addressof(value);  // a temporary lives until the body goes on
    return {};
  }
  yield_copy_awaiter<T> yield_value(const T& value)
    requires(!std::is_reference_v<T> && std::copy_constructible<T>)
  {
    return yield_copy_awaiter<T>(value);
  }
  void return_void() noexcept {}
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
class next_awaiter : public task_link {
 public:
  explicit next_awaiter(generator<T>& from) noexcept : from_(&from) {}
  next_awaiter(next_awaiter&& other) noexcept : from_(other.from_) {}  // before it starts
  ~next_awaiter() {
    if (child) child.destroy();
  }

  generator<T>& source() const noexcept { return *from_; }

  bool await_ready() noexcept { return false; }
  template <class Promise>
  [[gnu::noinline]] transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    promise_base& p = h.promise();
    strand& s = *p.owner;
    if (s.cancel_requested) [[unlikely]] {
      s.unwind_from(h);
      return transfer_nowhere();
    }
    std::coroutine_handle<> target = enter(s, h);
    // A body that never waits makes a loop of synchronous completions: others must get their turn.
    if (--s.home->completions_left > 0) [[likely]]
      return transfer_to(s, target);
    s.frame = target;
    suspension::yield(s);
    return transfer_nowhere();
  }
  std::add_pointer_t<T> await_resume() {
    if (busy_) [[unlikely]]
      throw error(errc::busy, "next", "generator");
    if (!child) return nullptr;
    auto frame = std::coroutine_handle<generator_promise<T>>::from_address(child.address());
    child = {};
    if (frame.promise().item) [[likely]]
      return frame.promise().item;
    std::exception_ptr failure = std::move(frame.promise().error);
    frame.destroy();
    if (failure) std::rethrow_exception(failure);
    return nullptr;
  }

 private:
  // Returns: whom to resume; the caller itself if the generator cannot run.
  std::coroutine_handle<> enter(strand& s, std::coroutine_handle<> caller) noexcept {
    if (!from_->frame_) return caller;
    generator_promise<T>& body = from_->frame_.promise();
    if (body.awaited_by) [[unlikely]] {
      busy_ = true;
      return caller;
    }
    parent = caller;
    child = from_->frame_;
    body.owner = &s;
    body.awaited_by = this;
    body.item = nullptr;
    return child;
  }

  generator<T>* from_;
  bool busy_ = false;
};

template <class T>
task<std::add_pointer_t<T>> next_of(generator<T>& g) {
  auto item = co_await g.next();
  co_return item;
}

/// In a combinator the body needs a strand, hence a task around it.
template <class T>
class child<next_awaiter<T>> : public child<task<std::add_pointer_t<T>>> {
 public:
  explicit child(next_awaiter<T>&& next)
      : child<task<std::add_pointer_t<T>>>(next_of(next.source())) {}
};

}  // namespace detail

template <class T>
generator<T>::~generator() {
  if (!frame_) return;
  if (frame_.promise().awaited_by) [[unlikely]]
    detail::die("a generator was destroyed while its next() was awaited");
  frame_.promise().holder = nullptr;
  frame_.destroy();
}

template <class T>
detail::next_awaiter<T> generator<T>::next() & noexcept {
  return detail::next_awaiter<T>(*this);
}

template <class T>
auto as_result(detail::next_awaiter<T> next) {
  return as_result(detail::next_of(next.source()));
}

}  // namespace cuvee::inline v0
