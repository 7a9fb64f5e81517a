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

using handles = std::vector<task_handle<int>>;

/// A child that "fails" without bringing the group down cannot exist, so failing ones end the block.
template <class F>
task<bool> in_failing_group(F body) {
  bool failed = false;
  try {
    co_await task_group(std::move(body));
  } catch (const boom&) {
    failed = true;
  }
  co_return failed;
}

}  // namespace

CUVEE_TEST_CASE("wait: for all, tells that all are done") {
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 3; i++) all.push_back(g.spawn(nap, i * 1s, i));
    auto r = co_await wait(all, until::all);
    CHECK(clock.elapsed() == 2s);
    CHECK(r.done.size() == 3);
    CHECK(r.pending.empty());
    int third = co_await r.done[2]->join();
    CHECK(third == 2);
    auto again = co_await wait(all, until::all);
    CHECK(again.done.size() == 3);
    CHECK(clock.elapsed() == 2s);
  });
}

CUVEE_TEST_CASE("wait: for the first, again and again with what is pending") {
  testing::virtual_clock clock;
  std::vector<duration> times;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 4; i > 0; i--) all.push_back(g.spawn(nap, i * 1s, i));
    auto r = co_await wait(all, until::first);
    while (!r.pending.empty()) {
      times.push_back(clock.elapsed());
      CHECK(r.done.size() == 1);
      r = co_await wait(r.pending, until::first);
    }
    times.push_back(clock.elapsed());
  });
  CHECK(times == std::vector<duration>{1s, 2s, 3s, 4s});
}

CUVEE_TEST_CASE("wait: children that end in one turn are all done, not only the first") {
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 5; i++) all.push_back(g.spawn(give_later, i));
    all.push_back(g.spawn(nap, 1ms, 5));
    auto r = co_await wait(all, until::first);
    CHECK(r.done.size() == 5);
    CHECK(r.pending.size() == 1);
    auto within = co_await move_on_after(1h, wait(r.pending, until::first));
    CHECK(within->done.size() == 1);
  });
}

CUVEE_TEST_CASE("wait: no handles is an error") {
  handles none;
  CHECK_THROWS_AS((void)wait(none, until::all), error);
  co_return;
}

CUVEE_TEST_CASE(
    "wait: for all with a limit of 0.11 s, the 0.10 s one is done and the other pending") {
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(nap, 100ms, 1));
    all.push_back(g.spawn(nap, 150ms, 2));
    auto r = co_await move_on_after(110ms, wait(all, until::all));
    CHECK_FALSE(r);
    CHECK(all[0].done());
    CHECK_FALSE(all[1].done());
    CHECK(clock.elapsed() == 110ms);
  });
  CHECK(clock.elapsed() == 150ms);
}

CUVEE_TEST_CASE("wait: a child that ends at the very limit is done") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(nap, 100ms, 1));
    co_await checkpoint();  // its sleep starts before the limit does
    co_await move_on_after(100ms, wait(all, until::all));
    CHECK(all[0].done());
    CHECK(clock.elapsed() == 100ms);
  });
}

CUVEE_TEST_CASE("wait: cancelled before and while it waits, the children run on") {
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 3; i++) all.push_back(g.spawn(nap, 1s, i));
    bool after = false;
    auto waiting = [&]() -> task<> {
      co_await wait(all, until::all);
      after = true;
    };
    auto early = g.spawn(waiting);
    early.cancel();
    auto late = g.spawn(waiting);
    co_await turns(2);
    late.cancel();
    co_await checkpoint();
    CHECK(early.was_cancelled());
    CHECK(late.was_cancelled());
    CHECK_FALSE(after);
    auto r = co_await wait(all, until::all);
    CHECK(r.done.size() == 3);
    CHECK_FALSE(all[0].was_cancelled());
  });
}

CUVEE_TEST_CASE("wait: cancel and completion in one turn, the result wins") {
  int ok = 0, next = 0;
  for (int i = 0; i < 100; i++) {
    event go;
    std::vector<task_handle<void>> one;
    co_await task_group([&](group& g) -> task<> {
      one.push_back(g.spawn([&]() -> task<> { co_await go.wait(); }));
      auto h = g.spawn([&]() -> task<> {
        auto r = co_await timeout(1h, wait(one, until::first));
        ok += r.done.size() == 1;
        co_await checkpoint();
        next++;
      });
      co_await turns(2);
      go.set();
      co_await checkpoint();
      h.cancel();
    });
  }
  CHECK(ok == 100);
  CHECK(next == 0);
}

CUVEE_TEST_CASE("wait: for the first failure, does not throw it; a cancelled child is none") {
  bool waited = false;
  bool failed = co_await in_failing_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(nap, 1h, 1));
    all.push_back(g.spawn(nap, 1h, 2));
    all.push_back(g.spawn(nap, 2ms, 3));
    all[0].cancel();
    all.push_back(g.spawn([]() -> task<int> {
      co_await turns(3);
      throw boom();
    }));
    // The failure cancels this body as well, so the wait is shielded to see it.
    auto r = co_await shield(wait(all, until::first_failure));
    CHECK(all[0].was_cancelled());
    CHECK_FALSE(all[0].failed());
    CHECK(all[3].failed());
    waited = r.done.size() >= 2;
  });
  CHECK(failed);
  CHECK(waited);
}

CUVEE_TEST_CASE("wait: for the first failure, and none fails: until all have ended") {
  co_await task_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(nap, 1h, 1));
    all.push_back(g.spawn(give_later, 2));
    all[0].cancel();
    auto r = co_await wait(all, until::first_failure);
    CHECK(r.done.size() == 2);
  });
}

CUVEE_TEST_CASE("wait: pointers to handles, duplicates collapse") {
  co_await task_group([&](group& g) -> task<> {
    auto a = g.spawn(give_later, 1);
    auto b = g.spawn(give_later, 2);
    std::vector<task_handle<int>*> some{&a, &b, &a, &a};
    auto r = co_await wait(some, until::all);
    CHECK(r.done == std::vector<task_handle<int>*>{&a, &b});
  });
}

TEST_CASE("wait: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      handles all;
      for (int i = 0; i < 4; i++) all.push_back(g.spawn(give_later, i));
      all.push_back(g.spawn(nap, 1ms, 9));
      auto r = co_await wait(all, until::first);
      auto [rest, turn] = co_await any_of(wait(r.pending, until::all), turns(1000));
      (void)turn;
    });
  });
  CHECK(report.leaks.empty());
  CHECK(report.cancelled > 0);
}
