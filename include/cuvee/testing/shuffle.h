// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

#include <cstdint>
#include <optional>

namespace cuvee::inline v0::testing {

/// From now on the loop runs tasks that are ready at the same time in an order drawn from `seed`, also those
/// whose timers are due together, so that a test that needs a certain order fails for some seed. The same seed
/// gives the same order wherever nothing else is left to chance, such as threads and sockets. Each task still runs
/// before those that become ready while it waits for its turn, and a task in `checkpoint` after those that were
/// ready before it. Tasks that wait for a job on another thread hear of its end some turns later, and what comes in
/// over streams comes in pieces of 1 byte to 64 KiB.
CUVEE_API void shuffle_ready(loop& l, std::uint64_t seed);

/// Undoes `shuffle_ready`: for the first line of a test of the order itself.
CUVEE_API void keep_fifo(loop& l = loop::current()) noexcept;

/// The environment's CUVEE_TEST_SEED; `run_case`, `CUVEE_TEST_CASE` and `torture` shuffle with it.
/// Returns: empty if it is not set. Errors: invalid_argument if it is no number.
CUVEE_API std::optional<std::uint64_t> test_seed();

}  // namespace cuvee::inline v0::testing
