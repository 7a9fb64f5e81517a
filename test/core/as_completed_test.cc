// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

using handles = std::vector<task_handle<int>>;

}  // namespace

CUVEE_TEST_CASE("as_completed: handles come in the order of completion, the original ones") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(nap, 150ms, 2));
    all.push_back(g.spawn(nap, 10ms, 0));
    all.push_back(g.spawn(nap, 10ms, 1));
    auto done = as_completed(all);
    CHECK(done.remaining() == 3);
    std::vector<task_handle<int>*> order;
    while (auto* h = co_await done.next()) {
      CHECK(h->done());
      order.push_back(h);
    }
    CHECK(order == std::vector<task_handle<int>*>{&all[1], &all[2], &all[0]});
    CHECK(clock.elapsed() == 150ms);
    auto* over = co_await done.next();
    CHECK(over == nullptr);
    CHECK(done.remaining() == 0);
  });
}

CUVEE_TEST_CASE(
    "as_completed: with a limit of 0.12 s in all, the third raises timeout and is not lost") {
  testing::virtual_clock clock;
  int seen = 0, timeouts = 0;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (auto d : {10ms, 10ms, 150ms}) all.push_back(g.spawn(nap, d, 0));
    auto done = as_completed(all);
    try {
      for (;;) {
        auto* h = co_await timeout(120ms - clock.elapsed(), done.next());
        if (!h) break;
        seen++;
      }
    } catch (const timeout_error&) {
      timeouts++;
    }
    CHECK(clock.elapsed() == 120ms);
    auto* third = co_await done.next();
    CHECK(third == &all[2]);
  });
  CHECK(seen == 2);
  CHECK(timeouts == 1);
}

CUVEE_TEST_CASE("as_completed: 1000 children, half of them done before") {
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 1000; i++)
      all.push_back(i % 2 == 0 ? g.spawn(give, i) : g.spawn(nap, 1ms, i));
    co_await turns(2);
    auto done = as_completed(all);
    int sum = 0, count = 0;
    while (auto* h = co_await done.next()) {
      sum += co_await h->join();
      count++;
    }
    CHECK(count == 1000);
    CHECK(sum == 499'500);
  });
}

CUVEE_TEST_CASE("as_completed: no handles, and duplicates collapse") {
  handles none;
  auto nothing = as_completed(none);
  auto* h = co_await nothing.next();
  CHECK(h == nullptr);
  co_await task_group([&](group& g) -> task<> {
    auto a = g.spawn(give, 1);
    std::vector<task_handle<int>*> twice{&a, &a};
    auto done = as_completed(twice);
    auto* first = co_await done.next();
    auto* second = co_await done.next();
    CHECK(first == &a);
    CHECK(second == nullptr);
  });
}

CUVEE_TEST_CASE("as_completed: left half-way, the children run on") {
  handles all;
  int ended = 0;
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 10; i++) {
      all.push_back(g.spawn([&, i]() -> task<int> {
        co_await turns(i);
        ended++;
        co_return i;
      }));
    }
    auto done = as_completed(all);
    auto* first = co_await done.next();
    CHECK(first == &all[0]);
  });
  CHECK(ended == 10);
}

CUVEE_TEST_CASE("as_completed: failed and cancelled children come as well") {
  bool failed = false;
  std::string order;
  try {
    co_await task_group([&](group& g) -> task<> {
      handles all;
      all.push_back(g.spawn(nap, 1h, 1));
      all.push_back(g.spawn(fail_later, "boom"));
      auto follow = [&]() -> task<> {
        auto done = as_completed(all);
        while (auto* h = co_await done.next())
          order += h->failed() ? 'f' : h->was_cancelled() ? 'c' : 'v';
      };
      co_await shield(follow());
    });
  } catch (const boom&) {
    failed = true;
  }
  CHECK(failed);
  CHECK(order == "fc");
}

