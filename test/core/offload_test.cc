// SPDX-License-Identifier: MIT
// EXE-8, EXE-9 (own threads) come with thread_pool; CAN-21's abandon comes later.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// A door for jobs: they wait at it until the test opens it.
class gate {
 public:
  void open() { open_.store(true), open_.notify_all(); }
  void pass() {
    entered_.fetch_add(1), entered_.notify_all();
    open_.wait(false);
  }
  void await_entered(int n) {
    for (int seen = entered_.load(); seen < n; seen = entered_.load()) entered_.wait(seen);
  }
  int entered() const { return entered_.load(); }

 private:
  std::atomic<bool> open_ = false;
  std::atomic<int> entered_ = 0;
};

}  // namespace

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
