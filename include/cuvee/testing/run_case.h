// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

#include <functional>
#include <string>
#include <vector>

namespace cuvee::inline v0::testing {

/// The process's resources that a test must give back.
struct CUVEE_API footprint {
  std::vector<std::string> open_files;  ///< what each descriptor above 2 refers to
  std::size_t children = 0;             ///< child processes, zombies included

  static footprint take();
  /// What `now` has more than `*this`, one line; empty if nothing.
  std::string grown_to(const footprint& now) const;
};

/// Runs `body()` on a loop of its own and compares descriptors, libuv handles and child processes before and
/// after. With CUVEE_TEST_SEED in the environment the loop shuffles what is ready (`shuffle_ready`).
/// Returns: what leaked, one line; empty if nothing. Errors: what the body throws.
CUVEE_API std::string run_case(const std::function<task<>()>& body);

}  // namespace cuvee::inline v0::testing
