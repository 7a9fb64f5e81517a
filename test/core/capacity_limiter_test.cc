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

bool holds(const capacity_limiter& l, std::size_t borrowed, std::size_t total,
           std::size_t waiting) {
  auto s = l.statistics();
  return s.borrowed == borrowed && s.total == total && s.waiting == waiting;
}

task<> borrow(capacity_limiter& l, std::string& trace, char letter) {
  capacity_token token = co_await l.acquire();
  trace += letter;
  co_await forever();
}

/// Whether the awaitable is refused as a second token would be.
template <class A>
task<bool> refused(A acquire) {
  auto r = co_await as_result(std::move(acquire));
  co_return !r.has_value() && r.error().code() == std::errc::resource_deadlock_would_occur;
}

}  // namespace

CUVEE_TEST_CASE("capacity_limiter: lends and takes back, statistics are right") {
  capacity_limiter l(2);
  CHECK(holds(l, 0, 2, 0));
  {
    capacity_token a = co_await l.acquire();
    CHECK(a.owns_token());
    auto b = l.try_acquire();
    CHECK(b.has_value());
    CHECK(holds(l, 2, 2, 0));
    CHECK_FALSE(l.try_acquire().has_value());
    a.release();
    CHECK(holds(l, 1, 2, 0));
    CHECK_THROWS_WITH_AS(a.release(), "release capacity_limiter: not held", error);
  }
  CHECK(holds(l, 0, 2, 0));
  CHECK(l.total() == 2);
}

CUVEE_TEST_CASE(
    "capacity_limiter: a borrower cannot take twice, whether it has or awaits a token") {
  capacity_limiter l(2), other(1);
  borrower me, you, she;
  capacity_token mine = co_await l.acquire(me);
  bool second = co_await refused(l.acquire(me));
  CHECK(second);
  CHECK_THROWS_AS((void)l.try_acquire(me), error);
  CHECK(holds(l, 1, 2, 0));
  CHECK(other.try_acquire(me).has_value());  // a limiter knows nothing of another
  capacity_token yours = co_await l.acquire(you);
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { capacity_token hers = co_await l.acquire(she); });
    co_await checkpoint();
    CHECK(holds(l, 2, 2, 1));
    bool twice = co_await refused(l.acquire(she));
    CHECK(twice);
    g.cancel();
  });
  CHECK_FALSE(l.try_acquire(she).has_value());
  mine.release();
  CHECK(l.try_acquire(she).has_value());  // forgotten with its wait, and with the failed attempt
  CHECK(l.try_acquire(me).has_value());
}

CUVEE_TEST_CASE(
    "capacity_limiter: a raised total wakes those who wait, a lowered one waits for tokens") {
  testing::keep_fifo();
  capacity_limiter l(1);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    for (char c : {'a', 'b', 'c', 'd'}) g.spawn(borrow, std::ref(l), std::ref(trace), c);
    co_await checkpoint();
    CHECK(holds(l, 1, 1, 3));
    l.set_total(3);
    CHECK(holds(l, 3, 3, 1));
    CHECK_FALSE(l.try_acquire().has_value());
    co_await checkpoint();
    CHECK(trace == "abc");
    l.set_total(0);
    CHECK(holds(l, 3, 0, 1));
    g.cancel();
  });
  CHECK(trace == "abc");
  CHECK(holds(l, 0, 0, 0));
}

CUVEE_TEST_CASE(
    "capacity_limiter: lowered below what is lent, tokens come back before others go out") {
  capacity_limiter l(2);
  capacity_token a = co_await l.acquire(), b = co_await l.acquire();
  l.set_total(1);
  co_await task_group([&](group& g) -> task<> {
    auto c = g.spawn([&]() -> task<> { capacity_token token = co_await l.acquire(); });
    co_await checkpoint();
    a.release();
    co_await turns(2);
    CHECK_FALSE(c.done());
    b.release();
    co_await turns(2);
    CHECK(c.done());
  });
  CHECK(holds(l, 0, 1, 0));
}

