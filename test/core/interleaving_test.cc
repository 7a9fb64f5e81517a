// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;

namespace {

/// Producers and consumers cancelled at random moments: every item that was put is either got or
/// still there.
task<bool> balances(unsigned seed) {
  std::mt19937 random(seed);
  basket b;
  int put = 0, got = 0;
  auto produce = [&]() -> task<> {
    for (int k = 0; k < 5; k++) {
      b.put();
      put++;
      co_await checkpoint();
    }
  };
  auto consume = [&]() -> task<> {
    for (int k = 0; k < 5; k++) {
      co_await b.get();
      got++;
    }
  };
  auto glance = [&]() -> task<> {
    for (int k = 0; k < 3; k++) {
      auto [item, nothing] = co_await any_of(b.get(), checkpoint());
      got += item.has_value();
      (void)nothing;
    }
  };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (int i = 0; i < 4; i++) {
      all.push_back(g.spawn(produce));
      all.push_back(g.spawn(consume));
      all.push_back(g.spawn(glance));
    }
    for (int i = 0; i < 30; i++) {
      if (random() % 3 != 0) co_await checkpoint();
      all[random() % all.size()].cancel();
    }
    g.cancel();
  });
  co_return put == got + b.items() && !b.awaited();
}

}  // namespace

CUVEE_TEST_CASE("interleaving: 300 random orders of put, get and cancel lose and invent no item") {
  for (unsigned seed = 0; seed < 300; seed++) {
    bool balanced = co_await balances(seed);
    CHECK_MESSAGE(balanced, "seed " << seed);
  }
}

CUVEE_TEST_CASE("interleaving: 20,000 random orders" * doctest::test_suite("slow")) {
  for (unsigned seed = 1000; seed < 21'000; seed++) {
    bool balanced = co_await balances(seed);
    if (!balanced) FAIL_CHECK("seed " << seed);
  }
}
