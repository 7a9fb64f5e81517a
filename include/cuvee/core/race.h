// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child_range.h>

#include <tuple>

namespace cuvee::inline v0 {

/// Who won a `race` or `staggered_race`.
template <class T>
struct race_result {
  race_result(std::size_t i, T&& v, std::vector<std::exception_ptr>&& e)
      : index(i), value(std::move(v)), errors(std::move(e)) {}

  std::size_t index;                       ///< its position among the arguments
  T value;                                 ///< `std::monostate` for void
  std::vector<std::exception_ptr> errors;  ///< of the others, in the order they failed
};

namespace detail {

template <class First, class... Rest>
struct common_value {
  static constexpr bool same = (std::is_same_v<First, Rest> && ...);
  using type = std::conditional_t<same, First, std::variant<First, Rest...>>;
};

/// Ends with the first child that succeeds. `Base` is the combinator that starts them.
template <class Derived, class Base>
class first_success : public Base {
 public:
  using Base::Base;

  bool await_must_resume() {
    if (find_winner()) return true;
    bool all = true;
    self().for_each([&](auto& c) { all &= ended(c); });
    return all;
  }

 protected:
  friend combinator_awaiter<Derived>;

  bool ends(bool failed) { return !failed && find_winner(); }
  /// Throws what all of them threw if nobody has won.
  std::size_t winner() {
    if (!find_winner()) std::rethrow_exception(this->failures_.combined());
    return winner_;
  }

 private:
  static constexpr std::size_t nobody = ~std::size_t{0};

  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  template <class C>
  static bool ended(const C& c) noexcept {
    return c.state() == outcome::completed;
  }
  // A child does not say who it is when it ends; but only one of them can have succeeded so far.
  bool find_winner() {
    std::size_t i = 0;
    if (winner_ == nobody) {
      self().for_each([&](auto& c) {
        if (winner_ == nobody && ended(c) && !c.failed()) winner_ = i;
        i++;
      });
    }
    return winner_ != nobody;
  }

  std::size_t winner_ = nobody;
};

template <class... A>
class race_awaiter
    : public first_success<race_awaiter<A...>, combinator_awaiter<race_awaiter<A...>>> {
 public:
  using value = typename common_value<stored<typename child<A>::result_type>...>::type;

  explicit race_awaiter(A&&... a) : children_(child<A>(std::move(a))...) {}

  race_result<value> await_resume() {
    std::size_t index = this->winner();
    return {index, take<0>(index), std::move(this->failures_).all()};
  }

 private:
  friend combinator_awaiter<race_awaiter>;
  friend first_success<race_awaiter, combinator_awaiter<race_awaiter>>;
  template <class F>
  void for_each(F f) {
    std::apply([&](auto&... c) { (f(c), ...); }, children_);
  }
  template <std::size_t I>
  value take(std::size_t index) {
    if constexpr (I + 1 < sizeof...(A))
      if (index != I) return take<I + 1>(index);
    if constexpr (common_value<stored<typename child<A>::result_type>...>::same)
      return std::get<I>(children_).take();
    else return value(std::in_place_index<I>, std::get<I>(children_).take());
  }

  std::tuple<child<A>...> children_;
};

template <class A>
class race_range_awaiter
    : public first_success<race_range_awaiter<A>, range_awaiter<race_range_awaiter<A>, A>> {
 public:
  using value = stored<typename child<A>::result_type>;
  using race_range_awaiter::first_success::first_success;

  race_result<value> await_resume() {
    std::size_t index = this->winner();
    return {index, this->nth(index).take(), std::move(this->failures_).all()};
  }

 private:
  friend first_success<race_range_awaiter, range_awaiter<race_range_awaiter, A>>;
};

/// A race needs somebody to win it.
template <class R>
R&& checked_contenders(R& range, const char* operation) {
  if (range.begin() == range.end())
    throw error(std::make_error_code(std::errc::invalid_argument), operation, {},
                "nothing to choose from");
  return std::move(range);
}

}  // namespace detail

/// Runs awaitables concurrently until the first one succeeds; the others are cancelled and awaited, so
/// nothing outlives the expression. A failure does not end it while another may still succeed. Use `any_of`
/// for the first one that ends, either way.
/// Returns: `race_result` with the winner's position and value; a `std::variant` (its index is the position)
/// if the types differ. Plain awaiters never tie; several tasks may still succeed in one turn, then the first
/// wins and the others' values are destroyed: do not race tasks that take what cannot be put back.
/// Errors: if all of them fail, the first failure; later ones are `suppressed` on it.
/// Cancel: as its children; if one succeeded all the same, it has won.
template <awaitable... A>
  requires(sizeof...(A) > 0)
[[nodiscard]] auto race(A... awaitables) {
  return detail::race_awaiter<A...>(std::move(awaitables)...);
}

/// The same for a container of any number of awaitables. Errors besides: invalid_argument if it is empty.
template <awaitable_range R>
[[nodiscard]] auto race(R awaitables) {
  return detail::race_range_awaiter<typename R::value_type>(
      detail::checked_contenders(awaitables, "race"));
}

template <class T>
void race(std::vector<task<T>>&) = delete;  // tasks are given away: race(std::move(attempts))

}  // namespace cuvee::inline v0
