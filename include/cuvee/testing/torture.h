// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/testing/shuffle.h>

#include <functional>
#include <string>

namespace cuvee::inline v0::testing {

struct torture_options {
  /// Shuffles what is ready in every run (`shuffle_ready`).
  std::optional<std::uint64_t> seed = test_seed();
};

struct torture_report {
  std::size_t suspensions = 0;  ///< of all tasks in an undisturbed run
  std::size_t cancelled = 0;    ///< runs that ended as cancelled
  std::size_t completed = 0;    ///< runs that ended with a value although they were cancelled
  std::string leaks;            ///< of all runs; empty if nothing leaked
};

/// Runs `body()` again and again, each time on a new loop: once undisturbed to count suspensions,
/// then cancelled at its 1st, 2nd, … n-th suspension. Any outcome of a run is allowed; a crash, a
/// hang, a leaked descriptor, handle or child is not.
/// Errors: what the undisturbed run throws; what a cancelled run throws other than `cuvee::error`,
/// and deadlock.
CUVEE_API torture_report torture(const std::function<task<>()>& body, torture_options how = {});

struct stop_report {
  std::size_t rounds = 0;   ///< of ready tasks in an undisturbed run
  std::size_t stopped = 0;  ///< runs whose loop ended before `body` did
  std::string leaks;        ///< of all runs; empty if nothing leaked
};

/// Runs `body()` in the background of a loop, each time a new one, and ends the loop's main task and the loop
/// before the 1st, 2nd, … n-th round of ready tasks: everything has to end with it. Outcomes are judged as
/// by `torture`. A task that a cancel does not end aborts the program.
CUVEE_API stop_report torture_stop(const std::function<task<>()>& body, torture_options how = {});

}  // namespace cuvee::inline v0::testing
