// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <algorithm>
#include <deque>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("gather: children that end in another order, results come in argument order") {
  testing::virtual_clock clock;
  auto [a, b, c] = co_await gather(nap(3s, 1), nap(1s, 2), nap(2s, 3));
  CHECK(a == 1);
  CHECK(b == 2);
  CHECK(c == 3);
  CHECK(clock.elapsed() == 3s);
}

CUVEE_TEST_CASE("gather: void children give monostate, all void gives nothing, none is fine") {
  auto [a, b] = co_await gather(give(1), checkpoint());
  CHECK(a == 1);
  static_assert(std::is_same_v<decltype(b), std::monostate>);
  static_assert(std::is_void_v<decltype(gather(checkpoint(), turns(1)).await_resume())>);
  co_await gather();
  co_await gather(checkpoint());
}

CUVEE_TEST_CASE("gather: a vector of 1000 tasks, results come in order") {
  std::vector<task<int>> tasks;
  for (int i = 0; i < 1000; i++) tasks.push_back(give(i));
  std::vector<int> results = co_await gather(std::move(tasks));
  REQUIRE(results.size() == 1000);
  for (int i = 0; i < 1000; i++) REQUIRE(results[static_cast<std::size_t>(i)] == i);
  auto none = co_await gather(std::vector<task<int>>());
  CHECK(none.empty());
}

CUVEE_TEST_CASE("gather: a child fails, the others are cancelled and have ended before it throws") {
  std::string trace;
  bool caught = false;
  try {
    co_await gather(fail_later(), hang(trace, 'h'), stubborn(trace, 't', 1ms));
  } catch (const boom&) {
    caught = true;
    CHECK(trace == "hst");
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("gather: a vector with a failure, the others are cancelled") {
  std::string trace;
  std::vector<task<>> tasks;
  for (int i = 0; i < 100; i++) tasks.push_back(hang(trace, 'h'));
  tasks.push_back([]() -> task<> { co_await fail_later(); }());
  bool caught = false;
  try {
    co_await gather(std::move(tasks));
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == std::string(100, 'h'));
}

CUVEE_TEST_CASE("gather: a leaf whose await_resume throws fails it") {
  struct failing {
    bool await_ready() { return true; }
    void await_suspend(waiter&) {}
    int await_resume() { throw boom("leaf"); }
  };
  std::string why;
  try {
    co_await gather(forever(), failing{}, forever());
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "leaf");
}

CUVEE_TEST_CASE(
    "gather: three failures in one turn, the first is thrown and the others ride on it") {
  testing::keep_fifo();
  std::vector<std::string> later;
  std::string first;
  try {
    co_await gather(fail_later("1"), fail_later("2"), fail_later("3"), forever());
  } catch (const boom& e) {
    first = e.what();
    for (const auto& s : suppressed()) later.push_back(describe(s));
  }
  CHECK(first == "1");
  CHECK(later == std::vector<std::string>{"2", "3"});
}

CUVEE_TEST_CASE("gather: cancelled before it suspends, no child starts") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(stubborn(trace, 'a'), stubborn(trace, 'b'));
    trace += 'x';
  });
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("gather: cancelled before it suspends, shields inside start all the same") {
  int done = 0;
  bool after = false;
  auto work = [&](int n) -> task<> {
    co_await turns(n);
    done++;
  };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(shield(work(3)), work(1), any_of(work(1), shield(work(2))));
    after = true;
  });
  CHECK(done == 2);
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("gather: cancelled while suspended, cancels all children and waits for them") {
  testing::keep_fifo();
  std::string trace;
  bool after = false;
  auto body = [&]() -> task<> {
    co_await gather(hang(trace, 'a'), stubborn(trace, 'b', 1ms), hang(trace, 'c'));
    after = true;
  };
  co_await any_of(turns(3), body());
  CHECK(trace == "acsb");
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE(
    "gather: cancelled from outside and a child fails in its cleanup, the failure wins") {
  auto bad_cleanup = []() -> task<> {
    co_await shield(turns(3));
    throw boom("cleanup");
  };
  std::string why;
  auto body = [&]() -> task<> {
    try {
      co_await gather(bad_cleanup(), forever());
    } catch (const boom& e) {
      why = e.what();
    }
  };
  co_await any_of(turns(2), body());
  CHECK(why == "cleanup");
}

CUVEE_TEST_CASE(
    "gather: cancelled when every child has completed in the same turn, the result wins") {
  event go;
  int sum = 0;
  bool next = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      co_await gather(go.wait(), go.wait());
      sum = 1;
      co_await checkpoint();
      next = true;
    });
    co_await checkpoint();
    go.set();
    h.cancel();
  });
  CHECK(sum == 1);
  CHECK_FALSE(next);
}

