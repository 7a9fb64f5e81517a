// SPDX-License-Identifier: MIT
// TMO-9, 10 (movable deadlines) and effective_deadline of TMO-15 come with scopes. What many timeouts leave is
// in timer_life_test.cc, what they cost is a row of the bench.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

template <class A>
task<bool> times_out(A awaitable) {
  try {
    co_await std::move(awaitable);
    co_return false;
  } catch (const timeout_error&) {
    co_return true;
  }
}

}  // namespace

CUVEE_TEST_CASE("timeout: in time, gives the value and leaves no timer") {
  testing::virtual_clock clock;
  int value = co_await timeout(1h, nap(1s, 7));
  CHECK(value == 7);
  co_await timeout(1h, checkpoint());
  CHECK(clock.elapsed() == 1s);
  co_await sleep(2h);
  CHECK(clock.elapsed() == 2h + 1s);
}

CUVEE_TEST_CASE("timeout: 10 ms around a sleep of 10 s, throws at 10 ms") {
  testing::virtual_clock clock;
  bool expired = co_await times_out(timeout(10ms, sleep(10s)));
  CHECK(expired);
  CHECK(clock.elapsed() == 10ms);
}

CUVEE_TEST_CASE("timeout: the error is a timeout_error with code timed_out") {
  std::string text;
  std::error_code code;
  try {
    co_await timeout(0s, forever());
  } catch (const error& e) {
    text = e.what();
    code = e.code();
  }
  CHECK(text == "timeout 0 s: timed out");
  CHECK(code == std::errc::timed_out);
}

CUVEE_TEST_CASE("timeout: the error tells the limit in the unit that fits") {
  testing::virtual_clock clock;
  auto told = [](auto limited) -> task<std::string> {
    auto ended = co_await as_result(std::move(limited));
    co_return ended.error().what();
  };
  std::string ms = co_await told(timeout(1500ms, forever()));
  CHECK(ms == "timeout 1500 ms: timed out");
  std::string us = co_await told(timeout(1500us, forever()));
  CHECK(us == "timeout 1500 us: timed out");
  std::string ns = co_await told(timeout(1501ns, forever()));
  CHECK(ns == "timeout 1501 ns: timed out");
  std::string moment = co_await told(timeout_at(loop::current().now(), forever()));
  CHECK(moment == "timeout: timed out");
}

CUVEE_TEST_CASE("timeout: zero or negative, cuts a sleep of zero but not code without an await") {
  bool zero = co_await times_out(timeout(0s, sleep(0s)));
  CHECK(zero);
  bool negative = co_await times_out(timeout(-11s, nap(0s, 1)));
  CHECK(negative);
  int value = co_await timeout(-1s, give(3));
  CHECK(value == 3);
}

