// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/event.h>
#include <cuvee/core/generator_adaptors.h>
#include <cuvee/core/group.h>

#include <deque>

// What runs while nobody awaits `next` must be awaited by somebody before its owner may go, and a destructor
// cannot await. So sources that run beside the consumer do so within a block that is given the consumer.

namespace cuvee::inline v0 {

namespace detail {

template <class F, class T>
using consumer_result = typename std::invoke_result_t<F&, generator<T>>::value_type;

/// Runs `consume(items)` beside what `start(group)` spawns and stops that when it has returned.
template <class T, class Start, class F>
auto consume_beside(Start start, generator<T> items, F consume) -> task<consumer_result<F, T>> {
  using value = consumer_result<F, T>;
  std::optional<stored<value>> result;
  auto body = [&](group& g) -> task<> {
    start(g);
    if constexpr (std::is_void_v<value>) {
      co_await std::invoke(consume, std::move(items));
      result.emplace();
    } else {
      value returned = co_await std::invoke(consume, std::move(items));
      result.emplace(std::move(returned));
    }
    g.cancel();
  };
  co_await task_group(body);
  if constexpr (!std::is_void_v<value>) co_return std::move(*result);
}

template <class T>
struct merge_source : list_node {
  explicit merge_source(generator<T>&& g) noexcept : from(std::move(g)) {}
  generator<T> from;
  std::add_pointer_t<T> item = nullptr;
  event taken;  // the consumer needs the item no longer
};

template <class T>
struct merge_state {
  explicit merge_state(std::vector<generator<T>>&& from) : running(from.size()) {
    for (generator<T>& g : from) sources.emplace_back(std::move(g));
  }
  std::deque<merge_source<T>> sources;
  list<merge_source<T>> offers;
  event changed;
  std::size_t running;
};

template <class T>
task<> offer_all(merge_state<T>& all, merge_source<T>& own) {
  while (auto x = co_await own.from.next()) {
    own.item = x;
    own.taken.clear();
    all.offers.push_back(own);
    all.changed.set();
    co_await own.taken.wait();
  }
  all.running--;
  all.changed.set();
}

template <class T>
generator<T> offered(merge_state<T>& all) {
  for (;;) {
    while (merge_source<T>* source = all.offers.pop_front()) {
      co_yield static_cast<T&&>(*source->item);
      source->taken.set();
    }
    if (all.running == 0) co_return;
    all.changed.clear();
    co_await all.changed.wait();
  }
}

template <class T>
struct buffered_state {
  struct slot {
    std::optional<T> value;
    event done;
  };
  explicit buffered_state(std::size_t n) : room(n > 0 ? n : 1) {}
  std::deque<slot> window;  // oldest first, in flight or not yet consumed
  event changed;            // by the consumer or the feeder, for the other one
  std::size_t room;
  bool ended = false;
};

template <class T>
task<> fill_slot(typename buffered_state<T>::slot& own, task<T> work) {
  T result = co_await std::move(work);
  own.value.emplace(std::move(result));
  own.done.set();
}

template <class T>
task<> feed(buffered_state<T>& state, group& g, generator<task<T>>& from) {
  while (auto work = co_await from.next()) {
    g.spawn(fill_slot<T>, std::ref(state.window.emplace_back()), std::move(*work));
    state.changed.set();
    while (state.window.size() >= state.room) {
      state.changed.clear();
      co_await state.changed.wait();
    }
  }
  state.ended = true;
  state.changed.set();
}

template <class T>
generator<T> in_order(buffered_state<T>& state) {
  for (;;) {
    while (!state.window.empty()) {
      co_await state.window.front().done.wait();
      co_yield std::move(*state.window.front().value);
      state.window.pop_front();
      state.changed.set();
    }
    if (state.ended) co_return;
    state.changed.clear();
    co_await state.changed.wait();
  }
}

// Keeps the element as long as the call needs it.
template <class T, class F>
auto call_with(F& fn, T element) -> std::invoke_result_t<F&, T&&> {
  co_return co_await std::invoke(fn, static_cast<T&&>(element));
}

template <class T, class F>
auto calls(generator<T> from, F& fn) -> generator<std::invoke_result_t<F&, T&&>> {
  while (auto x = co_await from.next()) co_yield call_with<T>(fn, static_cast<T&&>(*x));
}

template <class T, class F>
auto merge_rest(std::vector<generator<T>> from, F consume) {
  return merge(std::move(from), std::move(consume));
}
template <class T, class... Rest>
auto merge_rest(std::vector<generator<T>> from, generator<T> next, Rest... rest) {
  from.push_back(std::move(next));
  return merge_rest(std::move(from), std::move(rest)...);
}

}  // namespace detail

/// Runs several generators at once and hands their elements on as they come:
/// `co_await merge(std::move(a), std::move(b), [](generator<int> both) -> task<> { … });`
/// A source goes on once its element has been consumed. When `consume` returns, sources that have not ended are
/// cancelled and awaited. The merged generator must not leave the block.
/// Returns: what `consume` returns.
/// Errors: the first failure of a source or of `consume`, after the rest was cancelled and has ended.
/// Cancel: cancels all of it and waits for it.
template <class T, class F>
auto merge(std::vector<generator<T>> from, F consume) -> task<detail::consumer_result<F, T>> {
  detail::merge_state<T> all(std::move(from));
  auto start = [&all](group& g) {
    for (auto& source : all.sources) g.spawn(detail::offer_all<T>, std::ref(all), std::ref(source));
  };
  co_return co_await detail::consume_beside(start, detail::offered(all), std::move(consume));
}
template <class T, class... Rest>
auto merge(generator<T> first, generator<T> second, Rest... rest_and_consume) {
  static_assert(sizeof...(Rest) != 0, "merge takes generators and then what consumes them as one");
  std::vector<generator<T>> from;
  from.push_back(std::move(first));
  return detail::merge_rest(std::move(from), std::move(second), std::move(rest_and_consume)...);
}

/// Runs up to `n` (at least one) of the tasks that a generator yields at once and hands their results on in
/// order: `co_await buffered(std::move(tasks), 8, [](generator<page> pages) -> task<> { … });`
/// A result that was not consumed yet counts as one of the `n`. When `consume` returns, tasks that have not ended
/// are cancelled and awaited. The generator of results must not leave the block.
/// Returns, Errors, Cancel: as `merge`.
template <class T, class F>
auto buffered(generator<task<T>> from, std::size_t n, F consume)
    -> task<detail::consumer_result<F, T>> {
  detail::buffered_state<T> state(n);
  auto start = [&state, &from](group& g) {
    g.spawn(detail::feed<T>, std::ref(state), std::ref(g), std::ref(from));
  };
  co_return co_await detail::consume_beside(start, detail::in_order(state), std::move(consume));
}
/// The same for the tasks that `fn` makes of a generator's elements:
/// `co_await buffered(std::move(urls), 8, fetch, [](generator<page> pages) -> task<> { … });`
template <class T, class F, class C>
auto buffered(generator<T> from, std::size_t n, F fn, C consume)
    -> task<detail::consumer_result<C, typename detail::call_of<F, T&&>::type>> {
  co_return co_await buffered(detail::calls(std::move(from), fn), n, std::move(consume));
}

}  // namespace cuvee::inline v0
