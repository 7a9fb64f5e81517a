// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// Upper-case letters lock alone, others share; each writes its letter when it has the lock and a
/// dot when it goes.
task<> use(rw_lock& l, std::string& trace, char letter) {
  exclusive_guard alone;
  shared_guard shared;
  if (letter < 'a') alone = co_await l.lock();
  else shared = co_await l.lock_shared();
  trace += letter;
  co_await turns(2);
  trace += '.';
}

bool is_free(const rw_lock& l) { return !l.locked() && l.readers() == 0; }

}  // namespace

CUVEE_TEST_CASE("rw_lock: many share it, one has it alone") {
  rw_lock l;
  {
    shared_guard a = co_await l.lock_shared();
    auto b = l.try_lock_shared();
    CHECK(b.has_value());
    CHECK(l.readers() == 2);
    CHECK_FALSE(l.try_lock().has_value());
    a.unlock();
    CHECK(l.readers() == 1);
    CHECK_THROWS_WITH_AS(a.unlock(), "unlock_shared rw_lock: not held", error);
  }
  exclusive_guard alone = co_await l.lock();
  CHECK(alone.owns_lock());
  CHECK(l.locked());
  CHECK_FALSE(l.try_lock().has_value());
  CHECK_FALSE(l.try_lock_shared().has_value());
  exclusive_guard moved = std::move(alone);
  moved.unlock();
  CHECK(is_free(l));
  CHECK_THROWS_WITH_AS(moved.unlock(), "unlock rw_lock: not held", error);
  auto again = l.try_lock();
  CHECK(again.has_value());
}

CUVEE_TEST_CASE("rw_lock: a writer that waits blocks later readers, who then share it") {
  testing::keep_fifo();
  rw_lock l;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    for (char c : {'a', 'b', 'X', 'c', 'd', 'Y', 'e'})
      g.spawn(use, std::ref(l), std::ref(trace), c);
    co_await checkpoint();
    CHECK(trace == "ab");
    CHECK_FALSE(l.try_lock_shared().has_value());
  });
  CHECK(trace == "ab..X.cd..Y.e.");
  CHECK(is_free(l));
}

CUVEE_TEST_CASE("rw_lock: a writer gives up waiting, the readers behind it go on at once") {
  testing::keep_fifo();
  rw_lock l;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    shared_guard mine = co_await l.lock_shared();
    auto writer = g.spawn(use, std::ref(l), std::ref(trace), 'X');
    g.spawn(use, std::ref(l), std::ref(trace), 'a');
    g.spawn(use, std::ref(l), std::ref(trace), 'b');
    co_await turns(2);
    CHECK(trace.empty());
    writer.cancel();
    CHECK(l.readers() == 3);
    co_await turns(4);
    CHECK(trace == "ab..");
  });
  CHECK(is_free(l));
}

CUVEE_TEST_CASE(
    "rw_lock: cancelled before it is asked for and while waited for, no lock is taken") {
  rw_lock l;
  std::string trace;
  for (char c : {'a', 'X'}) {
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await use(l, trace, c);
    });
    CHECK(is_free(l));
    co_await task_group([&](group& g) -> task<> {
      exclusive_guard mine = co_await l.lock();
      auto waits = g.spawn(use, std::ref(l), std::ref(trace), c);
      co_await checkpoint();
      waits.cancel();
    });
    CHECK(is_free(l));
  }
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("rw_lock: unlocked and the woken waiter cancelled in one turn, the next gets it") {
  testing::keep_fifo();
  rw_lock l;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    exclusive_guard mine = co_await l.lock();
    auto first = g.spawn(use, std::ref(l), std::ref(trace), 'X');
    g.spawn(use, std::ref(l), std::ref(trace), 'Y');
    co_await checkpoint();
    mine.unlock();
    first.cancel();
  });
  CHECK(trace == "XY.");
  CHECK(is_free(l));
}

CUVEE_TEST_CASE("rw_lock: in any_of, timeout and gather no lock is lost") {
  testing::virtual_clock clock;
  rw_lock l;
  {
    auto [read, write] = co_await any_of(l.lock_shared(), l.lock());
    CHECK(read.has_value());
    CHECK_FALSE(write.has_value());
    auto late = co_await move_on_after(1s, l.lock());
    CHECK_FALSE(late.has_value());
    auto both = co_await move_on_after(1s, gather(l.lock_shared(), l.lock()));
    CHECK_FALSE(both.has_value());
    CHECK(l.readers() == 1);
  }
  auto [one, two] = co_await gather(l.lock_shared(), l.lock_shared());
  CHECK(l.readers() == 2);
  one.unlock();
  two.unlock();
  auto r = co_await as_result(l.lock());
  CHECK(r.has_value());
}

TEST_CASE("rw_lock: cancelled at every suspension, it is never left locked") {
  rw_lock l;
  std::string trace;
  auto r = testing::torture([&]() -> task<> {
    CHECK(is_free(l));  // after the run before
    co_await gather(use(l, trace, 'a'), use(l, trace, 'X'), use(l, trace, 'b'), use(l, trace, 'c'));
    co_await gather(l.lock(), checkpoint());
  });
  CHECK(is_free(l));
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 5);
}