CUVEE_TEST_CASE("timeout: another failure of the body passes unchanged") {
  bool caught = false;
  try {
    co_await timeout(1h, fail_later());
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("timeout: the awaiting task is cancelled first, that is no timeout") {
  testing::virtual_clock clock;
  bool timed_out = false, after = false;
  auto body = [&]() -> task<> {
    timed_out = co_await times_out(timeout(10s, sleep(20s)));
    after = true;
  };
  co_await any_of(sleep(100ms), body());
  CHECK_FALSE(timed_out);
  CHECK_FALSE(after);
  CHECK(clock.elapsed() == 100ms);
}

CUVEE_TEST_CASE("timeout: outer 2 ms and inner 100 ms, the outer wins") {
  testing::virtual_clock clock;
  bool inner = false, outer = false;
  auto body = [&]() -> task<> { inner = co_await times_out(timeout(100ms, sleep(1s))); };
  try {
    co_await timeout(2ms, body());
  } catch (const timeout_error&) {
    outer = true;
  }
  CHECK(outer);
  CHECK_FALSE(inner);
  CHECK(clock.elapsed() == 2ms);
}

CUVEE_TEST_CASE("timeout: a body whose cleanup takes 200 ms, returns after it") {
  testing::virtual_clock clock;
  std::string trace;
  bool expired = co_await times_out(timeout(50ms, stubborn(trace, 'a', 200ms)));
  CHECK_FALSE(expired);  // it ignored the cancel and completed: the value wins
  CHECK(trace == "sa");
  auto cleanup = [&]() -> task<> {
    co_await shield(sleep(200ms));
    co_await checkpoint();
    trace += 'x';
  };
  expired = co_await times_out(timeout(50ms, cleanup()));
  CHECK(expired);
  CHECK(trace == "sa");
  CHECK(clock.elapsed() == 400ms);
}

CUVEE_TEST_CASE("timeout: completion at the very deadline, the value is never lost") {
  testing::virtual_clock clock;
  for (int i = 0; i < 1000; i++) co_await timeout(1s, sleep(1s));  // its timer was started first
  CHECK(clock.elapsed() == 1000s);
}

CUVEE_TEST_CASE("timeout: completion and a cancel from outside in one turn, both are honoured") {
  for (int i = 0; i < 1000; i++) {
    event e;
    bool got = false, next = false;
    auto body = [&]() -> task<> {
      co_await timeout(1h, e.wait());
      got = true;
      co_await checkpoint();
      next = true;
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(body);
      co_await checkpoint();
      e.set();
      h.cancel();
    });
    REQUIRE(got);
    REQUIRE_FALSE(next);
  }
}

CUVEE_TEST_CASE(
    "timeout: cancelled before it suspends, the body does not start, a shield in it does") {
  std::string trace;
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await timeout(1h, shield(stubborn(trace, 's', 0ms)));
    after = true;  // the value was there, the cancel waits for the next await
    co_await timeout(1h, stubborn(trace, 'x'));
  });
  CHECK(trace == "ss");
  CHECK(after);
}

CUVEE_TEST_CASE("move_on_after: in time gives the value, late gives nothing and says so") {
  testing::virtual_clock clock;
  auto in_time = co_await move_on_after(2s, nap(1s, 3));
  CHECK(in_time == 3);
  auto late = co_await move_on_after(1s, nap(2s, 3));
  CHECK_FALSE(late.has_value());
  CHECK(clock.elapsed() == 2s);
  auto cut = co_await move_on_after(1s, sleep(2s));
  CHECK_FALSE(cut.has_value());
  auto whole = co_await move_on_after(1s, checkpoint());
  CHECK(whole.has_value());
}

CUVEE_TEST_CASE("move_on_after: inside and outside a timeout, the nearest deadline rules") {
  testing::virtual_clock clock;
  bool expired = false;
  try {
    co_await timeout(1s, move_on_after(2s, sleep(1h)));
  } catch (const timeout_error&) {
    expired = true;
  }
  CHECK(expired);
  CHECK(clock.elapsed() == 1s);
  auto cut = co_await move_on_after(1s, timeout(2s, sleep(1h)));
  CHECK_FALSE(cut.has_value());
  CHECK(clock.elapsed() == 2s);
}

CUVEE_TEST_CASE("move_on_after: nested around an any_of of tasks, all frames go") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  std::string trace;
  auto cut = co_await move_on_after(
      1ms, timeout(1h, any_of(hang(trace, 'a'), hang(trace, 'b'), forever())));
  CHECK_FALSE(cut.has_value());
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("move_on_after: a failure of the body passes") {
  bool caught = false;
  try {
    co_await move_on_after(1h, fail_now());
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("move_on_after: cancelled while suspended, ends as cancelled") {
  testing::virtual_clock clock;
  std::string trace;
  bool after = false;
  auto body = [&]() -> task<> {
    co_await move_on_after(1h, hang(trace, 'a'));
    after = true;
  };
  co_await any_of(sleep(1s), body());
  CHECK(trace == "a");
  CHECK_FALSE(after);
}
