// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<int> fail_after(duration d, const char* why) {
  co_await sleep(d);
  throw boom(why);
}

}  // namespace

CUVEE_TEST_CASE("race: the first success wins, the others are cancelled and have ended") {
  testing::virtual_clock clock;
  std::string trace;
  auto slow = [&]() -> task<int> {
    co_await stubborn(trace, 'b', 5s);
    co_return 3;
  };
  auto hung = [&]() -> task<int> {
    co_await hang(trace, 'a');
    co_return 2;
  };
  auto [index, value, errors] = co_await race(hung(), nap(1s, 7), nap(2s, 8));
  CHECK(index == 1);
  CHECK(value == 7);
  CHECK(errors.empty());
  CHECK(clock.elapsed() == 1s);
  auto second = co_await race(nap(1s, 4), slow());
  CHECK(second.value == 4);
  CHECK(trace == "asb");
  CHECK(clock.elapsed() == 6s);
}

CUVEE_TEST_CASE("race: failures before the first success are kept beside it") {
  testing::virtual_clock clock;
  auto [index, value, errors] =
      co_await race(fail_after(2s, "b"), nap(3s, 5), fail_after(1s, "a"), nap(9s, 6));
  CHECK(index == 1);
  CHECK(value == 5);
  REQUIRE(errors.size() == 2);
  CHECK(describe(errors[0]) == "a");
  CHECK(describe(errors[1]) == "b");
  CHECK(clock.elapsed() == 3s);
}

CUVEE_TEST_CASE("race: all fail, the first failure is thrown and the others ride on it") {
  testing::virtual_clock clock;
  std::string why;
  std::vector<std::string> later;
  try {
    co_await race(fail_after(3s, "c"), fail_after(1s, "a"), fail_after(2s, "b"));
  } catch (const boom& e) {
    why = e.what();
    for (const auto& s : suppressed()) later.push_back(describe(s));
  }
  CHECK(why == "a");
  CHECK(later == std::vector<std::string>{"b", "c"});
}

CUVEE_TEST_CASE("race: different types give a variant, voids give monostate") {
  testing::keep_fifo();
  auto text = []() -> task<std::string> { co_return "text"; };
  auto [index, value, errors] = co_await race(forever(), text(), fail_later());
  CHECK(index == 1);
  CHECK(value.index() == 1);
  CHECK(std::get<std::string>(value) == "text");
  CHECK(errors.empty());
  auto who = co_await race(forever(), checkpoint());
  static_assert(std::is_same_v<decltype(who), race_result<std::monostate>>);
  CHECK(who.index == 1);
}

CUVEE_TEST_CASE("race: a container of tasks, and an empty one is refused") {
  std::vector<task<int>> tasks;
  for (int i = 0; i < 500; i++) tasks.push_back(i == 333 ? give_later(i) : fail_later());
  auto [index, value, errors] = co_await race(std::move(tasks));
  CHECK(index == 333);
  CHECK(value == 333);
  CHECK(errors.size() >= 333);
  CHECK_THROWS_AS((void)race(std::vector<task<int>>()), error);
}

CUVEE_TEST_CASE("race: two ready leaves at the start, the second is not touched") {
  basket first, second;
  first.put();
  second.put();
  auto who = co_await race(first.get(), second.get());
  CHECK(who.index == 0);
  CHECK(second.items() == 1);
}

CUVEE_TEST_CASE(
    "race: two tasks that succeed in one turn, one value is returned and the other destroyed") {
  testing::keep_fifo();
  auto shared = std::make_shared<int>(1);
  auto hold = [](std::shared_ptr<int> p) -> task<std::shared_ptr<int>> {
    co_await checkpoint();
    co_return p;
  };
  auto [index, value, errors] = co_await race(hold(shared), hold(shared));
  CHECK(index == 0);
  CHECK(shared.use_count() == 2);
}

CUVEE_TEST_CASE("race: a loser that fails in its cleanup does not spoil the victory") {
  auto bad = []() -> task<int> {
    co_await shield(turns(2));
    throw boom("cleanup");
  };
  auto [index, value, errors] = co_await race(give_later(1), bad());
  CHECK(value == 1);
  REQUIRE(errors.size() == 1);
  CHECK(describe(errors[0]) == "cleanup");
}

