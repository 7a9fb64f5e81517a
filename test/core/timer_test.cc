// SPDX-License-Identifier: MIT
// TMR-12 (handles of timers): a timer has none, it is the awaiter itself and leaves the heap with it; of
// deadlines see timer_life_test.cc.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("timer: 10,000 equal deadlines fire in start order") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  std::vector<int> order;
  time_point when = loop::current().now() + 1s;
  auto wait = [&](int i) -> task<> {
    co_await sleep_until(when);
    order.push_back(i);
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 10'000; i++) g.spawn(wait, i);
    co_return;
  });
  REQUIRE(order.size() == 10'000);
  for (int i = 0; i < 10'000; i++) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

CUVEE_TEST_CASE("timer: random deadlines, a third of them cancelled, fire in deadline order") {
  testing::virtual_clock clock;
  std::mt19937 random(7);
  std::vector<duration> fired;
  auto wait = [&](duration d) -> task<> {
    co_await sleep(d);
    CHECK(clock.elapsed() == d);
    fired.push_back(d);
  };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> handles;
    for (int i = 0; i < 999; i++)
      handles.push_back(g.spawn(wait, duration(std::chrono::milliseconds(1 + random() % 5000))));
    co_await checkpoint();
    for (std::size_t i = 0; i < handles.size(); i += 3) handles[i].cancel();
  });
  CHECK(fired.size() == 666);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}

CUVEE_TEST_CASE("timer: real sleeps never end early and end in deadline order") {
  testing::keep_fifo();
  std::string order;
  auto wait = [&](duration d, char c) -> task<> {
    auto before = std::chrono::steady_clock::now();
    co_await sleep(d);
    CHECK(std::chrono::steady_clock::now() - before >= d);
    order += c;
  };
  for (int i = 0; i < 5; i++) {
    order.clear();
    co_await gather(wait(3ms, 'c'), wait(1ms, 'a'), wait(2500us, 'b'), wait(0ms, '0'));
    CHECK(order == "0abc");
  }
}

CUVEE_TEST_CASE("timer: 69.99 ms eight times at once, each takes at least that" *
                doctest::test_suite("slow")) {
  auto wait = []() -> task<> {
    auto before = std::chrono::steady_clock::now();
    co_await sleep(69'990us);
    CHECK(std::chrono::steady_clock::now() - before >= 69'990us);
  };
  std::vector<task<>> all;
  for (int i = 0; i < 8; i++) all.push_back(wait());
  co_await gather(std::move(all));
}

CUVEE_TEST_CASE("timer: a busy loop between two sleeps does not shorten the second") {
  auto before = std::chrono::steady_clock::now();
  co_await sleep(1ms);
  auto until = std::chrono::steady_clock::now() + 5ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  co_await sleep(5ms);
  CHECK(std::chrono::steady_clock::now() - before >= 11ms);
}

CUVEE_TEST_CASE(
    "timer: zero or negative, the next turn, after what was posted, and not a ms later") {
  std::string trace;
  loop::current().ref().post([&] { trace += 'p'; });
  auto other = [&]() -> task<> {
    trace += 'o';
    co_return;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(other);
    co_await sleep(-5s);
    trace += 's';
  });
  CHECK(trace.size() == 3);
  CHECK(trace.back() == 's');
  std::chrono::nanoseconds fastest = 1h;  // others may have the processor for a while
  for (int round = 0; round < 20 && fastest > 50ms; round++) {
    auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; i++) co_await sleep(0s);
    fastest =
        std::min<std::chrono::nanoseconds>(fastest, std::chrono::steady_clock::now() - before);
  }
  CHECK(fastest < 50ms);
}

CUVEE_TEST_CASE("timer: absurdly long sleeps are cancelled promptly") {
  testing::virtual_clock clock;
  using days = std::chrono::duration<double, std::ratio<86400>>;
  auto [cut, a, b, c, d, e, f] = co_await any_of(
      sleep(100ms), sleep(std::chrono::duration<double>(std::numeric_limits<double>::infinity())),
      sleep(std::chrono::seconds(std::int64_t{1} << 54)),
      sleep(std::chrono::seconds(std::int64_t{1} << 55)), sleep(std::chrono::seconds::max()),
      sleep(duration::max()), sleep(days(1e300)));
  CHECK(cut.has_value());
  CHECK_FALSE((a || b || c || d || e || f));
  CHECK(clock.elapsed() == 100ms);
}

CUVEE_TEST_CASE("timer: NaN is rejected, minus infinity is no time at all") {
  testing::virtual_clock clock;
  std::error_code code;
  try {
    co_await sleep(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == std::errc::invalid_argument);
  co_await sleep(std::chrono::duration<double>(-std::numeric_limits<double>::infinity()));
  co_await sleep(std::chrono::seconds::min());
  co_await sleep_until(time_point::min());
  CHECK(clock.elapsed() == 0s);
}

CUVEE_TEST_CASE("timer: cancelled, it is gone at once: no later turn of the clock sees it") {
  testing::virtual_clock clock;
  co_await any_of(checkpoint(), sleep(1h));
  co_await sleep(1ms);
  CHECK(clock.elapsed() == 1ms);
}

CUVEE_TEST_CASE("timer: sleep cancelled before it suspends, arms nothing") {
  testing::virtual_clock clock;
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await sleep(1s);
    after = true;
  });
  CHECK_FALSE(after);
  CHECK(clock.elapsed() == 0s);
}

CUVEE_TEST_CASE("timer: sleep_until a moment that has passed, the next turn") {
  testing::virtual_clock clock;
  co_await sleep(2s);
  co_await sleep_until(loop::current().now() - 1s);
  CHECK(clock.elapsed() == 2s);
  co_await sleep_until(loop::current().now() + 1s);
  CHECK(clock.elapsed() == 3s);
}
