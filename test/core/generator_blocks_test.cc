// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

using ints = std::vector<int>;

/// `n` numbers from `first` on, `period` apart.
generator<int> ticks(std::string& trace, duration period, int first, int n) {
  mark m(trace, 'm');
  for (int i = first; i < first + n; i++) {
    co_await sleep(period);
    co_yield i;
  }
}
generator<std::unique_ptr<int>> owners(int from, int n) {
  for (int i = from; i < from + n; i++) {
    co_await checkpoint();
    co_yield std::make_unique<int>(i);
  }
}
generator<int> fails_after(duration wait) {
  co_await sleep(wait);
  throw boom();
  co_yield 1;
}
generator<int> count(int n) {
  for (int i = 0; i < n; i++) co_yield i;
}
/// Longer for small numbers, so that they end in reverse.
task<int> reversed_nap(int x) {
  co_await sleep(10ms - x * 1ms);
  co_return x;
}
generator<task<int>> naps(int n) {
  for (int i = 0; i < n; i++) co_yield reversed_nap(i);
}
task<ints> all_of(generator<int> g) { return collect(std::move(g)); }

}  // namespace

CUVEE_TEST_CASE("merge: elements come as the sources give them") {
  testing::virtual_clock clock;
  std::string trace;
  ints all = co_await merge(ticks(trace, 2ms, 0, 3), ticks(trace, 5ms, 10, 2), all_of);
  CHECK(all == ints{0, 1, 10, 2, 11});
  CHECK(clock.elapsed() == 10ms);
  CHECK(trace == "mm");
}

CUVEE_TEST_CASE("merge: none, one, many and move-only ones") {
  ints all = co_await merge(std::vector<generator<int>>(), all_of);
  CHECK(all.empty());
  std::vector<generator<int>> one;
  one.push_back(count(3));
  all = co_await merge(std::move(one), all_of);
  CHECK(all == ints{0, 1, 2});
  int sum = 0;
  auto add = [&](generator<std::unique_ptr<int>> g) -> task<> {
    while (auto x = co_await g.next()) {
      auto own = std::move(*x);
      sum += *own;
    }
  };
  co_await merge(owners(0, 3), owners(10, 2), owners(100, 1), add);
  CHECK(sum == 124);
}

CUVEE_TEST_CASE("merge: a source goes on only when its element was consumed") {
  std::string trace;
  auto eager = [&]() -> generator<int> {
    for (int i = 0; i < 3; i++) {
      trace += 'p';
      co_yield i;
    }
  };
  auto slow = [&](generator<int> g) -> task<> {
    while (auto x = co_await g.next()) {
      co_await turns(5 + *x);
      trace += 'c';
    }
  };
  std::vector<generator<int>> one;
  one.push_back(eager());
  co_await merge(std::move(one), slow);
  CHECK(trace == "pcpcpc");
}

CUVEE_TEST_CASE("merge: a consumer that has enough stops the sources") {
  testing::virtual_clock clock;
  std::string trace;
  auto first_two = [](generator<int> g) { return collect(std::move(g) | take(2)); };
  ints two = co_await merge(ticks(trace, 2ms, 0, 99), ticks(trace, 3ms, 10, 99), first_two);
  CHECK(two == ints{0, 10});
  CHECK(trace == "mm");
  CHECK(clock.elapsed() == 3ms);
}

CUVEE_TEST_CASE("merge: a source or consumer that fails ends the rest, and its error comes out") {
  testing::virtual_clock clock;
  std::string trace;
  bool caught = false;
  try {
    co_await merge(ticks(trace, 2ms, 0, 99), fails_after(5ms), all_of);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "m");
  auto refuses = [](generator<int> g) -> task<> {
    co_await g.next();
    throw boom();
  };
  caught = false;
  try {
    co_await merge(ticks(trace, 2ms, 0, 99), ticks(trace, 2ms, 0, 99), refuses);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "mmm");
}

