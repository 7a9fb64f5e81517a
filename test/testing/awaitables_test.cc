// SPDX-License-Identifier: MIT
// Every public awaitable of core and exec, cancelled at each suspension, stopped before each round, and both in
// orders drawn from seeds: outcomes are sane, no frame stays alive, nothing leaks or hangs.
#include "awaitables.h"

#include <cuvee/testing.h>
#include <doctest/doctest.h>

using namespace cuvee;

namespace {

void check_cancelled(const awaitables::scenario& s, testing::torture_options how) {
  INFO(std::string(s.name));
  auto report = testing::torture(s.body, how);
  CHECK(report.leaks == "");
  CHECK(report.suspensions > 0);
  CHECK(awaitables::tracked::alive == 0);
  if (!s.threads) CHECK(report.cancelled > 0);
}

void check_stopped(const awaitables::scenario& s, testing::torture_options how) {
  INFO(std::string(s.name));
  auto report = testing::torture_stop(s.body, how);
  CHECK(report.leaks == "");
  CHECK(report.rounds > 1);
  CHECK(awaitables::tracked::alive == 0);
  if (!s.threads) CHECK(report.stopped > 0);
}

void check_seeds(std::uint64_t first, std::uint64_t last) {
  for (const auto& s : awaitables::all()) {
    for (std::uint64_t seed = first; seed <= last; seed++) {
      INFO("seed " << seed);
      check_cancelled(s, {.seed = seed});
      check_stopped(s, {.seed = seed});
    }
  }
}

}  // namespace

TEST_CASE("awaitables: each one cancelled at every suspension") {
  for (const auto& s : awaitables::all()) check_cancelled(s, {});
}

TEST_CASE("awaitables: the loop of each one stopped before every round") {
  for (const auto& s : awaitables::all()) check_stopped(s, {});
}

TEST_CASE("awaitables: cancelled and stopped in shuffled orders") { check_seeds(1, 2); }

TEST_SUITE_BEGIN("slow");

TEST_CASE("awaitables: cancelled and stopped in many shuffled orders") { check_seeds(3, 12); }

TEST_SUITE_END();
