// SPDX-License-Identifier: MIT
// Every public awaitable of core and exec while the n-th allocation fails, for every n.
#include "awaitables.h"
#include "failing_heap.h"

#include <cuvee/testing.h>
#include <doctest/doctest.h>

using namespace cuvee;
using failing_heap::allocations;

namespace {

// The loop's heap of timers grows by a `std::vector`, whose failure ends the program: timers start where nothing
// may be thrown.
task<> grow_timers() {
  std::vector<decltype(sleep(duration::zero()))> many;
  for (int i = 0; i < 64; i++) many.push_back(sleep(duration::zero()));
  co_await gather(std::move(many));
}

/// Returns: whether something was made to fail.
bool run_failing(const awaitables::scenario& s, std::size_t n) {
  testing::footprint before = testing::footprint::take();
  std::string foreign;
  {
    loop l;
    l.on_report([](const report&) {});
    l.run(grow_timers());
    allocations = {n, 0};
    try {
      l.run(s.body());
    } catch (const error& e) {
      allocations.fail_at = 0;
      if (e.code() == errc::deadlock) foreign = e.what();
    } catch (const std::bad_alloc&) {
    } catch (const std::exception& e) {
      allocations.fail_at = 0;
      foreign = e.what();
    }
    allocations.fail_at = 0;
    CHECK(foreign == "");
    CHECK(l.open_handles() == 0);
  }
  CHECK(before.grown_to(testing::footprint::take()) == "");
  CHECK(awaitables::tracked::alive == 0);
  return allocations.seen >= n;
}

}  // namespace

TEST_CASE("awaitables: each one while every allocation fails in turn") {
  std::size_t failed = 0;
  for (const auto& s : awaitables::all()) {
    INFO(std::string(s.name));
    CHECK(testing::run_case(s.body) == "");
    std::size_t n = 1;
    for (; n < 500 && run_failing(s, n); n++) continue;
    failed += n - 1;
    CHECK(n < 500);
    CHECK(testing::run_case(s.body) == "");
  }
  CHECK(failed > 50);
}
