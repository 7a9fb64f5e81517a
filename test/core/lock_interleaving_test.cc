// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;

namespace {

/// Starts three of each actor and cancels some of them at random moments, then all.
template <class... Actor>
task<> disturb(unsigned seed, Actor&... actors) {
  std::mt19937 random(seed);
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (int i = 0; i < 3; i++) (all.push_back(g.spawn(std::ref(actors))), ...);
    for (int i = 0; i < 30; i++) {
      if (random() % 3 != 0) co_await checkpoint();
      all[random() % all.size()].cancel();
    }
    if (random() % 2) co_await turns(20);
    g.cancel();
  });
}

/// Counts those between its construction and its destruction.
struct presence {
  int& inside;
  int& most;
  presence(int& now, int& ever) : inside(now), most(ever) { most = std::max(most, ++inside); }
  ~presence() { inside--; }
};

/// True: never two holders, and free at the end.
task<bool> mutex_balances(unsigned seed) {
  mutex m;
  int inside = 0, most = 0, locked = 0;
  auto plain = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      mutex_guard guard = co_await m.lock();
      presence p(inside, most);
      locked++;
      co_await turns(i % 2);
    }
  };
  auto glance = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      auto [guard, nothing] = co_await any_of(m.lock(), checkpoint());
      if (!guard) continue;
      presence p(inside, most);
      co_await checkpoint();
      (void)nothing;
    }
  };
  auto together = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      auto [guard, nothing] = co_await gather(m.lock(), checkpoint());
      presence p(inside, most);
      (void)guard, (void)nothing;
    }
  };
  co_await disturb(seed, plain, glance, together);
  co_return most <= 1 && inside == 0 && !m.locked();
}

/// True: what was released is what was acquired and what is left.
task<bool> semaphore_balances(unsigned seed) {
  semaphore s(2);
  int released = 2, acquired = 0;
  auto produce = [&]() -> task<> {
    for (int i = 1; i <= 4; i++) {
      s.release(i % 3);
      released += i % 3;
      co_await checkpoint();
    }
  };
  auto consume = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      co_await s.acquire();
      acquired++;
    }
  };
  auto glance = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      auto [permit, nothing] = co_await any_of(s.acquire(), checkpoint());
      acquired += permit.has_value();
      (void)nothing;
    }
  };
  auto together = [&]() -> task<> {
    for (int i = 0; i < 2; i++) {
      co_await gather(s.acquire(), checkpoint(), s.acquire());
      acquired += 2;
    }
  };
  auto hold = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      semaphore_guard guard = co_await s.hold();
      co_await checkpoint();
    }
  };
  co_await disturb(seed, produce, consume, glance, together, hold);
  co_return released == acquired + s.value();
}

/// True: a writer was always alone, and nobody has it at the end.
task<bool> rw_lock_balances(unsigned seed) {
  rw_lock l;
  int readers = 0, writers = 0, ever = 0;
  bool alone = true;
  auto read = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      shared_guard guard = co_await l.lock_shared();
      presence p(readers, ever);
      alone &= writers == 0;
      co_await turns(i % 3);
    }
  };
  auto write = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      auto [guard, nothing] = co_await any_of(l.lock(), turns(3));
      if (!guard) continue;
      presence p(writers, ever);
      alone &= readers == 0 && writers == 1;
      co_await checkpoint();
      (void)nothing;
    }
  };
  co_await disturb(seed, read, write);
  co_return alone && !l.locked() && l.readers() == 0;
}

/// True: every item is consumed or left, no consumer sleeps while one is left, and the mutex is
/// free.
task<bool> condition_balances(unsigned seed) {
  mutex m;
  condition c;
  int items = 0, put = 0, got = 0;
  auto consume = [&]() -> task<> {
    for (;;) {
      mutex_guard guard = co_await m.lock();
      co_await c.wait(guard, [&] { return items > 0; });
      items--;
      got++;
      co_await checkpoint();
    }
  };
  auto produce = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      mutex_guard guard = co_await m.lock();
      items++;
      put++;
      c.notify();
      co_await turns(i % 2);
    }
  };
  std::mt19937 random(seed);
  bool starved = false;
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    g.spawn(consume);  // this one is never cancelled, so nothing is left in the end
    for (int i = 0; i < 4; i++) {
      all.push_back(g.spawn(consume));
      all.push_back(g.spawn(produce));
    }
    for (int i = 0; i < 30; i++) {
      if (random() % 3 != 0) co_await checkpoint();
      all[random() % all.size()].cancel();
    }
    co_await turns(100);
    starved = items > 0;
    g.cancel();
  });
  co_return !starved && put == got && !m.locked();
}

task<> all_balance(unsigned from, unsigned to) {
  for (unsigned seed = from; seed < to; seed++) {
    bool m = co_await mutex_balances(seed);
    bool s = co_await semaphore_balances(seed);
    bool l = co_await rw_lock_balances(seed);
    bool c = co_await condition_balances(seed);
    CHECK_MESSAGE((m && s && l && c), "seed " << seed << " " << m << s << l << c);
  }
}

}  // namespace

CUVEE_TEST_CASE("lock interleaving: 100 random orders of lock, release and cancel lose nothing") {
  co_await all_balance(0, 100);
}

CUVEE_TEST_CASE("lock interleaving: 20,000 random orders" * doctest::test_suite("slow")) {
  co_await all_balance(1000, 21'000);
}
