// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

static context_var<int> level{1};
static context_var<std::string> label{"none"};

static task<int> read_level() {
  co_await checkpoint();
  co_return level.get();
}

CUVEE_TEST_CASE("context variable: unbound it has its default") {
  CHECK(level.get() == 1);
  CHECK(label.get() == "none");
  co_return;
}

CUVEE_TEST_CASE("context variable: what a child binds its parent does not see") {
  auto bound = level.bind(2);
  auto child = []() -> task<int> {
    int before = level.get();
    auto deeper = level.bind(3);
    co_await checkpoint();
    co_return before * 10 + level.get();
  };
  auto [first, second] = co_await gather(child(), child());
  CHECK(first == 23);
  CHECK(second == 23);
  CHECK(level.get() == 2);
}

CUVEE_TEST_CASE("context variable: a task awaited in place shares its caller's context") {
  auto binds = []() -> task<int> {
    auto bound = level.bind(7);
    co_return co_await read_level();
  };
  int inside = co_await binds();
  CHECK(inside == 7);
  CHECK(level.get() == 1);
}

CUVEE_TEST_CASE("context variable: a spawned child keeps what was bound when it was spawned") {
  int late = 0;
  std::string text;
  auto child = [&]() -> task<> {
    co_await turns(3);
    late = level.get();
    text = label.get();
  };
  co_await task_group([&](group& g) -> task<> {
    {
      auto number = level.bind(5);
      auto name = label.bind("five");
      auto newer = level.bind(6);
      g.spawn(child);
    }
    CHECK(level.get() == 1);
    co_return;
  });
  CHECK(late == 6);
  CHECK(text == "five");
}

CUVEE_TEST_CASE("context variable: bound around the group, children see it too") {
  auto bound = level.bind(8);
  int seen = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(read_level);
    seen = co_await h.join();
  });
  CHECK(seen == 8);
}

CUVEE_TEST_CASE("context variable: bindings may end out of order") {
  auto first = std::make_unique<context_binding<int>>(level, 2);
  auto second = std::make_unique<context_binding<int>>(level, 3);
  first.reset();
  CHECK(level.get() == 3);
  second.reset();
  CHECK(level.get() == 1);
  co_return;
}

CUVEE_TEST_CASE("context variable: a cancelled child leaves its parent's bindings alone") {
  auto bound = level.bind(4);
  auto child = []() -> task<> {
    auto deeper = level.bind(9);
    co_await forever();
  };
  co_await any_of(child(), checkpoint());
  CHECK(level.get() == 4);
}

CUVEE_TEST_CASE("context variable: a job on another thread sees what its awaiter had bound") {
  auto number = level.bind(6);
  auto name = label.bind("six");
  auto job = [] { return label.get() + " " + std::to_string(level.get()); };
  std::string seen = co_await offload(job);
  CHECK(seen == "six 6");
  seen = co_await offload(job).abandon_on_cancel();
  CHECK(seen == "six 6");
}

TEST_CASE("context variable: outside of a task it can be read but not bound") {
  CHECK(level.get() == 1);
  auto refused = "bind a context variable: outside of a task";
  CHECK_THROWS_WITH(level.bind(2).value(), refused);
  loop l;
  CHECK_THROWS_WITH(level.bind(2).value(), refused);
}

CUVEE_TEST_CASE("context variable: attempts that a staggered_race starts later see it") {
  testing::virtual_clock clock;
  auto bound = level.bind(5);
  std::string seen;
  auto attempt = [&](duration takes) -> task<> {
    seen += static_cast<char>('0' + level.get());
    co_await sleep(takes);
  };
  std::vector<task<>> attempts;
  for (auto takes : {1000ms, 1000ms, 100ms}) attempts.push_back(attempt(takes));
  auto won = co_await staggered_race(250ms, std::move(attempts));
  CHECK(won.index == 2);
  CHECK(seen == "555");
}

CUVEE_TEST_CASE("context variable: children of a bounded gather start under the same context") {
  testing::virtual_clock clock;
  time_point start = loop::current().now();
  std::vector<time_point> deadlines;
  auto look = [&]() -> task<> {
    deadlines.push_back(effective_deadline());
    co_await sleep(1s);
  };
  auto limited = timeout(1h, look());
  std::vector<decltype(limited)> all;
  all.push_back(std::move(limited));
  all.push_back(timeout(2h, look()));
  co_await gather(width(1), std::move(all));
  std::vector<time_point> expected{start + 1h, start + 2h + 1s};
  CHECK(deadlines == expected);
}
