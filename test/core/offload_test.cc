// SPDX-License-Identifier: MIT
#include "gate.h"
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("offload: gives the value of the job, which ran on another thread") {
  auto own = std::this_thread::get_id();
  auto other = co_await offload([] { return std::this_thread::get_id(); });
  CHECK(other != own);
  auto owned = co_await offload([] { return std::make_unique<int>(5); });
  CHECK(*owned == 5);
  bool ran = false;
  co_await offload([&ran] { ran = true; });
  CHECK(ran);
}

CUVEE_TEST_CASE("offload: an exception in the job reaches the awaiter with its type") {
  std::string why;
  try {
    co_await offload([]() -> int { throw boom("job"); });
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "job");
}

CUVEE_TEST_CASE("offload: cancelled before it suspends, the job never runs") {
  std::atomic<bool> ran = false;
  auto job = [&ran] { ran = true; };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await offload(job);
  });
  CHECK_FALSE(ran);
}

CUVEE_TEST_CASE("offload: cancelled while it runs, is waited for and its result wins") {
  gate door;
  int got = 0;
  bool next = false;
  auto job = [&door] {
    door.pass();
    return 7;
  };
  auto body = [&]() -> task<> {
    got = co_await offload(job);
    co_await checkpoint();
    next = true;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(body);
    co_await checkpoint();
    door.await_entered(1);
    h.cancel();
    co_await turns(3);
    CHECK_FALSE(h.done());
    door.open();
  });
  CHECK(got == 7);
  CHECK_FALSE(next);
}

CUVEE_TEST_CASE("offload: a running job that takes a stop_token is told of the cancel") {
  std::atomic<bool> running = false;
  auto job = [&running](std::stop_token stop) {
    running = true;
    running.notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 3;
  };
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { got = co_await offload(job); });
    co_await checkpoint();
    running.wait(false);
    h.cancel();
  });
  CHECK(got == 3);
}

CUVEE_TEST_CASE("offload: cancelled while it waits for a thread, is withdrawn at once") {
  testing::keep_fifo();
  gate door;
  std::atomic<int> ran = 0;
  auto blocking = [&door] { door.pass(); };
  auto counting = [&ran] { ran++; };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 8; i++) g.spawn([&]() -> task<> { co_await offload(blocking); });
    auto queued = g.spawn([&]() -> task<> { co_await offload(counting); });
    co_await checkpoint();
    door.await_entered(1);
    queued.cancel();
    co_await turns(2);
    CHECK(queued.was_cancelled());
    door.open();
  });
  CHECK(ran == 0);
}

CUVEE_TEST_CASE("offload: more jobs than threads, at most two run at once and all complete") {
  std::atomic<int> running = 0, most = 0, done = 0;
  auto job = [&] {
    int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    running--;
    done++;
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 100; i++) g.spawn([&]() -> task<> { co_await offload(job); });
    co_return;
  });
  CHECK(done == 100);
  // libuv's pool has four threads unless the environment says otherwise; two stay free.
  if (!std::getenv("UV_THREADPOOL_SIZE")) CHECK(most <= 2);
}

CUVEE_TEST_CASE("offload: under the virtual clock a job holds time still") {
  testing::virtual_clock clock;
  gate door;
  auto job = [&door] { door.pass(); };
  std::thread opener([&] {
    door.await_entered(1);
    door.open();
  });
  auto [done, slept] = co_await any_of(offload(job), sleep(1h));
  opener.join();
  CHECK(done.has_value());
  CHECK_FALSE(slept.has_value());
  CHECK(clock.elapsed() == 0s);
}

TEST_CASE("offload: loops in several threads share one limit, and all their jobs complete") {
  std::atomic<int> running = 0, most = 0, done = 0;
  auto job = [&] {
    int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    running--;
    done++;
  };
  auto body = [&] {
    loop l;
    l.run([&]() -> task<> {
      co_await task_group([&](group& g) -> task<> {
        for (int i = 0; i < 100; i++) g.spawn([&]() -> task<> { co_await offload(job); });
        co_return;
      });
    });
  };
  std::vector<std::thread> all;
  for (int i = 0; i < 4; i++) all.emplace_back(body);
  for (auto& t : all) t.join();
  CHECK(done == 400);
  if (!std::getenv("UV_THREADPOOL_SIZE")) CHECK(most <= 2);
}

TEST_CASE(
    "offload: a place handed to a loop whose job was withdrawn meanwhile, goes on to others") {
  for (int round = 0; round < 20; round++) {
    std::atomic<int> done = 0;
    auto body = [&] {
      loop l;
      l.run([&]() -> task<> {
        auto job = [&done] { done++; };
        co_await task_group([&](group& g) -> task<> {
          for (int i = 0; i < 10; i++) {
            auto kept = g.spawn([&]() -> task<> { co_await offload(job); });
            auto dropped = g.spawn([&]() -> task<> { co_await offload(job); });
            co_await checkpoint();
            dropped.cancel();
          }
        });
      });
    };
    std::thread other(body);
    body();
    other.join();
    CHECK(done >= 20);
  }
}

CUVEE_TEST_CASE("offload: with a limiter of 3 and 6 jobs, 3 run at once at most") {
  thread_limiter limit(3);
  std::atomic<int> done = 0;
  gate door;
  auto job = [&] {
    door.pass();
    done++;
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 6; i++)
      g.spawn([&]() -> task<> { co_await offload(limit, job).abandon_on_cancel(); });
    co_await checkpoint();
    door.await_entered(3);
    door.open();
  });
  CHECK(done == 6);
  auto end = limit.statistics();
  CHECK(end.running == 0);
  CHECK(end.waiting == 0);
  CHECK(end.peak == 3);
}

CUVEE_TEST_CASE("offload: jobs of libuv's pool wait for a limiter, too") {
  testing::keep_fifo();
  thread_limiter limit(1);
  gate door;
  auto blocking = [&door] { door.pass(); };
  auto give_five = [] { return 5; };
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { co_await offload(limit, blocking); });
    g.spawn([&]() -> task<> { got = co_await offload(limit, give_five); });
    auto withdrawn = g.spawn([&]() -> task<> { co_await offload(limit, give_five); });
    co_await checkpoint();
    door.await_entered(1);
    CHECK(limit.statistics().running == 1);
    CHECK(limit.statistics().waiting == 2);
    withdrawn.cancel();
    co_await turns(2);
    CHECK(withdrawn.was_cancelled());
    CHECK(limit.statistics().waiting == 1);
    door.open();
  });
  CHECK(got == 5);
  CHECK(limit.statistics().running == 0);
}

TEST_CASE("thread_limiter: a limit of 0 is refused") { CHECK_THROWS_AS(thread_limiter(0), error); }
