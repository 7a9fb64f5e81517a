// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<> take_one(semaphore& s, std::string& trace, char letter) {
  co_await s.acquire();
  trace += letter;
}

}  // namespace

CUVEE_TEST_CASE(
    "semaphore: permits are taken without suspending, given back by hand or by a guard") {
  semaphore s(2);
  co_await s.acquire();
  CHECK(s.value() == 1);
  {
    semaphore_guard guard = co_await s.hold();
    CHECK(guard.owns_permit());
    CHECK(s.value() == 0);
    CHECK_FALSE(s.try_acquire());
    CHECK_FALSE(s.try_hold().has_value());
  }
  CHECK(s.value() == 1);
  CHECK(s.try_acquire());
  s.release(2);
  CHECK(s.value() == 2);
  auto guard = s.try_hold();
  CHECK(s.value() == 1);
  semaphore_guard moved = std::move(*guard);
  moved.release();
  CHECK(s.value() == 2);
  CHECK_THROWS_WITH_AS(moved.release(), "release semaphore: not held", error);
}

CUVEE_TEST_CASE("semaphore: three tasks that loop twice take turns") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  semaphore s(1);
  std::string trace;
  auto loop_twice = [&](char letter) -> task<> {
    for (char round : {'1', '2'}) {
      co_await s.acquire();
      ((trace += letter) += round) += ' ';
      co_await sleep(10ms);
      s.release();
    }
  };
  co_await gather(loop_twice('a'), loop_twice('b'), loop_twice('c'));
  CHECK(trace == "a1 b1 c1 a2 b2 c2 ");
  CHECK(s.value() == 1);
}

CUVEE_TEST_CASE("semaphore: the first two waiters cancelled, a release goes to the third") {
  semaphore s(0);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto spawn = [&](char c) { return g.spawn(take_one, std::ref(s), std::ref(trace), c); };
    auto a = spawn('a'), b = spawn('b'), c = spawn('c');
    co_await checkpoint();
    a.cancel();
    b.cancel();
    s.release();
    co_await c.join();
  });
  CHECK(trace == "c");
  CHECK(s.value() == 0);
}

CUVEE_TEST_CASE("semaphore: several permits wake several waiters in order, the rest stays") {
  testing::keep_fifo();
  semaphore s(0);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    for (char c : {'a', 'b', 'c'}) g.spawn(take_one, std::ref(s), std::ref(trace), c);
    co_await checkpoint();
    s.release(2);
    CHECK(s.value() == 0);  // they are a's and b's already
    CHECK_FALSE(s.try_acquire());
    co_await turns(2);
    CHECK(trace == "ab");
    s.release(3);
    co_await turns(2);
  });
  CHECK(trace == "abc");
  CHECK(s.value() == 2);
}

CUVEE_TEST_CASE(
    "semaphore: released and the woken waiter cancelled in one turn, no permit is lost") {
  testing::keep_fifo();
  semaphore s(0);
  int taken = 0;
  co_await task_group([&](group& g) -> task<> {
    auto hold = [&]() -> task<> {
      semaphore_guard guard = co_await s.hold();
      taken++;
      co_await checkpoint();
    };
    auto a = g.spawn(hold);
    g.spawn(hold);
    co_await checkpoint();
    s.release();
    a.cancel();
  });
  CHECK(taken == 2);
  CHECK(s.value() == 1);
}

CUVEE_TEST_CASE(
    "semaphore: cancelled before it is asked for and while waited for, nothing is taken") {
  semaphore s(1);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await take_one(s, trace, 'e');
  });
  CHECK(s.value() == 1);
  co_await s.acquire();
  co_await task_group([&](group& g) -> task<> {
    g.spawn(take_one, std::ref(s), std::ref(trace), 'l');
    co_await checkpoint();
    g.cancel();
  });
  s.release();
  CHECK(trace.empty());
  CHECK(s.value() == 1);
}

TEST_CASE(
    "semaphore: a negative start, a negative release and too much of a bounded one are errors") {
  CHECK_THROWS_WITH_AS(semaphore(-1), "construct semaphore: a negative number of permits", error);
  CHECK_THROWS_AS(semaphore::bounded(-1), error);
  semaphore s = semaphore::bounded(2);
  CHECK(s.try_acquire());
  try {
    s.release(2);
    FAIL("released too much");
  } catch (const error& e) {
    CHECK(e.code() == errc::limit_exceeded);
  }
  CHECK(s.value() == 1);
  CHECK_THROWS_AS(s.release(-1), error);
  s.release(0);
  s.release();
  CHECK(s.value() == 2);
  semaphore_guard guard = *s.try_hold();
  s.release();  // by mistake: the guard then has nothing left to give back
  guard.release();
  CHECK(s.value() == 2);
  CHECK_THROWS_AS(s.release(), error);
  semaphore endless(1);
  CHECK_THROWS_AS(endless.release(std::numeric_limits<std::ptrdiff_t>::max()), error);
  CHECK(endless.value() == 1);
}

CUVEE_TEST_CASE("semaphore: in any_of, timeout and gather no permit is lost") {
  testing::virtual_clock clock;
  semaphore s(2), none(0);
  {
    auto [one, other] = co_await any_of(s.acquire(), s.acquire());
    CHECK(one.has_value());
    CHECK_FALSE(other.has_value());
    CHECK(s.value() == 1);
    s.release();
  }
  auto nothing = co_await move_on_after(1s, none.acquire());
  CHECK_FALSE(nothing.has_value());
  co_await timeout(1s, s.acquire());
  CHECK(s.value() == 1);
  s.release();
  auto both = co_await move_on_after(1s, gather(s.acquire(), s.hold(), none.acquire()));
  CHECK_FALSE(both.has_value());
  CHECK(s.value() == 2);
  none.release();
  CHECK(none.value() == 1);
  co_await gather(s.acquire(), s.acquire());
  CHECK(s.value() == 0);
  s.release(2);
  auto held = co_await gather(s.hold(), s.hold());
  CHECK(s.value() == 0);
  CHECK(std::get<0>(held).owns_permit());
}

CUVEE_TEST_CASE("semaphore: a gather of more than there is goes on as permits come back") {
  semaphore s(2);
  int inside = 0, most = 0;
  auto work = [&]() -> task<> {
    semaphore_guard guard = co_await s.hold();
    most = std::max(most, ++inside);
    co_await turns(3);
    inside--;
  };
  co_await gather(work(), work(), work(), work(), work());
  CHECK(most == 2);
  CHECK(s.value() == 2);
}

TEST_CASE("semaphore: cancelled at every suspension, every permit comes back") {
  semaphore s(2);
  auto hold = [&]() -> task<> {
    semaphore_guard guard = co_await s.hold();
    co_await checkpoint();
  };
  auto by_hand = [&]() -> task<> {
    co_await s.acquire();
    s.release();
  };
  auto r = testing::torture([&]() -> task<> {
    CHECK(s.value() == 2);  // after the run before
    co_await gather(hold(), hold(), hold(), by_hand());
    co_await gather(s.hold(), checkpoint());
  });
  CHECK(s.value() == 2);
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 3);
}