CUVEE_TEST_CASE("race: cancelled before it suspends, no child starts") {
  std::string trace;
  basket b;
  b.put();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await race(stubborn(trace, 'a'), b.get());
    trace += 'x';
  });
  CHECK(trace.empty());
  CHECK(b.items() == 1);
}

CUVEE_TEST_CASE("race: cancelled while suspended, all are cancelled, earlier failures go with it") {
  std::string trace;
  auto body = [&]() -> task<> {
    co_await race(fail_now(), hang(trace, 'a'), stubborn(trace, 'b', 1ms));
    trace += 'x';
    co_await checkpoint();
    trace += 'y';
  };
  co_await any_of(turns(3), body());
  CHECK(trace == "asbx");  // the stubborn one completed, so it has won
  trace.clear();
  auto lost = [&]() -> task<> {
    co_await race(fail_now(), hang(trace, 'a'), forever());
    trace += 'x';
  };
  co_await any_of(turns(3), lost());
  CHECK(trace == "a");
}

CUVEE_TEST_CASE("race: cancelled and all fail in their cleanup, the failure comes out") {
  auto bad = []() -> task<> {
    co_await shield(turns(3));
    throw boom("cleanup");
  };
  std::string why;
  auto body = [&]() -> task<> {
    try {
      co_await race(bad(), bad());
    } catch (const boom& e) {
      why = e.what();
    }
  };
  co_await any_of(turns(2), body());
  CHECK(why == "cleanup");
}

CUVEE_TEST_CASE("race: cancel and success in one turn, both are honoured, 1000 times") {
  int ok = 0, next = 0;
  for (int i = 0; i < 1000; i++) {
    event go;
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> {
        auto who = co_await timeout(1h, race(forever(), go.wait()));
        ok += who.index == 1;
        co_await checkpoint();
        next++;
      });
      co_await checkpoint();
      if (i % 2 == 0) {
        go.set();
        h.cancel();
      } else {
        h.cancel();
        go.set();
      }
    });
  }
  CHECK(ok == 500);
  CHECK(next == 0);
}

TEST_CASE("race: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    std::string trace;
    std::vector<task<int>> tasks;
    for (int i = 0; i < 3; i++) tasks.push_back(fail_later());
    tasks.push_back(nap(1ms, 9));
    tasks.push_back(nap(1h, 9));
    auto who = co_await race(race(std::move(tasks)), forever(), stubborn(trace, 's', 20ms));
    CHECK(who.index != 1);  // cancelled, the stubborn one may win
  });
  CHECK(report.leaks.empty());
  CHECK(report.cancelled > 0);
}

namespace {

/// Items put at random moments, taken by races of leaves that are cancelled at random: none is lost.
task<bool> balances(unsigned seed) {
  std::mt19937 random(seed);
  basket a, b;
  int put = 0, got = 0;
  auto produce = [&]() -> task<> {
    for (int k = 0; k < 6; k++) {
      (random() % 2 == 0 ? a : b).put();
      put++;
      if (random() % 2 == 0) co_await checkpoint();
    }
  };
  auto consume = [&]() -> task<> {
    for (int k = 0; k < 6; k++) {
      std::vector<basket::get_awaiter> gets;
      for (int n = 0; n < 3; n++) gets.push_back(random() % 2 == 0 ? a.get() : b.get());
      co_await race(race(a.get(), b.get()), race(std::move(gets)));
      got++;
    }
  };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (int i = 0; i < 3; i++) {
      all.push_back(g.spawn(produce));
      all.push_back(g.spawn(consume));
    }
    for (int i = 0; i < 12; i++) {
      if (random() % 3 != 0) co_await checkpoint();
      all[random() % all.size()].cancel();
    }
    g.cancel();
  });
  co_return put == got + a.items() + b.items() && !a.awaited() && !b.awaited();
}

}  // namespace

CUVEE_TEST_CASE("race: 300 random orders of put, get and cancel lose and invent no item") {
  for (unsigned seed = 0; seed < 300; seed++) {
    bool balanced = co_await balances(seed);
    CHECK_MESSAGE(balanced, "seed " << seed);
  }
}

CUVEE_TEST_CASE("race: 20,000 random orders" * doctest::test_suite("slow")) {
  for (unsigned seed = 1000; seed < 21'000; seed++) {
    bool balanced = co_await balances(seed);
    if (!balanced) FAIL_CHECK("seed " << seed);
  }
}
