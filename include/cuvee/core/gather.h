// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child_range.h>

#include <tuple>

namespace cuvee::inline v0 {

namespace detail {

template <class... A>
class gather_awaiter : public combinator_awaiter<gather_awaiter<A...>> {
 public:
  explicit gather_awaiter(A&&... a) : children_(child<A>(std::move(a))...) {}

  bool await_must_resume() {
    bool all = true;
    for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all || this->failures_;
  }
  auto await_resume() {
    if (this->failures_) std::rethrow_exception(this->failures_.combined());
    if constexpr ((std::is_void_v<typename child<A>::result_type> && ...)) {
      for_each([](auto& c) { c.take(); });  // tells a leaf that its result has arrived
    } else {
      return std::apply(
          [](auto&... c) {
            return std::tuple<stored<typename child<A>::result_type>...>{c.take()...};
          },
          children_);
    }
  }

 private:
  friend combinator_awaiter<gather_awaiter>;
  template <class F>
  void for_each(F f) {
    std::apply([&](auto&... c) { (f(c), ...); }, children_);
  }
  bool ends(bool failed) { return failed; }

  std::tuple<child<A>...> children_;
};

template <class A>
class gather_range_awaiter : public range_awaiter<gather_range_awaiter<A>, A> {
 public:
  using gather_range_awaiter::range_awaiter::range_awaiter;

  bool await_must_resume() {
    bool all = true;
    this->for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all || this->failures_;
  }
  auto await_resume() {
    using value = typename child<A>::result_type;
    if (this->failures_) std::rethrow_exception(this->failures_.combined());
    if constexpr (std::is_void_v<value>) {
      this->for_each([](auto& c) { c.take(); });
    } else {
      std::vector<stored<value>> results;
      results.reserve(this->size());
      this->for_each([&](auto& c) { results.push_back(c.take()); });
      return results;
    }
  }

 private:
  friend combinator_awaiter<gather_range_awaiter>;
  bool ends(bool failed) { return failed; }
};

}  // namespace detail

/// Runs awaitables concurrently and waits for all of them.
/// Returns: a tuple in argument order, `std::monostate` for void ones; nothing if all are void.
/// Errors: the first failure, after the others were cancelled and have ended; later ones are
/// `suppressed` on it.
/// Cancel: as its children; if all of them completed all the same, the result wins.
template <awaitable... A>
[[nodiscard]] auto gather(A... awaitables) {
  return detail::gather_awaiter<A...>(std::move(awaitables)...);
}

/// The same for a container of any number of awaitables.
/// Returns: a vector in the same order; nothing if they give nothing.
template <awaitable_range R>
[[nodiscard]] auto gather(R awaitables) {
  return detail::gather_range_awaiter<typename R::value_type>(std::move(awaitables));
}

/// The same with at most `limit` of them running at once; each that ends makes room for the next. Those that
/// a failure or a cancel finds waiting never start.
template <awaitable_range R>
[[nodiscard]] auto gather(width limit, R awaitables) {
  return detail::gather_range_awaiter<typename R::value_type>(std::move(awaitables), limit);
}

template <class T>
void gather(std::vector<task<T>>&) = delete;  // tasks are given away: gather(std::move(tasks))
template <class T>
void gather(width, std::vector<task<T>>&) = delete;  // gather(limit, std::move(tasks))

}  // namespace cuvee::inline v0
