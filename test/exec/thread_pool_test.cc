// SPDX-License-Identifier: MIT
#include "exec_case.h"

#include <cuvee/io.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <pthread.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {
auto edeadlk = std::make_error_code(std::errc::resource_deadlock_would_occur);
}

CUVEE_TEST_CASE("thread_pool: gives the value of a job, which ran on a thread named cuvee-pool") {
  thread_pool pool(2);
  auto own = std::this_thread::get_id();
  auto name = [] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof text);
    return std::make_pair(std::this_thread::get_id(), std::string(text));
  };
  auto where = co_await pool.run(name);
  CHECK(where.first != own);
  CHECK(where.second == "cuvee-pool");
  auto owned = co_await pool.run([] { return std::make_unique<int>(5); });
  CHECK(*owned == 5);
  auto nothing = [] {};
  co_await pool.run(nothing);
}

CUVEE_TEST_CASE("thread_pool: an exception in a job reaches the awaiter with its type") {
  thread_pool pool(1);
  std::string why;
  try {
    co_await pool.run([]() -> int { throw boom("job"); });
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "job");
}

CUVEE_TEST_CASE("thread_pool: a job sees the context variables its awaiter had bound") {
  static context_var<int> level{1};
  thread_pool pool(1);
  auto bound = level.bind(6);
  int seen = co_await pool.run([] { return level.get(); });
  CHECK(seen == 6);
}

CUVEE_TEST_CASE("thread_pool: cancelled before it suspends, the job never runs") {
  thread_pool pool(1);
  std::atomic<bool> ran = false;
  auto job = [&ran] { ran = true; };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await pool.run(job);
  });
  CHECK_FALSE(ran);
  CHECK(pool.statistics().threads == 0);
}

CUVEE_TEST_CASE("thread_pool: cancelled while it runs, is waited for and its result wins") {
  thread_pool pool(1);
  gate door;
  auto job = [&door] {
    door.pass();
    return 7;
  };
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { got = co_await pool.run(job); });
    co_await checkpoint();
    door.await_entered(1);
    h.cancel();
    co_await turns(3);
    CHECK_FALSE(h.done());
    door.open();
  });
  CHECK(got == 7);
}

CUVEE_TEST_CASE("thread_pool: 4 jobs that block and 16 in the queue, which a cancel withdraws") {
  testing::keep_fifo();
  thread_pool pool(4);
  gate door;
  std::atomic<int> ran = 0;
  auto blocking = [&door] { door.pass(); };
  auto counting = [&ran] { ran++; };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> queued;
    for (int i = 0; i < 4; i++) g.spawn([&]() -> task<> { co_await pool.run(blocking); });
    co_await checkpoint();
    door.await_entered(4);
    for (int i = 0; i < 16; i++)
      queued.push_back(g.spawn([&]() -> task<> { co_await pool.run(counting); }));
    co_await checkpoint();
    CHECK(pool.statistics().threads == 4);
    CHECK(pool.statistics().queued == 16);
    CHECK(pool.statistics().running == 4);
    for (auto& h : queued) h.cancel();
    co_await turns(2);
    for (auto& h : queued) CHECK(h.was_cancelled());
    CHECK(pool.statistics().queued == 0);
    door.open();
  });
  CHECK(ran == 0);
  CHECK(pool.statistics().ended == 4);
}

CUVEE_TEST_CASE("thread_pool: abandoned, a running job is left to itself and its result dropped") {
  thread_pool pool(1);
  gate door;
  auto token = std::make_shared<int>(1);
  std::weak_ptr<int> seen = token;
  auto job = [&door, token] { door.pass(); };
  token.reset();
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&, moved = std::move(job)]() mutable -> task<> {
      co_await pool.run(std::move(moved)).abandon_on_cancel();
    });
    co_await checkpoint();
    door.await_entered(1);
    h.cancel();
    co_await turns(2);
    CHECK(h.was_cancelled());
  });
  CHECK_FALSE(seen.expired());
  door.open();
  while (!seen.expired()) co_await checkpoint();
}

CUVEE_TEST_CASE("thread_pool: jobs begin in the order they came") {
  testing::keep_fifo();
  thread_pool pool(1);
  std::vector<int> came, order;
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 20; i++)
      g.spawn(
          [&](int n) -> task<> {
            auto job = [&order, n] { order.push_back(n); };
            came.push_back(n);
            co_await pool.run(job);
          },
          i);
    co_return;
  });
  REQUIRE(order.size() == 20);
  CHECK(order == came);
}

