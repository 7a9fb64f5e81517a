// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

#include <functional>
#include <string>

namespace cuvee::inline v0::testing {

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
CUVEE_API torture_report torture(const std::function<task<>()>& body);

}  // namespace cuvee::inline v0::testing
