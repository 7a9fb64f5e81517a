// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing.h>
#include <cuvee/testing/doctest.h>

#include "gate.h"

#include <string>
#include <thread>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<> turns_then_wait(int turns, int& left, event& e) {
  for (left = turns; left > 0; left--) co_await checkpoint();
  co_await e.wait();
  left = -1;
}

}  // namespace

CUVEE_TEST_CASE("wait_all_tasks_blocked: returns when the others have run as far as they can") {
  event e;
  int left = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn(turns_then_wait, 3000, std::ref(left), std::ref(e));  // more than one drain
    co_await testing::wait_all_tasks_blocked();
    CHECK(left == 0);
    e.set();
    co_await testing::wait_all_tasks_blocked();
    CHECK(left == -1);
  });
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: a task that is alone goes on") {
  co_await testing::wait_all_tasks_blocked();
  co_await testing::wait_all_tasks_blocked(1ms);
  co_await testing::wait_all_tasks_blocked(-1s);
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: a checkpoint is not enough where others take turns") {
  event e;
  int left = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn(turns_then_wait, 50, std::ref(left), std::ref(e));
    co_await checkpoint();
    co_await checkpoint();
    CHECK(left > 0);
    co_await testing::wait_all_tasks_blocked();
    CHECK(left == 0);
    g.cancel();
  });
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: several wait at once, the shortest cushion goes first") {
  std::string order;
  auto waits = [&](char letter, duration cushion) -> task<> {
    co_await testing::wait_all_tasks_blocked(cushion);
    order += letter;
  };
  co_await gather(waits('c', 2ms), waits('a', 0ms), waits('b', 1ms), waits('a', 0ms));
  CHECK(order == "aabc");
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: a virtual clock stands still until it returns") {
  testing::virtual_clock clock;
  int left = 0;
  event e;
  auto sleeper = [&]() -> task<> { co_await sleep(1ns); };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(sleeper);
    g.spawn(turns_then_wait, 2000, std::ref(left), std::ref(e));
    co_await testing::wait_all_tasks_blocked();
    CHECK(clock.elapsed() == 0s);
    CHECK(left == 0);
    co_await testing::wait_all_tasks_blocked(2ms);
    CHECK(clock.elapsed() == 0s);
    e.set();
  });
  CHECK(clock.elapsed() == 1ns);
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: a job on a thread and what follows come first") {
  testing::virtual_clock clock;
  scenario::gate door;
  int after = 0;
  auto works = [&]() -> task<> {
    co_await offload([&] { door.pass(); });
    for (after = 0; after < 5; after++) co_await checkpoint();
    co_await forever();
  };
  std::thread opener([&] { door.await_entered(1), door.open(); });
  co_await task_group([&](group& g) -> task<> {
    g.spawn(works);
    co_await testing::wait_all_tasks_blocked();
    CHECK(after == 5);
    g.cancel();
  });
  opener.join();
}

CUVEE_TEST_CASE("wait_all_tasks_blocked: what another thread has posted is seen first") {
  loop_ref home = loop::current().ref();
  bool posted = false;
  std::thread other([&] { home.post([&] { posted = true; }); });
  other.join();
  co_await testing::wait_all_tasks_blocked();
  CHECK(posted);
}

CUVEE_TEST_CASE(
    "wait_all_tasks_blocked: with a cushion, timers of the real clock that are due earlier fire") {
  bool woken = false;
  auto sleeper = [&]() -> task<> {
    co_await sleep(2ms);
    woken = true;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(sleeper);
    co_await testing::wait_all_tasks_blocked(100ms);
    CHECK(woken);
  });
}

CUVEE_TEST_CASE(
    "wait_all_tasks_blocked: cancelled before and while it waits, others keep waiting") {
  auto never = []() -> task<> { co_await testing::wait_all_tasks_blocked(1h); };
  bool later = false;
  auto cut = [&]() -> task<> {
    co_await move_on_after(0s, never());
    later = true;
    co_await forever();
  };
  co_await task_group([&](group& g) -> task<> {
    auto early = g.spawn(never);
    early.cancel();
    g.spawn(cut);
    co_await testing::wait_all_tasks_blocked(2ms);
    CHECK(later);
    g.cancel();
  });
}

TEST_CASE("wait_all_tasks_blocked: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    auto waits = []() -> task<> { co_await testing::wait_all_tasks_blocked(); };
    auto busy = []() -> task<> {
      for (int i = 0; i < 5; i++) co_await checkpoint();
    };
    co_await gather(waits(), busy(), waits(), testing::wait_all_tasks_blocked(1ms));
  });
  CHECK(report.suspensions >= 8);
  CHECK(report.leaks == "");
}
