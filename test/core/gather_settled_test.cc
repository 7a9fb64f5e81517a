// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<int> refuse(duration after, const char* what) {
  co_await sleep(after);
  throw error(errc::closed, what);
}

}  // namespace

CUVEE_TEST_CASE("gather_settled: two values and two errors stand in argument order") {
  testing::virtual_clock clock;
  auto [a, b, c, d] =
      co_await gather_settled(nap(4s, 3), nap(1s, 1), refuse(3s, "e1"), refuse(2s, "e2"));
  CHECK(*a == 3);
  CHECK(*b == 1);
  REQUIRE_FALSE(c);
  CHECK(c.error().operation() == "e1");
  REQUIRE_FALSE(d);
  CHECK(d.error().operation() == "e2");
  CHECK(clock.elapsed() == 4s);
}

CUVEE_TEST_CASE("gather_settled: an exception of another type is described and thrown as it was") {
  auto [failed, none] = co_await gather_settled(fail_later("why"), checkpoint());
  static_assert(std::is_same_v<decltype(none), result<void>>);
  CHECK(none);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code() == errc::foreign);
  CHECK(std::string(failed.error().what()) == "why");
  CHECK_THROWS_AS(std::move(failed).value(), boom);
}

CUVEE_TEST_CASE("gather_settled: nothing gives an empty tuple or vector") {
  auto none = co_await gather_settled();
  static_assert(std::tuple_size_v<decltype(none)> == 0);
  auto empty = co_await gather_settled(std::vector<task<int>>());
  CHECK(empty.empty());
}

CUVEE_TEST_CASE("gather_settled: a container of 200, every third fails, all slots are right") {
  std::vector<task<int>> tasks;
  for (int i = 0; i < 200; i++) tasks.push_back(i % 3 == 0 ? fail_later() : give_later(i));
  std::vector<result<int>> results = co_await gather_settled(std::move(tasks));
  REQUIRE(results.size() == 200);
  for (std::size_t i = 0; i < 200; i++) {
    REQUIRE(results[i].has_value() == (i % 3 != 0));
    if (results[i]) REQUIRE(*results[i] == static_cast<int>(i));
  }
}

CUVEE_TEST_CASE("gather_settled: of width 2, a failure makes room for the next") {
  testing::virtual_clock clock;
  std::vector<task<int>> tasks;
  tasks.push_back(refuse(1s, "first"));
  tasks.push_back(nap(3s, 1));
  tasks.push_back(nap(1s, 2));
  tasks.push_back(nap(1s, 3));
  auto results = co_await gather_settled(width(2), std::move(tasks));
  CHECK(clock.elapsed() == 3s);
  CHECK_FALSE(results[0]);
  CHECK(*results[3] == 3);
}

CUVEE_TEST_CASE("gather_settled: a child that somebody else cancelled shows so in its slot") {
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    auto victim = g.spawn([]() -> task<int> {
      co_await forever();
      co_return 0;
    });
    auto other = g.spawn(give_later, 7);
    g.spawn([&]() -> task<> {
      victim.cancel();
      co_return;
    });
    auto [a, b] = co_await gather_settled(victim.join(), other.join());
    REQUIRE_FALSE(a);
    CHECK(a.error().code() == std::errc::operation_canceled);
    CHECK_THROWS_AS(std::move(a).value(), cancelled_error);
    CHECK(*b == 7);
    co_await checkpoint();
    after = true;
  });
  CHECK(after);
}

CUVEE_TEST_CASE("gather_settled: cancelled before it suspends, no child starts") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather_settled(stubborn(trace, 'a'), stubborn(trace, 'b'));
    trace += 'x';
  });
  CHECK(trace.empty());
}

CUVEE_TEST_CASE(
    "gather_settled: cancelled while suspended, all are cancelled and no list is returned") {
  testing::keep_fifo();
  std::string trace;
  bool after = false;
  auto body = [&]() -> task<> {
    auto r = co_await gather_settled(fail_later(), hang(trace, 'a'), stubborn(trace, 'b', 1ms),
                                     hang(trace, 'c'));
    after = true;
    (void)r;
  };
  co_await any_of(turns(4), body());
  CHECK(trace == "acsb");
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("gather_settled: cancelled when all have ended in the same turn, the results win") {
  event go;
  bool got = false, next = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      auto [a, b] = co_await gather_settled(go.wait(), go.wait());
      got = a && b;
      co_await checkpoint();
      next = true;
    });
    co_await checkpoint();
    go.set();
    h.cancel();
  });
  CHECK(got);
  CHECK_FALSE(next);
}

TEST_CASE("gather_settled: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    std::string trace;
    std::vector<task<int>> tasks;
    for (int i = 0; i < 5; i++) tasks.push_back(i % 2 == 0 ? fail_later() : give_later(i));
    auto [all, s, f] = co_await gather_settled(gather_settled(width(2), std::move(tasks)),
                                               stubborn(trace, 's'), fail_later());
    CHECK(all->size() == 5);
    CHECK(s);
    CHECK_FALSE(f);
  });
  CHECK(report.leaks.empty());
  CHECK(report.cancelled > 0);
}
