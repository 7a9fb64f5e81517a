// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/child_range.h>

#include <tuple>

namespace cuvee::inline v0 {

namespace detail {

template <class A>
using settled = result<std::remove_cvref_t<typename child<A>::result_type>>;

/// How a completed child ended, as a value.
template <class A>
settled<A> settle(child<A>& c) {
  try {
    if constexpr (std::is_void_v<typename child<A>::result_type>) {
      c.take();
      return {};
    } else {
      return settled<A>(c.take());
    }
  } catch (...) {
    return settled<A>::caught(std::current_exception());
  }
}

template <class... A>
class settled_awaiter : public combinator_awaiter<settled_awaiter<A...>> {
 public:
  explicit settled_awaiter(A&&... a) : children_(child<A>(std::move(a))...) {}

  bool await_must_resume() {
    bool all = true;
    for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all;
  }
  std::tuple<settled<A>...> await_resume() {
    return std::apply([](auto&... c) { return std::tuple<settled<A>...>{settle(c)...}; },
                      children_);
  }

 private:
  friend combinator_awaiter<settled_awaiter>;
  template <class F>
  void for_each(F f) {
    std::apply([&](auto&... c) { (f(c), ...); }, children_);
  }
  bool ends(bool) { return false; }

  std::tuple<child<A>...> children_;
};

template <class A>
class settled_range_awaiter : public range_awaiter<settled_range_awaiter<A>, A> {
 public:
  using settled_range_awaiter::range_awaiter::range_awaiter;

  bool await_must_resume() {
    bool all = true;
    this->for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all;
  }
  std::vector<settled<A>> await_resume() {
    std::vector<settled<A>> results;
    results.reserve(this->size());
    this->for_each([&](auto& c) { results.push_back(settle(c)); });
    return results;
  }

 private:
  friend combinator_awaiter<settled_range_awaiter>;
  bool ends(bool) { return false; }
};

}  // namespace detail

/// Runs awaitables concurrently and waits for all of them, whatever becomes of each.
/// Returns: a tuple of `result`s in argument order; one that joins a task somebody else cancelled holds a
/// `cancelled_error`. Errors: none of its own.
/// Cancel: cancels all of them and ends as cancelled, without what they threw; if all of them completed all
/// the same, the results win.
template <awaitable... A>
[[nodiscard]] auto gather_settled(A... awaitables) {
  return detail::settled_awaiter<A...>(std::move(awaitables)...);
}

/// The same for a container of any number of awaitables. Returns: a vector in the same order.
template <awaitable_range R>
[[nodiscard]] auto gather_settled(R awaitables) {
  return detail::settled_range_awaiter<typename R::value_type>(std::move(awaitables));
}

/// The same with at most `limit` of them running at once.
template <awaitable_range R>
[[nodiscard]] auto gather_settled(width limit, R awaitables) {
  return detail::settled_range_awaiter<typename R::value_type>(std::move(awaitables), limit);
}

template <class T>
void gather_settled(std::vector<task<T>>&) = delete;  // gather_settled(std::move(tasks))
template <class T>
void gather_settled(width, std::vector<task<T>>&) = delete;  // …(limit, std::move(tasks))

}  // namespace cuvee::inline v0
