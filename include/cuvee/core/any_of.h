// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child_range.h>

#include <tuple>

namespace cuvee::inline v0 {

namespace detail {

template <class... A>
class any_of_awaiter : public combinator_awaiter<any_of_awaiter<A...>> {
 public:
  explicit any_of_awaiter(A&&... a) : children_(child<A>(std::move(a))...) {}

  bool await_must_resume() {
    bool any = false;
    for_each([&](auto& c) { any |= c.state() == outcome::completed; });
    return any;
  }
  auto await_resume() {
    if (this->failures_) std::rethrow_exception(this->failures_.combined());
    return std::apply(
        [](auto&... c) {
          return std::tuple<std::optional<stored<typename child<A>::result_type>>...>{taken(c)...};
        },
        children_);
  }

 private:
  friend combinator_awaiter<any_of_awaiter>;
  template <class F>
  void for_each(F f) {
    std::apply([&](auto&... c) { (f(c), ...); }, children_);
  }
  bool ends(bool) { return true; }
  template <class C>
  static auto taken(C& c) {
    std::optional<stored<typename C::result_type>> value;
    if (c.state() == outcome::completed) value.emplace(c.take());
    return value;
  }

  std::tuple<child<A>...> children_;
};

}  // namespace detail

/// Runs awaitables concurrently until the first one ends; the others are cancelled and awaited, so
/// nothing outlives the expression.
/// Returns: a tuple of optionals, empty for the cancelled ones. Plain awaiters never tie; several tasks
/// may still complete in one turn, then each has its value.
/// Errors: the failure of a child that ended; later ones are `suppressed` on it.
/// Cancel: as its children; if one completed all the same, the result wins.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto any_of(A... awaitables) {
  return detail::any_of_awaiter<A...>(std::move(awaitables)...);
}

}  // namespace cuvee::inline v0
