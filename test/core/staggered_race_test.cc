// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <functional>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// Attempts that take given times; notes when each starts and which were cut short.
struct attempts {
  testing::virtual_clock clock;
  std::vector<duration> started;
  std::string cut;
  bool reachable = true;

  task<int> connect(duration takes, int host) {
    started.push_back(clock.elapsed());
    mark socket(cut, static_cast<char>('0' + host));
    co_await sleep(takes);
    mark closed_by_winner(std::move(socket));
    if (!reachable) throw error(errc::closed, "connect", std::to_string(host));
    co_return host;
  }
  std::vector<task<int>> hosts(auto... times) {
    std::vector<task<int>> all;
    (all.push_back(connect(times, static_cast<int>(all.size()))), ...);
    return all;
  }
};

}  // namespace

CUVEE_TEST_CASE(
    "staggered_race: hosts of 1, 1 and 0.2 s and a delay of 0.25 s, the third wins at 0.7 s") {
  testing::keep_fifo();
  attempts a;
  auto [index, value, errors] = co_await staggered_race(250ms, a.hosts(1s, 1s, 200ms));
  CHECK(a.clock.elapsed() == 700ms);
  CHECK(index == 2);
  CHECK(value == 2);
  CHECK(errors.empty());
  CHECK(a.started == std::vector<duration>{0ms, 250ms, 500ms});
  CHECK(a.cut == "201");
}

CUVEE_TEST_CASE("staggered_race: four that fail, one error with all four at 10.3 s") {
  attempts a;
  a.reachable = false;
  std::string first;
  std::vector<std::string> later;
  try {
    co_await staggered_race(250ms, a.hosts(100ms, 200ms, 10s, 250ms));
  } catch (const error& e) {
    first = e.subject();
    for (const auto& s : suppressed()) later.push_back(as_error(s).subject());
  }
  CHECK(a.clock.elapsed() == 10300ms);
  CHECK(first == "0");
  CHECK(later == std::vector<std::string>{"1", "3", "2"});
  CHECK(a.started == std::vector<duration>{0ms, 100ms, 300ms, 550ms});
}

CUVEE_TEST_CASE("staggered_race: an empty container is refused") {
  CHECK_THROWS_AS((void)staggered_race(1s, std::vector<task<int>>()), error);
  CHECK_THROWS_AS((void)staggered_race(1s, std::vector<task<int> (*)()>()), error);
  co_return;
}

CUVEE_TEST_CASE("staggered_race: the failure of an older attempt starts nothing") {
  testing::virtual_clock clock;
  std::vector<duration> started;
  auto attempt = [&](duration takes, bool fails) -> task<int> {
    started.push_back(clock.elapsed());
    co_await sleep(takes);
    if (fails) throw boom();
    co_return 1;
  };
  std::vector<task<int>> all;
  all.push_back(attempt(1200ms, true));
  all.push_back(attempt(5s, false));
  all.push_back(attempt(5s, false));
  auto r = co_await staggered_race(1s, std::move(all));
  CHECK(r.index == 1);
  CHECK(r.errors.size() == 1);
  CHECK(started == std::vector<duration>{0s, 1s, 2s});
  CHECK(clock.elapsed() == 6s);
}

CUVEE_TEST_CASE("staggered_race: callables are called when their turn comes") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  int calls = 0;
  std::vector<std::function<task<int>()>> all;
  for (int i = 0; i < 5; i++) {
    all.push_back([&calls, i] {
      calls++;
      return nap(i == 1 ? 1s : 10s, i);
    });
  }
  auto [index, value, errors] = co_await staggered_race(1s, std::move(all));
  CHECK(value == 1);
  CHECK(calls == 3);  // at 0, 1 and 2 s: the timer of the third was armed before the sleep
  CHECK(clock.elapsed() == 2s);
}

CUVEE_TEST_CASE("staggered_race: leaves that fail at once are tried in one go") {
  struct refusing {
    bool await_ready() { return true; }
    void await_suspend(waiter&) {}
    int await_resume() {
      if (fails) throw boom("leaf");
      return 1;
    }
    bool fails = true;
  };
  testing::virtual_clock clock;
  std::vector<refusing> all(100'000);
  all.back().fails = false;
  auto r = co_await staggered_race(1s, std::move(all));
  CHECK(r.index == 99'999);
  CHECK(r.errors.size() == 99'999);
  CHECK(clock.elapsed() == 0s);
}

CUVEE_TEST_CASE("staggered_race: a leaf that completes when the delay has passed") {
  testing::virtual_clock clock;
  basket empty, full;
  full.put();
  full.put();
  std::vector<basket::get_awaiter> gets;
  gets.push_back(empty.get());
  gets.push_back(full.get());
  gets.push_back(full.get());
  auto r = co_await staggered_race(1s, std::move(gets));
  CHECK(r.index == 1);
  CHECK(full.items() == 1);
  CHECK_FALSE(empty.awaited());
  CHECK(clock.elapsed() == 1s);
}

CUVEE_TEST_CASE(
    "staggered_race: cancelled before it suspends, nothing starts but a shield at the head") {
  int started = 0;
  bool after = false;
  auto attempt = [&]() -> task<int> {
    started++;
    co_await checkpoint();
    co_return 1;
  };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    std::vector<task<int>> all;
    for (int i = 0; i < 3; i++) all.push_back(attempt());
    co_await staggered_race(1s, std::move(all));
    after = true;
  });
  CHECK(started == 0);
  CHECK_FALSE(after);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    std::vector<decltype(shield(attempt()))> all;
    for (int i = 0; i < 3; i++) all.push_back(shield(attempt()));
    auto r = co_await staggered_race(1s, std::move(all));
    after = r.index == 0;
  });
  CHECK(started == 1);
  CHECK(after);
}

CUVEE_TEST_CASE("staggered_race: cancelled while suspended, no further attempt starts") {
  testing::keep_fifo();
  attempts a;
  bool after = false;
  auto body = [&]() -> task<> {
    co_await staggered_race(1s, a.hosts(1h, 1h, 1h, 1h));
    after = true;
  };
  auto none = co_await move_on_after(1500ms, body());
  CHECK_FALSE(none);
  CHECK(a.started.size() == 2);
  CHECK(a.cut == "01");
  CHECK_FALSE(after);
  co_await sleep(5s);
  CHECK(a.started.size() == 2);
}

TEST_CASE("staggered_race: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    std::vector<task<int>> all;
    all.push_back(fail_later());
    all.push_back([]() -> task<int> {
      co_await shield(turns(2));
      throw boom();
    }());
    all.push_back(nap(1h, 1));
    all.push_back(nap(2ms, 2));
    auto r = co_await staggered_race(1ms, std::move(all));
    CHECK(r.value == 2);
  });
  CHECK(report.leaks.empty());
  CHECK(report.cancelled > 0);
}
