// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// Writes its letter while it holds the mutex.
task<> hold(mutex& m, std::string& trace, char letter) {
  mutex_guard guard = co_await m.lock();
  trace += letter;
  co_await checkpoint();
}

/// Whether 1 lock was ever held twice.
task<bool> excludes(int tasks, int cycles, int& counter) {
  mutex m;
  int inside = 0, most = 0;
  auto work = [&]() -> task<> {
    for (int i = 0; i < cycles; i++) {
      mutex_guard guard = co_await m.lock();
      most = std::max(most, ++inside);
      int before = counter;
      if (i % 8 == 0) co_await checkpoint();
      counter = before + 1;
      inside--;
    }
  };
  std::vector<task<>> all;
  for (int i = 0; i < tasks; i++) all.push_back(work());
  co_await gather(std::move(all));
  co_return most == 1 && !m.locked();
}

}  // namespace

CUVEE_TEST_CASE(
    "mutex: free, it is taken without suspending and given back at the end of the guard") {
  mutex m;
  {
    mutex_guard guard = co_await m.lock();
    CHECK(guard.owns_lock());
    CHECK(m.locked());
    CHECK_FALSE(m.try_lock().has_value());
  }
  CHECK_FALSE(m.locked());
  auto guard = m.try_lock();
  CHECK(guard.has_value());
  CHECK(m.locked());
}

CUVEE_TEST_CASE("mutex: passes from waiter to waiter in order, a newcomer cannot barge in") {
  testing::keep_fifo();
  mutex m;
  std::string trace;
  auto first = [&]() -> task<> {
    mutex_guard guard = co_await m.lock();
    co_await turns(2);
    guard.unlock();
    CHECK(m.locked());  // handed over, although nobody has run yet
    CHECK_FALSE(m.try_lock().has_value());
    co_await hold(m, trace, 'n');
  };
  co_await gather(first(), hold(m, trace, 'a'), hold(m, trace, 'b'), hold(m, trace, 'c'));
  CHECK(trace == "abcn");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE(
    "mutex: unlocked and the woken waiter cancelled in one turn, the next one gets it") {
  testing::keep_fifo();
  mutex m;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    mutex_guard guard = co_await m.lock();
    auto a = g.spawn([&]() -> task<> { co_await hold(m, trace, 'a'); });
    g.spawn([&]() -> task<> { co_await hold(m, trace, 'b'); });
    co_await checkpoint();
    guard.unlock();
    a.cancel();
  });
  CHECK(trace ==
        "ab");  // the lock had been a's: it got that far, and no further than its next await
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE("mutex: cancelled before it is asked for and while waited for, no lock is taken") {
  mutex m;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await hold(m, trace, 'e');
  });
  CHECK_FALSE(m.locked());
  co_await task_group([&](group& g) -> task<> {
    mutex_guard guard = co_await m.lock();
    auto late = g.spawn([&]() -> task<> { co_await hold(m, trace, 'l'); });
    g.spawn([&]() -> task<> { co_await hold(m, trace, 'n'); });
    co_await checkpoint();
    late.cancel();
  });
  CHECK(trace == "n");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE("mutex guard: moves, unlocks early, and once only") {
  mutex m, other;
  mutex_guard a = co_await m.lock();
  mutex_guard b = std::move(a);
  CHECK_FALSE(a.owns_lock());
  CHECK(b.owns_lock());
  mutex_guard c = co_await other.lock();
  c = std::move(b);
  CHECK_FALSE(other.locked());
  CHECK(m.locked());
  c = std::move(*&c);
  CHECK(m.locked());
  c.unlock();
  CHECK_FALSE(m.locked());
  try {
    c.unlock();
    FAIL("unlocked twice");
  } catch (const error& e) {
    CHECK(e.code() == std::errc::operation_not_permitted);
    CHECK(std::string(e.what()) == "unlock mutex: not held");
  }
}

CUVEE_TEST_CASE("mutex: any_of takes one lock of two, also when both are free in one turn") {
  mutex m, n;
  {
    auto [first, second] = co_await any_of(m.lock(), n.lock());
    CHECK(first.has_value());
    CHECK_FALSE(second.has_value());
    CHECK_FALSE(n.locked());
  }
  CHECK_FALSE(m.locked());
  co_await task_group([&](group& g) -> task<> {
    mutex_guard of_m = co_await m.lock();
    mutex_guard of_n = co_await n.lock();
    g.spawn([&]() -> task<> {
      auto [first, second] = co_await any_of(m.lock(), n.lock());
      CHECK_FALSE(first.has_value());
      CHECK(second.has_value());
      CHECK_FALSE(m.locked());
    });
    co_await checkpoint();
    of_n.unlock();
    of_m.unlock();
  });
  CHECK_FALSE(n.locked());
}

CUVEE_TEST_CASE("mutex: a time limit leaves the line, and a lock in time is kept") {
  testing::virtual_clock clock;
  mutex m;
  {
    mutex_guard guard = co_await m.lock();
    bool late = false;
    try {
      mutex_guard never = co_await timeout(1s, m.lock());
    } catch (const timeout_error&) {
      late = true;
    }
    CHECK(late);
    auto given_up = co_await move_on_after(1s, m.lock());
    CHECK_FALSE(given_up.has_value());
  }
  CHECK_FALSE(m.locked());
  mutex_guard guard = co_await timeout(1s, m.lock());
  CHECK(guard.owns_lock());
}

CUVEE_TEST_CASE(
    "mutex: locked for a gather that is cancelled before it ends, it is unlocked again") {
  mutex m, n;
  co_await task_group([&](group& g) -> task<> {
    mutex_guard guard = co_await n.lock();
    g.spawn([&]() -> task<> { co_await gather(m.lock(), n.lock(), forever()); });
    co_await checkpoint();
    guard.unlock();
    co_await checkpoint();
    CHECK(m.locked());
    CHECK(n.locked());
    g.cancel();
  });
  CHECK_FALSE(m.locked());
  CHECK_FALSE(n.locked());
  auto [one, two] = co_await gather(m.lock(), n.lock());
  CHECK(one.owns_lock());
  CHECK(two.owns_lock());
}

CUVEE_TEST_CASE("mutex: as a result, behind a shield") {
  mutex m;
  auto r = co_await as_result(m.lock());
  CHECK(r.has_value());
  CHECK(r->owns_lock());
  r->unlock();
  mutex_guard guard = co_await shield(m.lock());
  CHECK(guard.owns_lock());
}

CUVEE_TEST_CASE("mutex: 50 tasks lock it 20 times each, one holder at a time") {
  int counter = 0;
  bool alone = co_await excludes(50, 20, counter);
  CHECK(alone);
  CHECK(counter == 1000);
}

CUVEE_TEST_CASE("mutex: 1000 tasks lock it 1000 times each" * doctest::test_suite("slow")) {
  int counter = 0;
  bool alone = co_await excludes(1000, 1000, counter);
  CHECK(alone);
  CHECK(counter == 1'000'000);
}

TEST_CASE("mutex: cancelled at every suspension, it is never left locked") {
  mutex m;
  auto body = [&]() -> task<> {
    std::string trace;
    co_await gather(hold(m, trace, 'a'), hold(m, trace, 'b'), hold(m, trace, 'c'));
    auto [x, y] = co_await any_of(m.lock(), checkpoint());
    co_await checkpoint();
    (void)x, (void)y;
  };
  auto r = testing::torture([&] {
    CHECK_FALSE(m.locked());  // by the run before
    return body();
  });
  CHECK_FALSE(m.locked());
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 3);
}
