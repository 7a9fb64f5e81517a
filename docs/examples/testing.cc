// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing.h>

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<int> slow_answer() {
  co_await sleep(24h);
  co_return 42;
}

task<> hand_over(queue<int>& q) {
  auto put = [&]() -> task<> { co_await q.put(1); };
  auto get = [&]() -> task<> { co_await q.get(); };
  co_await gather(put(), get());
}

}  // namespace

CUVEE_TEST_CASE("guide: a day passes at once") {
  testing::virtual_clock clock;
  int answer = co_await slow_answer();
  CHECK(answer == 42);
  CHECK(clock.elapsed() == 24h);
}

TEST_CASE("guide: a cancel anywhere leaves nothing behind") {
  auto body = []() -> task<> {
    queue<int> q(0);
    co_await hand_over(q);
  };
  testing::torture_report seen = testing::torture(body);
  CHECK(seen.suspensions > 0);
  CHECK(seen.leaks.empty());
}

CUVEE_TEST_CASE("guide: a worker takes what is put") {
  queue<int> q(8);
  std::vector<int> taken;
  auto worker = [&]() -> task<> {
    for (;;) {
      int item = co_await q.get();
      taken.push_back(item);
    };
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(worker);
    co_await q.put(1);
    co_await q.put(2);
    co_await testing::wait_all_tasks_blocked();  // it has done all it can
    CHECK(taken == std::vector<int>{1, 2});
    g.cancel();
  });
}

CUVEE_TEST_CASE("guide: two tasks, in the order the test wants") {
  testing::sequencer seq;
  std::string trace;
  auto first = [&]() -> task<> {
    co_await seq(0);
    trace += "a";
    co_await seq(2);
    trace += "c";
  };
  auto second = [&]() -> task<> {
    co_await seq(1);
    trace += "b";
  };
  co_await gather(first(), second());
  CHECK(trace == "abc");
}
