// SPDX-License-Identifier: MIT
// GAT-3 does not apply: a task has one owner. GAT-4 (settle mode), 9, 10, 12, 13 (wait,
// as_completed) come later.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("gather: children that end in another order, results come in argument order") {
  testing::virtual_clock clock;
  auto [a, b, c] = co_await gather(nap(3s, 1), nap(1s, 2), nap(2s, 3));
  CHECK(a == 1);
  CHECK(b == 2);
  CHECK(c == 3);
  CHECK(clock.elapsed() == 3s);
}

CUVEE_TEST_CASE("gather: void children give monostate, all void gives nothing, none is fine") {
  auto [a, b] = co_await gather(give(1), checkpoint());
  CHECK(a == 1);
  static_assert(std::is_same_v<decltype(b), std::monostate>);
  static_assert(std::is_void_v<decltype(gather(checkpoint(), turns(1)).await_resume())>);
  co_await gather();
  co_await gather(checkpoint());
}

CUVEE_TEST_CASE("gather: a vector of 1000 tasks, results come in order") {
  std::vector<task<int>> tasks;
  for (int i = 0; i < 1000; i++) tasks.push_back(give(i));
  std::vector<int> results = co_await gather(std::move(tasks));
  REQUIRE(results.size() == 1000);
  for (int i = 0; i < 1000; i++) REQUIRE(results[static_cast<std::size_t>(i)] == i);
  auto none = co_await gather(std::vector<task<int>>());
  CHECK(none.empty());
}

CUVEE_TEST_CASE("gather: a child fails, the others are cancelled and have ended before it throws") {
  std::string trace;
  bool caught = false;
  try {
    co_await gather(fail_later(), hang(trace, 'h'), stubborn(trace, 't', 1ms));
  } catch (const boom&) {
    caught = true;
    CHECK(trace == "hst");
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("gather: a vector with a failure, the others are cancelled") {
  std::string trace;
  std::vector<task<>> tasks;
  for (int i = 0; i < 100; i++) tasks.push_back(hang(trace, 'h'));
  tasks.push_back([]() -> task<> { co_await fail_later(); }());
  bool caught = false;
  try {
    co_await gather(std::move(tasks));
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == std::string(100, 'h'));
}

CUVEE_TEST_CASE("gather: a leaf whose await_resume throws fails it") {
  struct failing {
    bool await_ready() { return true; }
    void await_suspend(waiter&) {}
    int await_resume() { throw boom("leaf"); }
  };
  std::string why;
  try {
    co_await gather(forever(), failing{}, forever());
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "leaf");
}

CUVEE_TEST_CASE(
    "gather: three failures in one turn, the first is thrown and the others ride on it") {
  std::vector<std::string> later;
  std::string first;
  try {
    co_await gather(fail_later("1"), fail_later("2"), fail_later("3"), forever());
  } catch (const boom& e) {
    first = e.what();
    for (const auto& s : suppressed()) later.push_back(describe(s));
  }
  CHECK(first == "1");
  CHECK(later == std::vector<std::string>{"2", "3"});
}

CUVEE_TEST_CASE("gather: cancelled before it suspends, no child starts") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(stubborn(trace, 'a'), stubborn(trace, 'b'));
    trace += 'x';
  });
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("gather: cancelled before it suspends, shields inside start all the same") {
  int done = 0;
  bool after = false;
  auto work = [&](int n) -> task<> {
    co_await turns(n);
    done++;
  };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(shield(work(3)), work(1), any_of(work(1), shield(work(2))));
    after = true;
  });
  CHECK(done == 2);
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("gather: cancelled while suspended, cancels all children and waits for them") {
  std::string trace;
  bool after = false;
  auto body = [&]() -> task<> {
    co_await gather(hang(trace, 'a'), stubborn(trace, 'b', 1ms), hang(trace, 'c'));
    after = true;
  };
  co_await any_of(turns(3), body());
  CHECK(trace == "acsb");
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE(
    "gather: cancelled from outside and a child fails in its cleanup, the failure wins") {
  auto bad_cleanup = []() -> task<> {
    co_await shield(turns(3));
    throw boom("cleanup");
  };
  std::string why;
  auto body = [&]() -> task<> {
    try {
      co_await gather(bad_cleanup(), forever());
    } catch (const boom& e) {
      why = e.what();
    }
  };
  co_await any_of(turns(2), body());
  CHECK(why == "cleanup");
}

CUVEE_TEST_CASE(
    "gather: cancelled when every child has completed in the same turn, the result wins") {
  event go;
  int sum = 0;
  bool next = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      co_await gather(go.wait(), go.wait());
      sum = 1;
      co_await checkpoint();
      next = true;
    });
    co_await checkpoint();
    go.set();
    h.cancel();
  });
  CHECK(sum == 1);
  CHECK_FALSE(next);
}