CUVEE_TEST_CASE("capacity_limiter: a token outlives its task and its borrower, and moves") {
  capacity_limiter l(2);
  std::vector<capacity_token> kept;
  {
    auto who = std::make_unique<borrower>();
    auto ask = [&]() -> task<capacity_token> { co_return co_await l.acquire(*who); };
    kept.push_back(co_await ask());
    CHECK_THROWS_AS((void)l.try_acquire(*who), error);
    for (int i = 0; i < 4; i++) kept.emplace_back();  // moves the first
    CHECK_THROWS_AS((void)l.try_acquire(*who), error);
  }
  CHECK(kept[0].owns_token());
  CHECK(holds(l, 1, 2, 0));
  kept[1] = std::move(kept[0]);
  CHECK_FALSE(kept[0].owns_token());
  kept[0] = co_await l.acquire();
  CHECK(holds(l, 2, 2, 0));
  kept[0] = std::move(kept[1]);
  CHECK(holds(l, 1, 2, 0));
  kept.clear();
  CHECK(holds(l, 0, 2, 0));
}

CUVEE_TEST_CASE("capacity_limiter: cancelled before and while it waits, nothing is borrowed") {
  capacity_limiter l(1);
  borrower who;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await borrow(l, trace, 'e');
  });
  CHECK(holds(l, 0, 1, 0));
  capacity_token token = co_await l.acquire();
  co_await task_group([&](group& g) -> task<> {
    g.spawn(borrow, std::ref(l), std::ref(trace), 'l');
    co_await checkpoint();
    g.cancel();
  });
  CHECK(trace.empty());
  CHECK(holds(l, 1, 1, 0));
}

CUVEE_TEST_CASE(
    "capacity_limiter: given back and the woken waiter cancelled in one turn, the next gets it") {
  testing::keep_fifo();
  capacity_limiter l(1);
  int granted = 0;
  co_await task_group([&](group& g) -> task<> {
    auto ask = [&]() -> task<> {
      capacity_token token = co_await l.acquire();
      granted++;
      co_await checkpoint();
    };
    capacity_token token = co_await l.acquire();
    auto a = g.spawn(ask);
    g.spawn(ask);
    co_await checkpoint();
    token.release();
    a.cancel();
  });
  CHECK(granted == 2);
  CHECK(holds(l, 0, 1, 0));
}

CUVEE_TEST_CASE("capacity_limiter: in any_of, timeout and gather no token is lost") {
  testing::virtual_clock clock;
  capacity_limiter l(2);
  borrower who, whoever;
  {
    auto [one, other] = co_await any_of(l.acquire(who), l.acquire(whoever));
    CHECK(one.has_value());
    CHECK_FALSE(other.has_value());
    CHECK(holds(l, 1, 2, 0));
    auto late = co_await move_on_after(1s, gather(l.acquire(whoever), l.acquire()));
    CHECK_FALSE(late.has_value());
    CHECK(holds(l, 1, 2, 0));
  }
  auto [a, b] = co_await gather(l.acquire(who), l.acquire(whoever));
  CHECK(holds(l, 2, 2, 0));
  bool in_vain = false;
  try {
    capacity_token never = co_await timeout(1s, l.acquire());
  } catch (const timeout_error&) {
    in_vain = true;
  }
  CHECK(in_vain);
  a.release();
  bool twice = false;
  try {
    co_await gather(l.acquire(), l.acquire(whoever));
  } catch (const error&) {
    twice = true;
  }
  CHECK(twice);
  CHECK(holds(l, 1, 2, 0));
}

TEST_CASE("capacity_limiter: cancelled at every suspension, every token comes back") {
  capacity_limiter l(2);
  borrower who;
  auto ask = [&](borrower* b) -> task<> {
    auto acquire = b ? l.acquire(*b) : l.acquire();
    capacity_token token = co_await acquire;
    co_await turns(2);
  };
  auto r = testing::torture([&]() -> task<> {
    CHECK(holds(l, 0, 2, 0));  // after the run before
    co_await gather(ask(nullptr), ask(nullptr), ask(&who), ask(nullptr));
    co_await gather(l.acquire(who), checkpoint());
  });
  CHECK(holds(l, 0, 2, 0));
  CHECK(l.try_acquire(who).has_value());
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 3);
}
