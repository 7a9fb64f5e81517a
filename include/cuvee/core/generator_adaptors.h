// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/gather.h>
#include <cuvee/core/generator.h>

#include <functional>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

// Generators made of generators. All are lazy, own their sources and callables, and run them only inside
// their own `next`. Callables may be coroutines (`task<>`), which are awaited.
// Errors: those of sources and callables come out of `next`. Cancel: as `generator::next`.

namespace cuvee::inline v0 {

namespace detail {

template <class R>
struct call_result {
  using type = R;
  static constexpr bool is_task = false;
};
template <class T>
struct call_result<task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};
template <class F, class... Args>
using call_of = call_result<std::invoke_result_t<F&, Args...>>;

/// What `map` yields: an lvalue reference stays one.
template <class R>
using yieldable = std::conditional_t<std::is_lvalue_reference_v<R>, R, std::remove_cvref_t<R>>;
template <class F, class T>
using mapped = yieldable<typename call_of<F, T&&>::type>;

/// The right-hand side of `generator | adaptor`.
template <class F>
class piped {
 public:
  explicit piped(F apply) : apply_(std::move(apply)) {}

  template <class T>
  friend auto operator|(generator<T> from, piped adaptor) {
    return adaptor.apply_(std::move(from));
  }

 private:
  F apply_;
};

template <class... T>
generator<std::tuple<T...>> zip_all(std::tuple<generator<T>...> from) {
  for (;;) {
    auto nexts = std::apply([](auto&... g) { return gather(g.next()...); }, from);
    auto items = co_await nexts;
    bool all = std::apply([](auto*... x) { return (... && x); }, items);
    if (!all) co_return;
    auto row =
        std::apply([](auto*... x) { return std::tuple<T...>(static_cast<T&&>(*x)...); }, items);
    co_yield std::move(row);
  }
}

}  // namespace detail

/// The elements of a container, which it owns.
template <std::ranges::input_range R>
generator<std::ranges::range_value_t<R>> iterate(R container) {
  for (auto& element : container) co_yield std::move(element);
}

/// `fn` of each element. Elements are passed as rvalues unless they are references.
template <class T, class F>
generator<detail::mapped<F, T>> map(generator<T> from, F fn) {
  using value = detail::mapped<F, T>;
  while (auto x = co_await from.next()) {
    if constexpr (detail::call_of<F, T&&>::is_task) {
      value result = co_await std::invoke(fn, static_cast<T&&>(*x));
      co_yield static_cast<value&&>(result);
    } else {
      value result = std::invoke(fn, static_cast<T&&>(*x));
      co_yield static_cast<value&&>(result);
    }
  }
}
/// As `g | map(fn)`.
template <class F>
auto map(F fn) {
  return detail::piped([fn = std::move(fn)]<class T>(generator<T> from) mutable {
    return map(std::move(from), std::move(fn));
  });
}

/// The elements of which `keep(const element&)` is true.
template <class T, class F>
generator<T> filter(generator<T> from, F keep) {
  while (auto x = co_await from.next()) {
    bool kept = false;
    if constexpr (detail::call_of<F, const std::remove_reference_t<T>&>::is_task)
      kept = co_await std::invoke(keep, std::as_const(*x));
    else kept = std::invoke(keep, std::as_const(*x));
    if (kept) co_yield static_cast<T&&>(*x);
  }
}
/// As `g | filter(keep)`.
template <class F>
auto filter(F keep) {
  return detail::piped([keep = std::move(keep)]<class T>(generator<T> from) mutable {
    return filter(std::move(from), std::move(keep));
  });
}

/// The first `n` elements; the source is not asked for more.
template <class T>
generator<T> take(generator<T> from, std::size_t n) {
  for (; n > 0; n--) {
    auto x = co_await from.next();
    if (!x) co_return;
    co_yield static_cast<T&&>(*x);
  }
}
/// As `g | take(n)`.
inline auto take(std::size_t n) {
  return detail::piped([n]<class T>(generator<T> from) { return take(std::move(from), n); });
}

/// All elements but the first `n`.
template <class T>
generator<T> skip(generator<T> from, std::size_t n) {
  while (auto x = co_await from.next()) {
    if (n == 0) co_yield static_cast<T&&>(*x);
    else n--;
  }
}
/// As `g | skip(n)`.
inline auto skip(std::size_t n) {
  return detail::piped([n]<class T>(generator<T> from) { return skip(std::move(from), n); });
}

/// Pairs of a running number and the element.
template <class T>
generator<std::pair<std::size_t, T>> enumerate(generator<T> from, std::size_t first = 0) {
  while (auto x = co_await from.next()) {
    std::pair<std::size_t, T> numbered(first++, static_cast<T&&>(*x));
    co_yield std::move(numbered);
  }
}
/// As `g | enumerate()`.
inline auto enumerate(std::size_t first = 0) {
  return detail::piped(
      [first]<class T>(generator<T> from) { return enumerate(std::move(from), first); });
}

/// Tuples of one element of each, until the first source ends. The sources are asked concurrently.
template <class... T>
  requires(sizeof...(T) > 0)
auto zip(generator<T>... from) {
  return detail::zip_all(std::tuple<generator<T>...>(std::move(from)...));
}

/// The elements of one source after those of the other.
template <class T>
generator<T> chain(std::vector<generator<T>> from) {
  for (generator<T>& g : from)
    while (auto x = co_await g.next()) co_yield static_cast<T&&>(*x);
}
template <class T, std::same_as<generator<T>>... Rest>
generator<T> chain(generator<T> first, Rest... rest) {
  std::vector<generator<T>> all;
  all.reserve(1 + sizeof...(Rest));
  all.push_back(std::move(first));
  (all.push_back(std::move(rest)), ...);
  return chain(std::move(all));
}

/// Runs a generator to its end. Returns: its elements, copies of those it refers to.
template <class T>
task<std::vector<std::remove_cvref_t<T>>> collect(generator<T> from) {
  std::vector<std::remove_cvref_t<T>> all;
  while (auto x = co_await from.next()) all.push_back(static_cast<T&&>(*x));
  co_return all;
}

/// Runs a generator to its end and calls `fn` for each element before it asks for the next one.
template <class T, class F>
task<> for_each(generator<T> from, F fn) {
  while (auto x = co_await from.next()) {
    if constexpr (detail::call_of<F, T&&>::is_task) co_await std::invoke(fn, static_cast<T&&>(*x));
    else std::invoke(fn, static_cast<T&&>(*x));
  }
}

}  // namespace cuvee::inline v0