CUVEE_TEST_CASE(
    "as_completed: two tasks share the stream, each child goes to one, both see the end") {
  std::vector<int> got;
  int ends = 0;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 7; i++) all.push_back(g.spawn(nap, (i + 1) * 1ms, i));
    auto done = as_completed(all);
    auto follow = [&]() -> task<> {
      while (auto* h = co_await done.next()) got.push_back(co_await h->join());
      ends++;
    };
    co_await gather(follow(), follow());
  });
  CHECK(got.size() == 7);
  CHECK(ends == 2);
}

CUVEE_TEST_CASE("as_completed: next cancelled before it suspends takes nothing") {
  co_await task_group([&](group& g) -> task<> {
    handles all;
    all.push_back(g.spawn(give, 1));
    co_await turns(2);
    auto done = as_completed(all);
    co_await task_group([&](group& inner) -> task<> {
      inner.cancel();
      co_await done.next();
    });
    CHECK(done.remaining() == 1);
  });
}

CUVEE_TEST_CASE(
    "as_completed: a child told to a gather that then fails is told again, before the others") {
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    handles all;
    for (int i = 0; i < 3; i++) all.push_back(g.spawn(nap, i * 1ms, i));
    auto done = as_completed(all);
    auto fail = []() -> task<> {
      co_await sleep(5ms);
      throw boom();
    };
    bool caught = false;
    try {
      co_await gather(done.next(), fail());
    } catch (const boom&) {
      caught = true;
    }
    CHECK(caught);
    CHECK(done.remaining() == 3);
    for (auto& h : all) {
      auto* told = co_await done.next();
      CHECK(told == &h);
    }
  });
}

CUVEE_TEST_CASE("as_completed: a handler gets index and result in the order of completion") {
  testing::virtual_clock clock;
  std::string order;
  std::vector<task<int>> tasks;
  tasks.push_back(nap(3s, 30));
  tasks.push_back(nap(1s, 10));
  tasks.push_back([]() -> task<int> {
    co_await sleep(2s);
    throw boom("b");
  }());
  auto note = [&](std::size_t i, result<int> r) {
    order += std::to_string(i) + (r ? "=" + std::to_string(*r) : r.error().what()) + " ";
  };
  co_await as_completed(std::move(tasks), note);
  CHECK(order == "1=10 2b 0=30 ");
  CHECK(clock.elapsed() == 3s);
  co_await as_completed(std::vector<task<int>>(), note);
}

CUVEE_TEST_CASE("as_completed: a handler that is a coroutine is awaited, one call at a time") {
  testing::virtual_clock clock;
  int inside = 0, most = 0, sum = 0;
  std::vector<task<int>> tasks;
  for (int i = 0; i < 5; i++) tasks.push_back(nap(1s, i));
  auto handle = [&](std::size_t, result<int> r) -> task<> {
    most = std::max(most, ++inside);
    co_await sleep(1s);
    inside--;
    sum += *r;
  };
  co_await as_completed(std::move(tasks), handle);
  CHECK(sum == 10);
  CHECK(most == 1);
  CHECK(clock.elapsed() == 6s);
}