CUVEE_TEST_CASE("thread_pool: 1000 jobs one after another reuse one thread") {
  thread_pool pool(8);
  std::set<std::thread::id> seen;
  for (int i = 0; i < 1000; i++) {
    auto id = co_await pool.run([] { return std::this_thread::get_id(); });
    seen.insert(id);
  }
  CHECK(seen.size() == 1);
  CHECK(pool.statistics().threads == 1);
  CHECK(pool.statistics().ended == 1000);
}

CUVEE_TEST_CASE("thread_pool: threads that idle go after their time, and come again") {
  thread_pool pool(3);
  pool.set_idle_time(1ms);
  auto nothing = [] {};
  for (int round = 0; round < 3; round++) {
    co_await gather(pool.run(nothing), pool.run(nothing), pool.run(nothing));
    while (pool.statistics().threads != 0) co_await sleep(1ms);
  }
  CHECK(pool.statistics().ended == 9);
}

CUVEE_TEST_CASE("thread_pool: a limiter narrower than the pool holds") {
  thread_pool pool(8);
  thread_limiter limit(3);
  std::atomic<int> running = 0, most = 0;
  auto job = [&] {
    int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    running--;
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 60; i++) g.spawn([&]() -> task<> { co_await pool.run(limit, job); });
    co_return;
  });
  CHECK(most <= 3);
  CHECK(limit.statistics().peak <= 3);
  CHECK(limit.statistics().running == 0);
}

TEST_CASE("thread_pool: a plain thread may block for the result, and gets the job's exception") {
  thread_pool pool;
  auto five = pool.submit([] { return 5; });
  CHECK(five.get() == 5);
  auto nothing = pool.submit([] {});
  nothing.get();
  auto failing = pool.submit([]() -> int { throw boom(); });
  CHECK_THROWS_AS(failing.get(), boom);
  auto plain = pool.submit([] { return 6; }).to_future();
  CHECK(plain.get() == 6);
}

CUVEE_TEST_CASE("thread_pool: a blocking get on a thread that runs a loop is refused") {
  thread_pool pool(1);
  auto five = pool.submit([] { return 5; });
  CHECK(code_of([&] { five.get(); }) == edeadlk);
  while (!five.ready()) co_await checkpoint();
  CHECK(five.ready());
}

CUVEE_TEST_CASE("thread_pool: under the virtual clock a job holds time still") {
  testing::virtual_clock clock;
  thread_pool pool(1);
  gate door;
  auto job = [&door] { door.pass(); };
  std::thread opener([&] {
    door.await_entered(1);
    door.open();
  });
  auto [done, slept] = co_await any_of(pool.run(job), sleep(1h));
  opener.join();
  CHECK(done.has_value());
  CHECK_FALSE(slept.has_value());
  CHECK(clock.elapsed() == 0s);
}

TEST_CASE("thread_pool: cancelled at any suspension, nothing leaks and nothing hangs") {
  thread_pool pool(2);
  auto quick = [] { return 1; };
  auto r = testing::torture([&]() -> task<> {
    co_await pool.run(quick);
    co_await gather(pool.run(quick), pool.run(quick).abandon_on_cancel(), pool.run(quick));
  });
  CHECK(r.leaks == "");
  CHECK(r.suspensions >= 2);
}

TEST_CASE("thread_pool: a pool without threads is refused") {
  CHECK(code_of([] { thread_pool none(0); }) == std::make_error_code(std::errc::invalid_argument));
}

CUVEE_TEST_CASE("offload: four jobs that block leave name lookups their threads") {
  if (std::getenv("UV_THREADPOOL_SIZE")) co_return;  // perhaps too small to leave any
  gate door;
  auto blocking = [&door] { door.pass(); };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 4; i++) g.spawn([&]() -> task<> { co_await offload(blocking); });
    co_await checkpoint();
    door.await_entered(1);
    auto numeric = co_await resolve("127.0.0.1", 80);
    auto named = co_await as_result(resolve("localhost", 80));  // any answer, but an answer
    CHECK(numeric.size() == 1);
    if (named) CHECK_FALSE(named->empty());
    door.open();
  });
}
