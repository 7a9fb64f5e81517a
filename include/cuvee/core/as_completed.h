// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/completion_queue.h>
#include <cuvee/core/gather.h>
#include <cuvee/core/gather_settled.h>
#include <cuvee/core/handle_watch.h>

namespace cuvee::inline v0 {

/// Children of a group in the order in which they end; made by `as_completed`. It keeps nobody running and stops
/// nobody: it can be left half-way.
template <class T>
class completion_stream {
 public:
  class next_awaiter;

  explicit completion_stream(const std::vector<task_handle<T>*>& handles) : done_(handles.size()) {
    entries_.reserve(handles.size());
    for (task_handle<T>* h : handles) {
      entry& e = entries_.emplace_back(*h, &on_end);
      if (!e.attach(&done_)) done_.push(e);
    }
  }
  completion_stream(const completion_stream&) = delete;
  completion_stream& operator=(const completion_stream&) = delete;

  /// Waits for the next child to end.
  /// Returns: a pointer to its handle, which is done; null when there are no more. Errors: none.
  /// Cancel: safe, the child is given to the next call.
  [[nodiscard]] next_awaiter next() noexcept { return next_awaiter(done_); }
  /// How many handles `next` has not returned yet.
  std::size_t remaining() const noexcept { return done_.left(); }

 private:
  using entry = detail::handle_watch<T>;
  using queue = detail::completion_queue<entry>;

  static void on_end(waiter* w) {
    auto& e = *static_cast<entry*>(w);
    e.attached = false;
    static_cast<queue*>(e.owner)->push(e);
  }

  queue done_;
  std::vector<entry> entries_;
};

template <class T>
class completion_stream<T>::next_awaiter : public queue::next_awaiter {
 public:
  using queue::next_awaiter::next_awaiter;
  task_handle<T>* await_resume() noexcept {
    const entry* e = queue::next_awaiter::await_resume();
    return e ? e->handle : nullptr;
  }
};

/// Follows children of a group, given as a container of handles or of pointers to handles (duplicates collapse):
/// `auto done = as_completed(handles); while (auto* h = co_await done.next()) use(h->join());`
/// Returns: a `completion_stream`. Lifetime: the handles stay where they are while it lives.
template <detail::handle_range R>
completion_stream<detail::handles_value<R>> as_completed(R& handles) {
  return completion_stream<detail::handles_value<R>>(detail::addresses_of(handles));
}

namespace detail {

/// A child that hands itself over when it has completed.
template <class A>
class reporting_awaiter : combinator, public list_node {
 public:
  using queue = completion_queue<reporting_awaiter>;

  reporting_awaiter(queue& to, std::size_t index, A&& a)
      : child_(std::move(a)), queue_(&to), index_(index) {}
  reporting_awaiter(reporting_awaiter&&) = default;  // before it starts

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() { return child_.cancel_early(); }
  bool await_suspend(waiter& w) {
    parent = &w;
    pending = 2;
    child_ended = [](combinator& c, const std::exception_ptr*) {
      auto& self = static_cast<reporting_awaiter&>(c);
      if (self.await_must_resume()) self.queue_->push(self);
      if (--self.pending == 0) self.parent->complete();
    };
    child_.start(*this);
    return --pending != 0;
  }
  bool await_cancel(waiter&) {
    return cancel_by([&] { child_.cancel(); }, *this);
  }
  bool await_must_resume() const noexcept { return child_.state() == outcome::completed; }
  void visit(visitor& v) { child_.visit(v); }
  void await_resume() const noexcept {}

  std::size_t index() const noexcept { return index_; }
  settled<A> take() { return settle(child_); }

 private:
  child<A> child_;
  queue* queue_;
  std::size_t index_;
};

template <class A, class F>
task<> handle_completed(completion_queue<reporting_awaiter<A>>& queue, F& handler) {
  typename completion_queue<reporting_awaiter<A>>::next_awaiter next(queue);
  while (reporting_awaiter<A>* done = co_await next) {
    if constexpr (is_task<std::invoke_result_t<F&, std::size_t, settled<A>>>)
      co_await std::invoke(handler, done->index(), done->take());
    else std::invoke(handler, done->index(), done->take());
  }
}

/// `handler(index, result<T>)`, a function or a coroutine.
template <class F, class R>
concept completion_handler =
    awaitable_range<R> && std::invocable<F&, std::size_t, settled<typename R::value_type>>;

}  // namespace detail

/// Runs awaitables concurrently, at most `limit` at once, and calls `handler(index, result)` for each that has
/// ended, in that order, one call at a time; the handler may return a `task<>`, which is awaited.
/// Errors: what the handler throws, after everything was cancelled and has ended.
/// Cancel: cancels all of them and the handler.
template <class R, detail::completion_handler<R> F>
task<> as_completed(width limit, R awaitables, F handler) {
  using child = detail::reporting_awaiter<typename R::value_type>;
  typename child::queue done(awaitables.size());
  std::vector<child> children;
  children.reserve(awaitables.size());
  for (auto& a : awaitables) children.emplace_back(done, children.size(), std::move(a));
  auto all = gather(limit, std::move(children));
  co_await gather(std::move(all), detail::handle_completed(done, handler));
}

/// The same with all of them at once.
template <class R, detail::completion_handler<R> F>
task<> as_completed(R awaitables, F handler) {
  width all(awaitables.size() + 1);
  return as_completed(all, std::move(awaitables), std::move(handler));
}

template <class T, class F>
void as_completed(std::vector<task<T>>&, F) = delete;  // …(std::move(tasks), handler)
template <class T, class F>
void as_completed(width, std::vector<task<T>>&, F) = delete;  // …(limit, std::move(tasks), handler)

}  // namespace cuvee::inline v0