CUVEE_TEST_CASE("gather: one child joined in several slots runs once and fills each of them") {
  int runs = 0;
  auto word = [&](std::string text) -> task<std::string> {
    runs++;
    co_await checkpoint();
    co_return text;
  };
  co_await task_group([&](group& g) -> task<> {
    auto abc = g.spawn(word, std::string("abc"));
    auto def = g.spawn(word, std::string("def"));
    auto [a, b, c, d] = co_await gather(abc.join(), abc.join(), def.join(), abc.join());
    CHECK(a + b + c + d == "abcabcdefabc");
  });
  CHECK(runs == 2);
}

CUVEE_TEST_CASE(
    "gather: a child cancelled by somebody else fails it; its awaiter is not cancelled") {
  bool caught = false, after = false;
  co_await task_group([&](group& g) -> task<> {
    auto victim = g.spawn([]() -> task<> { co_await forever(); });
    auto waiting = g.spawn([&]() -> task<> {
      try {
        co_await gather(victim.join(), forever());
      } catch (const cancelled_error&) {
        caught = true;
      }
      co_await checkpoint();
      after = true;
    });
    co_await turns(2);
    victim.cancel();
    co_await waiting.join();
    CHECK_FALSE(waiting.was_cancelled());
  });
  CHECK(caught);
  CHECK(after);
}

CUVEE_TEST_CASE("gather: a container of plain awaiters") {
  basket b;
  std::vector<basket::get_awaiter> gets;
  for (int i = 0; i < 1000; i++) gets.push_back(b.get());
  co_await task_group([&](group& g) -> task<> {
    auto all = g.spawn([&]() -> task<> { co_await gather(std::move(gets)); });
    co_await checkpoint();
    for (int i = 0; i < 1000; i++) b.put();
    co_await all.join();
  });
  CHECK(b.items() == 0);
  std::deque<decltype(shield(give(1)))> shields;
  for (int i = 0; i < 3; i++) shields.push_back(shield(give(i)));
  std::vector<int> results = co_await gather(std::move(shields));
  CHECK(results == std::vector<int>{0, 1, 2});
}

CUVEE_TEST_CASE("gather: a container of leaves without results, each is told that it has arrived") {
  struct counting {
    bool await_ready() const noexcept { return true; }
    void await_suspend(waiter&) const noexcept {}
    void await_resume() const noexcept { ++*told; }
    int* told;
  };
  int told = 0;
  std::vector<counting> leaves(7, counting{&told});
  co_await gather(std::move(leaves));
  CHECK(told == 7);
}

namespace {

/// Counts how many of its tasks run at once.
struct crowd {
  int now = 0;
  int most = 0;

  task<int> enter(duration stay, int value) {
    most = std::max(most, ++now);
    co_await sleep(stay);
    now--;
    co_return value;
  }
};

}  // namespace

