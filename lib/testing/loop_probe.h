// SPDX-License-Identifier: MIT
#pragma once
#include "core/loop_state.h"

#include <cuvee/core/event.h>

#include <optional>
#include <random>
#include <vector>

namespace cuvee::inline v0::testing {

/// What this module puts into a loop: it cuts drains into rounds, each of the strands that are ready at
/// its beginning.
struct loop_probe final : cuvee::detail::round_probe {
  /// The loop's, made if it has none.
  static loop_probe& of(loop& l);

  int before_round(cuvee::detail::loop_state& l) override;
  bool holds_back_job() noexcept override { return order && (*order)() % 2 == 0; }

  std::size_t most_to_read(std::size_t size) noexcept override;

  /// The loop was left: what it has to do to end comes next.
  void go_on() noexcept;

  std::optional<std::mt19937_64> order;
  std::size_t rounds = 0;
  std::size_t stop_before = 0;  // this round, from 1; 0: never
  event* over = nullptr;        // then set, to end `main`
  waiter* main = nullptr;       // alone runs then, until `go_on`

 private:
  void collect(cuvee::detail::loop_state& l);
  void queue_again(cuvee::detail::loop_state& l);
  void shuffle();
  int stop(cuvee::detail::loop_state& l);

  std::vector<waiter*> ready_;
  bool stopping_ = false;
};

}  // namespace cuvee::inline v0::testing
