// SPDX-License-Identifier: MIT
// Every public awaitable of core and exec while the n-th allocation fails, for every n.
#include "awaitables.h"
#include "failing_heap.h"

#include <cuvee/testing.h>
#include <doctest/doctest.h>

using namespace cuvee;
using failing_heap::allocations;

namespace {

/// Returns: whether something was made to fail.
bool run_failing(const awaitables::scenario& s, bool debug, std::size_t n) {
  testing::footprint before = testing::footprint::take();
  std::string foreign;
  {
    loop l;
    l.on_report([](const report&) {});
    l.set_debug(debug);
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

void fail_each(bool debug, std::size_t at_least) {
  std::size_t failed = 0;
  for (const auto& s : awaitables::all()) {
    INFO(std::string(s.name));
    CHECK(testing::run_case(s.body) == "");
    std::size_t n = 1;
    for (; n < 500 && run_failing(s, debug, n); n++) continue;
    failed += n - 1;
    CHECK(n < 500);
    CHECK(testing::run_case(s.body) == "");
  }
  CHECK(failed > at_least);
}

}  // namespace

TEST_CASE("awaitables: each one while every allocation fails in turn") { fail_each(false, 50); }

TEST_CASE("awaitables: the same in debug mode, which records less then") { fail_each(true, 200); }