CUVEE_TEST_CASE("as_completed: of width 2 and 1000 leaves") {
  basket b;
  for (int i = 0; i < 1000; i++) b.put();
  std::vector<basket::get_awaiter> gets;
  for (int i = 0; i < 1000; i++) gets.push_back(b.get());
  std::size_t sum = 0;
  auto add = [&](std::size_t i, result<void> r) { sum += r ? i : 0; };
  co_await as_completed(width(2), std::move(gets), add);
  CHECK(sum == 499'500);
  CHECK(b.items() == 0);
}

CUVEE_TEST_CASE("as_completed: a handler that throws, the rest is cancelled and has ended") {
  std::string trace;
  std::vector<task<>> tasks;
  tasks.push_back(turns(1));
  tasks.push_back(hang(trace, 'a'));
  tasks.push_back(stubborn(trace, 'b', 1ms));
  auto fail = [](std::size_t, result<void>) { throw boom("handler"); };
  bool caught = false;
  try {
    co_await as_completed(std::move(tasks), fail);
  } catch (const boom&) {
    caught = true;
    CHECK(trace == "asb");
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("as_completed: cancelled while suspended, children and handler are cancelled") {
  testing::keep_fifo();
  std::string trace;
  auto handler = [&](std::size_t, result<void>) { return hang(trace, 'h'); };
  auto body = [&]() -> task<> {
    std::vector<task<>> tasks;
    tasks.push_back(turns(1));
    tasks.push_back(hang(trace, 'a'));
    co_await as_completed(std::move(tasks), handler);
    trace += 'x';
  };
  co_await any_of(turns(6), body());
  CHECK(trace == "ah");
}

TEST_CASE("as_completed: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    std::string trace;
    std::vector<task<int>> tasks;
    for (int i = 0; i < 5; i++) tasks.push_back(i % 2 == 0 ? fail_later() : give_later(i));
    int calls = 0;
    auto count = [&](std::size_t, result<int>) -> task<> {
      co_await stubborn(trace, 's', 1ms);
      calls++;
    };
    co_await as_completed(width(3), std::move(tasks), count);
    CHECK(calls == 5);
    co_await task_group([&](group& g) -> task<> {
      handles all;
      for (int i = 0; i < 3; i++) all.push_back(g.spawn(give_later, i));
      auto done = as_completed(all);
      while (auto* h = co_await done.next()) co_await h->join();
    });
  });
  CHECK(report.leaks.empty());
  CHECK(report.cancelled > 0);
}

namespace {

/// Children that end at random moments, followed by tasks that are cancelled at random: each child is told
/// once or is still to be told.
task<bool> tells_each_once(unsigned seed) {
  std::mt19937 random(seed);
  constexpr std::size_t count = 12;
  std::vector<int> told(count);
  bool whole = false;
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (std::size_t i = 0; i < count; i++)
      all.push_back(g.spawn(turns, static_cast<int>(random() % 12)));
    for (unsigned n = random() % 5; n > 0; n--) co_await checkpoint();
    auto done = as_completed(all);
    auto follow = [&](bool in_pair) -> task<> {
      for (;;) {
        task_handle<void>* h = nullptr;
        if (in_pair) {
          auto [one, other] = co_await any_of(done.next(), done.next());
          h = one ? *one : *other;
        } else {
          h = co_await done.next();
        }
        if (!h) break;
        told[static_cast<std::size_t>(h - all.data())]++;
      }
    };
    std::vector<task_handle<void>> followers;
    for (int i = 0; i < 4; i++) followers.push_back(g.spawn(follow, i % 2 == 0));
    for (int i = 0; i < 6; i++) {
      if (random() % 2 == 0) co_await checkpoint();
      if (random() % 2 == 0) followers[random() % followers.size()].cancel();
      else all[random() % count].cancel();
    }
    for (auto& f : followers) f.cancel();
    co_await wait(followers, until::all);
    co_await follow(false);
    whole = done.remaining() == 0;
  });
  for (int n : told) whole &= n == 1;
  co_return whole;
}

}  // namespace

CUVEE_TEST_CASE("as_completed: 300 random orders of completion and cancel tell each child once") {
  for (unsigned seed = 0; seed < 300; seed++) {
    bool whole = co_await tells_each_once(seed);
    CHECK_MESSAGE(whole, "seed " << seed);
  }
}

CUVEE_TEST_CASE("as_completed: 20,000 random orders" * doctest::test_suite("slow")) {
  for (unsigned seed = 1000; seed < 21'000; seed++) {
    bool whole = co_await tells_each_once(seed);
    if (!whole) FAIL_CHECK("seed " << seed);
  }
}
