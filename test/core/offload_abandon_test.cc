// SPDX-License-Identifier: MIT
#include "gate.h"
#include "in_child.h"
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// What an abandoned job shares with its test, which waits until all of it is gone.
struct shared_door {
  gate door;
  std::atomic<bool> dropped = false;
};
struct drop_mark {
  explicit drop_mark(std::shared_ptr<shared_door> d) noexcept : at(std::move(d)) {}
  drop_mark(drop_mark&&) noexcept = default;
  ~drop_mark() {
    if (at) at->dropped.store(true), at->dropped.notify_all();
  }
  std::shared_ptr<shared_door> at;
};
auto job_at(std::shared_ptr<shared_door> at) {
  return [mark = drop_mark(std::move(at))] {
    mark.at->door.pass();
    return std::make_unique<int>(7);
  };
}

}  // namespace

CUVEE_TEST_CASE("offload: abandon_on_cancel without a cancel gives value and exception as ever") {
  auto own = std::this_thread::get_id();
  auto where = [] { return std::this_thread::get_id(); };
  auto other = co_await offload(where).abandon_on_cancel();
  CHECK(other != own);
  std::string why;
  auto failing = []() -> int { throw boom("job"); };
  try {
    co_await offload(failing).abandon_on_cancel();
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "job");
}

CUVEE_TEST_CASE(
    "offload: abandoned, returns at once and the job's result is dropped when it ends") {
  auto at = std::make_shared<shared_door>();
  bool value = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      auto job = job_at(at);
      auto got = co_await offload(std::move(job)).abandon_on_cancel();
      value = got != nullptr;
    });
    co_await checkpoint();
    at->door.await_entered(1);
    h.cancel();
    co_await turns(2);
    CHECK(h.was_cancelled());
  });
  CHECK_FALSE(value);
  CHECK_FALSE(at->dropped);
  at->door.open();
  while (!at->dropped) co_await checkpoint();
}

CUVEE_TEST_CASE("offload: abandoned, a job that takes a stop_token is told") {
  auto told = std::make_shared<std::atomic<int>>(0);
  auto job = [told](std::stop_token stop) {
    *told = 1;
    told->notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    *told = 2;
    told->notify_all();
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { co_await offload(job).abandon_on_cancel(); });
    co_await checkpoint();
    told->wait(0);
    g.cancel();
  });
  told->wait(1);
  CHECK(*told == 2);
}

CUVEE_TEST_CASE("offload: an abandoned job keeps its place in the limiter until its thread ends") {
  thread_limiter limit(1);
  auto at = std::make_shared<shared_door>();
  bool next_ran = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      auto job = job_at(at);
      co_await offload(limit, std::move(job)).abandon_on_cancel();
    });
    co_await checkpoint();
    at->door.await_entered(1);
    h.cancel();
    auto next = g.spawn([&]() -> task<> {
      auto set = [&next_ran] { next_ran = true; };
      co_await offload(limit, set);
    });
    co_await turns(5);
    CHECK(h.was_cancelled());
    CHECK(limit.statistics().running == 1);
    CHECK(limit.statistics().waiting == 1);
    CHECK_FALSE(next.done());
    at->door.open();
  });
  CHECK(next_ran);
}

TEST_CASE("offload: an abandoned job that ends after its loop is gone, is dropped") {
  auto at = std::make_shared<shared_door>();
  {
    loop l;
    l.run([&]() -> task<> {
      auto job = job_at(at);
      // A job that no thread has begun would be withdrawn.
      auto begun = [&]() -> task<> {
        while (at->door.entered() == 0) co_await sleep(1ms);
      };
      auto [ended, late] = co_await any_of(offload(std::move(job)).abandon_on_cancel(), begun());
      CHECK_FALSE(ended.has_value());
    });
  }
  CHECK_FALSE(at->dropped);
  at->door.open();
  at->dropped.wait(false);
  CHECK(at.use_count() >= 1);
}

TEST_CASE("offload: cancelled at any suspension, nothing leaks and nothing hangs") {
  auto quick = [] { return 1; };
  thread_limiter limit(1);
  auto r = testing::torture([&]() -> task<> {
    co_await offload(quick);
    co_await offload(limit, quick);
    co_await offload(quick).abandon_on_cancel();
    co_await gather(offload(limit, quick), offload(limit, quick).abandon_on_cancel());
  });
  CHECK(r.leaks == "");
  CHECK(r.suspensions >= 4);
}

CUVEE_TEST_CASE("offload: an abandonable job holds virtual time still until it is abandoned") {
  testing::virtual_clock clock;
  auto at = std::make_shared<shared_door>();
  auto job = job_at(at);
  std::thread opener([at] {
    at->door.await_entered(1);
    at->door.open();
  });
  auto [done, slept] = co_await any_of(offload(std::move(job)).abandon_on_cancel(), sleep(1h));
  opener.join();
  CHECK(done.has_value());
  CHECK_FALSE(slept.has_value());
  CHECK(clock.elapsed() == 0s);
}

TEST_CASE("offload: with a stuck abandonable job, one Ctrl-C ends the process" *
          doctest::skip(no_threads_in_child)) {
  child_end end = in_child([] {
    return run([]() -> task<> {
      auto stuck = [] {
        std::raise(SIGINT);
        for (;;) std::this_thread::sleep_for(1h);
      };
      co_await offload(stuck).abandon_on_cancel();
    });
  });
  CHECK(end.exited_with(130));
}