CUVEE_TEST_CASE("gather: of width 3, three run at once and results come in order") {
  testing::virtual_clock clock;
  crowd c;
  std::vector<task<int>> tasks;
  for (int i = 0; i < 10; i++) tasks.push_back(c.enter(i % 2 == 0 ? 1s : 2s, i));
  std::vector<int> results = co_await gather(width(3), std::move(tasks));
  CHECK(results == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(c.most == 3);
  CHECK(clock.elapsed() == 6s);
  auto none = co_await gather(width(1), std::vector<task<int>>());
  CHECK(none.empty());
}

TEST_CASE("gather: of width 0 and less is refused") {
  CHECK_THROWS_AS(width(0), error);
  CHECK_THROWS_WITH(width(-1), "width -1: invalid argument (EINVAL)");
}

CUVEE_TEST_CASE("gather: of width 1, 100,000 ready leaves need no deep stack") {
  basket b;
  std::vector<basket::get_awaiter> gets;
  for (int i = 0; i < 100'000; i++) {
    b.put();
    gets.push_back(b.get());
  }
  co_await gather(width(1), std::move(gets));
  CHECK(b.items() == 0);
}

CUVEE_TEST_CASE("gather: of width 2, a failure cancels those that run, the others never start") {
  std::string trace;
  int started = 0;
  auto count = [&]() -> task<> {
    started++;
    co_await forever();
  };
  std::vector<task<>> tasks;
  tasks.push_back([]() -> task<> { co_await fail_later(); }());
  tasks.push_back(stubborn(trace, 'a', 1ms));
  for (int i = 0; i < 5; i++) tasks.push_back(count());
  bool caught = false;
  try {
    co_await gather(width(2), std::move(tasks));
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "sa");
  CHECK(started == 0);
}

CUVEE_TEST_CASE("gather: of width 2, cancelled; only shields among those that waited still start") {
  std::string trace;
  int done = 0, other = 0;
  auto work = [](int& count, int n) -> task<> {
    co_await turns(n);
    count++;
  };
  auto body = [&]() -> task<> {
    std::vector<decltype(any_of(shield(work(done, 1)), work(other, 9)))> all;
    for (int i = 0; i < 5; i++) all.push_back(any_of(shield(work(done, 5)), work(other, 9)));
    co_await gather(width(2), std::move(all));
    trace += 'x';
    co_await checkpoint();
    trace += 'y';
  };
  co_await any_of(turns(3), body());
  CHECK(done == 5);
  CHECK(other == 0);
  CHECK(trace == "x");  // each any_of has a winner, so it did happen
}

CUVEE_TEST_CASE("gather: of width 2, cancelled, those that waited never start") {
  testing::keep_fifo();
  std::string trace;
  auto body = [&]() -> task<> {
    std::vector<task<>> tasks;
    for (char c = 'a'; c < 'f'; c++) tasks.push_back(hang(trace, c));
    co_await gather(width(2), std::move(tasks));
    trace += 'x';
  };
  co_await any_of(turns(3), body());
  CHECK(trace == "ab");
}

TEST_CASE("gather: of width 2, cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 6; i++) tasks.push_back(give_later(i));
    tasks.push_back([]() -> task<int> {
      auto [a, b] = co_await gather(give_later(1), shield(give_later(2)));
      co_return a + b;
    }());
    auto sum = co_await gather(width(2), std::move(tasks));
    CHECK(sum.back() == 3);
  });
  CHECK(report.leaks.empty());
  CHECK(report.suspensions > 8);
  CHECK(report.cancelled > 0);
}

CUVEE_TEST_CASE("gather: what a task<> was given goes when it ends, not with its last sibling") {
  auto [tx, rx] = channel<int>();
  auto send = [](sender<int> to) -> task<> { co_await to.send(1); };
  auto receive = [](receiver<int> from) -> task<int> {
    int count = 0;
    while (auto item = co_await from.recv()) count++;
    co_return count;
  };
  sender<int> only = std::move(tx);
  auto sends = send(std::move(only));
  auto [none, count] = co_await gather(std::move(sends), receive(rx));
  CHECK(count == 1);
}
