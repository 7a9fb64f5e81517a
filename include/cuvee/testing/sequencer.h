// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>
#include <cuvee/core/held.h>
#include <cuvee/core/wait_list.h>

#include <optional>

namespace cuvee::inline v0::testing {

/// Makes tasks do things in the order of their numbers: 0, 1, 2 …, each of which is awaited once.
/// `co_await seq(1);` goes on when place 0 was passed; `auto place = co_await seq(1);` keeps place 2 waiting
/// until `place` is destroyed, so whole blocks can be put in order.
class CUVEE_API sequencer {
 public:
  class place;
  class place_awaiter;

  sequencer() noexcept = default;
  sequencer(const sequencer&) = delete;
  sequencer& operator=(const sequencer&) = delete;

  /// Errors: broken, here and at every other place, once a task was cancelled while it waited for its place,
  /// which would otherwise leave the later ones waiting for ever; invalid_argument for a place taken before.
  /// Cancel: safe, at once; breaks the sequence.
  [[nodiscard]] place_awaiter operator()(std::size_t number) noexcept;

 private:
  void leave() noexcept;
  void give_next() noexcept;
  void break_at(std::size_t number) noexcept;
  bool taken(std::size_t number) noexcept;

  cuvee::detail::wait_list<place_awaiter> waiting_;
  std::size_t next_ = 0;
  bool held_ = false;  // `next_` is, by a place
  std::optional<std::size_t> broken_at_;
};

/// Whose turn it is. Lifetime: the sequencer outlives it.
class sequencer::place {
 public:
  place() noexcept = default;

 private:
  friend class sequencer;
  explicit place(sequencer& s) noexcept : held_(s) {}

  cuvee::detail::held<sequencer, &sequencer::leave> held_;
};

class CUVEE_API sequencer::place_awaiter : public cuvee::detail::wait_node {
 public:
  place_awaiter(sequencer& s, std::size_t number) noexcept : home_(&s), number_(number) {}

  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_early_cancel() noexcept;
  bool await_cancel(waiter&) noexcept;
  place await_resume();

 private:
  friend class sequencer;
  sequencer* home_;
  std::size_t number_;
  place place_;  // from the moment of the handover, so that a dropped awaiter passes it on
  std::optional<error> failure_;
};

inline sequencer::place_awaiter sequencer::operator()(std::size_t number) noexcept {
  return place_awaiter(*this, number);
}

}  // namespace cuvee::inline v0::testing