CUVEE_TEST_CASE("merge: cancelled, before it starts and while it waits") {
  testing::virtual_clock clock;
  std::string trace;
  auto none = co_await move_on_after(
      5ms, merge(ticks(trace, 2ms, 0, 99), ticks(trace, 3ms, 0, 99), all_of));
  CHECK_FALSE(none.has_value());
  CHECK(trace == "mm");
  CHECK(clock.elapsed() == 5ms);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await merge(ticks(trace, 2ms, 0, 99), ticks(trace, 3ms, 0, 99), all_of);
    trace += '?';
  });
  CHECK(trace == "mm");
}

CUVEE_TEST_CASE("buffered: at most n at once, results in order") {
  testing::virtual_clock clock;
  int running = 0;
  int most = 0;
  auto work = [&](int x) -> task<int> {
    most = std::max(most, ++running);
    co_await reversed_nap(x);
    running--;
    co_return x;
  };
  ints all = co_await buffered(count(8), 3, work, all_of);
  CHECK(all == ints{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(most == 3);
  CHECK(clock.elapsed() < 10ms + 9ms + 8ms);
}

CUVEE_TEST_CASE("buffered: tasks of a generator, a limit of one, and none") {
  testing::virtual_clock clock;
  ints all = co_await buffered(naps(4), 9, all_of);
  CHECK(all == ints{0, 1, 2, 3});
  CHECK(clock.elapsed() == 10ms);
  all = co_await buffered(naps(2), 1, all_of);
  CHECK(all == ints{0, 1});
  CHECK(clock.elapsed() == 29ms);
  all = co_await buffered(naps(0), 2, all_of);
  CHECK(all.empty());
}

CUVEE_TEST_CASE("buffered: a function that takes its argument by reference") {
  auto length = [](const std::string& s) -> task<std::size_t> {
    co_await checkpoint();
    co_return s.size();
  };
  std::size_t sum = 0;
  auto add = [&](generator<std::size_t> g) -> task<> {
    return for_each(std::move(g), [&](std::size_t n) { sum += n; });
  };
  auto words = map(count(5), [](int x) { return std::string(100 + x, 'x'); });
  co_await buffered(std::move(words), 2, length, add);
  CHECK(sum == 510);
}

CUVEE_TEST_CASE("buffered: a task or source that fails cancels what is in flight") {
  std::string trace;
  auto work = [&](int x) -> task<int> {
    mark m(trace, static_cast<char>('0' + x));
    if (x == 1) {
      co_await turns(3);
      throw boom();
    }
    co_await forever();
    co_return x;
  };
  bool caught = false;
  try {
    co_await buffered(count(9), 3, work, all_of);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace.size() == 3);
  caught = false;
  try {
    co_await buffered(fails_after(1ms), 3, work, all_of);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("buffered: a consumer that has enough stops the rest, so does a cancel") {
  testing::virtual_clock clock;
  std::string trace;
  auto work = [&](int x) -> task<int> {
    mark m(trace, 'm');
    co_await sleep(5ms * (x + 1));
    co_return x;
  };
  auto first_one = [](generator<int> g) { return collect(std::move(g) | take(1)); };
  ints one = co_await buffered(count(99), 3, work, first_one);
  CHECK(one == ints{0});
  CHECK(clock.elapsed() == 5ms);
  CHECK(trace.size() == 3);
  auto none = co_await move_on_after(1ms, buffered(count(99), 4, work, all_of));
  CHECK_FALSE(none.has_value());
  CHECK(trace.size() == 7);
}

TEST_CASE("merge and buffered: cancelled at every suspension, nothing leaks") {
  auto body = []() -> task<> {
    std::string trace;
    ints all = co_await merge(ticks(trace, 1ms, 0, 2), ticks(trace, 1ms, 10, 2), all_of);
    CHECK(all.size() == 4);
    all = co_await buffered(count(4), 2, give_later, all_of);
    CHECK(all.size() == 4);
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 20);
  CHECK(report.leaks == "");
}
