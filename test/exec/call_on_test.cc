// SPDX-License-Identifier: MIT
#include "exec_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("call_on: a function and a task run on the other loop and give their values") {
  guest_loop guest;
  auto own = std::this_thread::get_id();
  auto where = co_await call_on(guest.ref(), [] { return std::this_thread::get_id(); });
  CHECK(where == guest.id());
  CHECK(where != own);
  auto later = []() -> task<std::unique_ptr<int>> {
    co_await sleep(1ms);
    co_return std::make_unique<int>(5);
  };
  auto value = co_await call_on(guest.ref(), later);
  CHECK(*value == 5);
  auto nothing = []() -> task<> { co_await checkpoint(); };
  co_await call_on(guest.ref(), nothing);
}

CUVEE_TEST_CASE("call_on: an exception there comes back with its type") {
  guest_loop guest;
  int caught = 0;
  try {
    co_await call_on(guest.ref(), []() -> int { throw boom(); });
  } catch (const boom&) {
    caught++;
  }
  try {
    co_await call_on(guest.ref(), [] { return fail_later(); });
  } catch (const boom&) {
    caught++;
  }
  CHECK(caught == 2);
}

CUVEE_TEST_CASE("call_on: the loop's own ref works, too") {
  loop_ref self = loop::current().ref();
  int got = co_await call_on(self, [] { return give_later(4); });
  CHECK(got == 4);
}

CUVEE_TEST_CASE("call_on: cancelled before it suspends, nothing is called") {
  guest_loop guest;
  std::atomic<bool> called = false;
  auto call = [&called] { called = true; };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await call_on(guest.ref(), call);
  });
  CHECK_FALSE(called);
}

CUVEE_TEST_CASE("call_on: cancelled before it began there, is withdrawn at once and never runs") {
  guest_loop guest;
  gate door;
  guest.ref().post([&door] { door.pass(); });  // the other loop stands still
  door.await_entered(1);
  std::atomic<bool> called = false;
  auto call = [&called]() -> task<> {
    called = true;
    co_return;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await call_on(guest.ref(), call); });
    co_await checkpoint();
    h.cancel();
    co_await turns(2);
    CHECK(h.was_cancelled());
  });
  door.open();
  guest.leave();
  CHECK_FALSE(called);
}

CUVEE_TEST_CASE("call_on: cancelled while the task runs, it is cancelled and its end awaited") {
  guest_loop guest;
  std::string trace;
  std::atomic<int> stage = 0;
  auto call = [&]() -> task<> {
    mark m(trace, 'm');
    stage = 1;
    stage.notify_all();
    co_await stubborn(trace, 'x');
    co_await forever();
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await call_on(guest.ref(), call); });
    co_await checkpoint();
    stage.wait(0);
    h.cancel();
  });
  CHECK(trace == "sxm");
}

CUVEE_TEST_CASE("call_on: cancelled, but the task there returns all the same: its result wins") {
  guest_loop guest;
  std::atomic<int> stage = 0;
  auto call = [&]() -> task<int> {
    stage = 1;
    stage.notify_all();
    co_await shield(sleep(2ms));
    co_return 6;
  };
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { got = co_await call_on(guest.ref(), call); });
    co_await checkpoint();
    stage.wait(0);
    h.cancel();
  });
  CHECK(got == 6);
}

CUVEE_TEST_CASE("call_on: to a loop that is gone, loop_closed") {
  guest_loop guest;
  guest.leave();
  auto r = co_await as_result(call_on(guest.ref(), [] { return 1; }));
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().code() == errc::loop_closed);
}

CUVEE_TEST_CASE("call_on: the other loop's main task ends meanwhile: cleanup there, loop_closed") {
  guest_loop guest;
  std::string trace;
  auto call = [&]() -> task<> {
    guest.ask_to_leave();
    co_await hang(trace, 'x');
  };
  auto r = co_await as_result(call_on(guest.ref(), call));
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().code() == errc::loop_closed);
  CHECK(trace == "x");
}

CUVEE_TEST_CASE("call_on: accepted by a loop that goes without running it, loop_closed") {
  auto idle = std::make_unique<std::optional<loop_ref>>();
  std::latch made(1), go(1);
  std::thread owner([&] {
    loop l;
    idle->emplace(l.ref());
    made.count_down();
    go.wait();
  });
  made.wait();
  auto call = [] { return 1; };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<int> {
      auto r = co_await as_result(call_on(**idle, call));
      co_return r ? 0 : r.error().code() == errc::loop_closed ? 1 : 2;
    });
    co_await checkpoint();
    go.count_down();
    int got = co_await h.join();
    CHECK(got == 1);
  });
  owner.join();
}

CUVEE_TEST_CASE("call_on: under the virtual clock, time stands still for the other loop") {
  testing::virtual_clock clock;
  guest_loop guest;
  auto call = []() -> task<int> { return nap(2ms, 3); };
  auto [got, slept] = co_await any_of(call_on(guest.ref(), call), sleep(1h));
  CHECK(got == 3);
  CHECK_FALSE(slept.has_value());
}

TEST_CASE("call_on: cancelled at any suspension, nothing leaks and nothing hangs") {
  guest_loop guest;
  auto call = []() -> task<int> { return give_later(1); };
  auto plain = [] { return 1; };
  auto r = testing::torture([&]() -> task<> {
    co_await call_on(guest.ref(), call);
    co_await gather(call_on(guest.ref(), plain), call_on(guest.ref(), call));
  });
  CHECK(r.leaks == "");
  CHECK(r.suspensions >= 2);
}
