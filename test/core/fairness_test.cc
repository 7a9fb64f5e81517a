// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("fairness: a task whose awaits all complete at once does not starve a timer") {
  auto spin = []() -> task<> {
    event e;
    e.set();
    for (;;) co_await e.wait();
  };
  auto cut = co_await move_on_after(2ms, spin());
  CHECK_FALSE(cut.has_value());
}

CUVEE_TEST_CASE("fairness: tasks that yield for ever do not starve a timer") {
  auto spin = []() -> task<> {
    for (;;) co_await checkpoint();
  };
  auto cut = co_await move_on_after(2ms, gather(spin(), spin(), spin()));
  CHECK_FALSE(cut.has_value());
}

CUVEE_TEST_CASE("fairness: synchronous completions yield after 64 in one turn") {
  testing::keep_fifo();
  event e;
  e.set();
  int awaits = 0, seen = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      seen = awaits;
      co_return;
    });
    for (awaits = 0; awaits < 1000; awaits++) co_await e.wait();
  });
  CHECK(seen > 0);
  CHECK(seen <= 64);
}

CUVEE_TEST_CASE(
    "fairness: a task that sleeps for no time again and again does not starve jobs and I/O") {
  bool stop = false;
  auto spin = [&]() -> task<> {
    while (!stop) co_await sleep(0s);
  };
  auto work = [&]() -> task<int> {
    int value = co_await offload([] { return 3; });
    stop = true;
    co_return value;
  };
  auto [none, value] = co_await gather(spin(), work());
  CHECK(value == 3);
}

CUVEE_TEST_CASE(
    "fairness: a callback that posts itself again for ever, a timer and a job still get in") {
  loop_ref home = loop::current().ref();
  bool stop = false;
  struct again {
    loop_ref home;
    bool* stop;
    void operator()() const {
      if (!*stop) home.post(*this);
    }
  };
  home.post(again{home, &stop});
  auto job = [] { return 1; };
  auto [slept, done] = co_await timeout(10s, gather(sleep(2ms), offload(job)));
  CHECK(done == 1);
  (void)slept;
  stop = true;
  co_await sleep(0s);
}
