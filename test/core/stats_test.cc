// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>

#include <thread>

using namespace cuvee;
using namespace std::chrono_literals;

TEST_CASE("stats: timers, ready tasks, steps and jobs agree with what the test counts") {
  loop l;
  l.run([&]() -> task<> {
    CHECK(l.stats().timers == 0);
    auto nap = []() -> task<> { co_await sleep(1h); };
    auto body = [&](group& g) -> task<> {
      for (int i = 0; i < 3; i++) g.spawn(nap);
      loop_stats fresh = l.stats();
      CHECK(fresh.ready == 3);
      co_await checkpoint();
      loop_stats begun = l.stats();
      CHECK(begun.ready == 0);
      CHECK(begun.timers == 3);
      g.cancel();
    };
    co_await task_group(body);
    CHECK(l.stats().timers == 0);
  });
  loop_stats before = l.stats();
  l.run([]() -> task<> {
    for (int i = 0; i < 5; i++) co_await checkpoint();
  });
  loop_stats after = l.stats();
  CHECK(after.steps - before.steps == 6);
  CHECK(after.turns > before.turns);
  CHECK(after.reads == 0);
}

TEST_CASE("stats: posts that have run are counted") {
  loop l;
  loop_ref ref = l.ref();
  event done;
  std::thread poster([&] {
    for (int i = 0; i < 9; i++) ref.post([] {});
    ref.post([&] { done.set(); });
  });
  l.run([&]() -> task<> { co_await done.wait(); });
  poster.join();
  CHECK(l.stats().posts == 10);
}

TEST_CASE("stats: a job counts while it runs on a thread") {
  loop l;
  l.run([&]() -> task<> {
    auto job = []() -> task<> { co_await offload([] {}); };
    auto look = [&]() -> task<> {
      CHECK(l.stats().pool_jobs == 1);
      co_return;
    };
    co_await gather(job(), look());
    CHECK(l.stats().pool_jobs == 0);
  });
}
