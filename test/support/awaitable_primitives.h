// SPDX-License-Identifier: MIT
// What scenarios of awaitables are, and those of time, locks and queues.
#pragma once
#include <cuvee/testing/virtual_clock.h>

#include <cuvee/core.h>

#include <functional>
#include <stdexcept>
#include <utility>

namespace awaitables {

using namespace cuvee;
using namespace std::chrono_literals;

/// Counts live frames: each scenario's task holds one.
struct tracked {
  static inline int alive = 0;
  tracked() { alive++; }
  tracked(const tracked&) { alive++; }
  ~tracked() { alive--; }
};

struct scenario {
  const char* name;
  std::function<task<>()> body;
  bool threads = false;  // other threads take part: the number of suspensions varies
};

/// An outcome that no disturbance explains. No `cuvee::error`, so nothing takes it for an outcome.
inline void expect(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

inline task<int> later(int value) {
  tracked t;
  co_await sleep(1ms);
  co_return value;
}
inline task<int> fails_later() {
  tracked t;
  co_await sleep(1ms);
  throw error(errc::closed, "fail");
}
inline task<> turns(int n) {
  tracked t;
  for (int i = 0; i < n; i++) co_await checkpoint();
}
inline task<> sleeping() {
  testing::virtual_clock clock;
  tracked t;
  co_await sleep(1h);
  expect(clock.elapsed() == 1h, "sleep");
  co_await sleep_until(loop::current().now() + 1h);
  expect(clock.elapsed() == 2h, "sleep_until");
  co_await checkpoint();
}
inline task<> event_wait() {
  event e;
  auto waits = [&]() -> task<> {
    tracked t;
    co_await e.wait();
    expect(e.is_set(), "event");
  };
  auto sets = [&]() -> task<> {
    co_await checkpoint();
    e.set();
  };
  co_await gather(waits(), waits(), e.wait(), sets());
}
inline task<> mutex_lock() {
  mutex m;
  int inside = 0;
  auto enter = [&]() -> task<> {
    tracked t;
    auto guard = co_await m.lock();
    expect(inside++ == 0, "mutex");
    co_await checkpoint();
    inside--;
  };
  co_await gather(enter(), enter(), enter());
  expect(!m.locked(), "mutex is free");
}
inline task<> semaphore_acquire() {
  semaphore s(2);
  int inside = 0;
  auto enter = [&]() -> task<> {
    tracked t;
    auto permit = co_await s.hold();
    expect(++inside <= 2, "semaphore");
    co_await checkpoint();
    inside--;
  };
  co_await gather(enter(), enter(), enter(), enter());
}
inline task<> condition_wait() {
  mutex m;
  condition c;
  bool ready = false;
  auto waits = [&]() -> task<> {
    tracked t;
    auto guard = co_await m.lock();
    co_await c.wait(guard, [&] { return ready; });
    expect(guard.owns_lock() && ready, "condition");
  };
  auto changes = [&]() -> task<> {
    co_await turns(3);
    auto guard = co_await m.lock();
    ready = true;
    c.notify_all();
  };
  co_await gather(waits(), waits(), changes());
}
inline task<> barrier_rounds() {
  barrier b(3);
  auto meet = [&](int n) -> task<> {
    tracked t;
    co_await turns(n);
    co_await b.arrive_and_wait();
    co_await b.arrive_and_wait();
  };
  co_await gather(meet(0), meet(1), meet(4));
}
inline task<> rw_lock_both() {
  rw_lock l;
  int writers = 0, readers = 0;
  auto writes = [&]() -> task<> {
    tracked t;
    auto guard = co_await l.lock();
    expect(++writers == 1 && readers == 0, "rw_lock alone");
    co_await checkpoint();
    writers--;
  };
  auto reads = [&]() -> task<> {
    tracked t;
    auto guard = co_await l.lock_shared();
    expect(writers == 0, "rw_lock shared");
    readers++;
    co_await checkpoint();
    readers--;
  };
  co_await gather(reads(), writes(), reads(), reads(), writes());
}
inline task<> limiter() {
  capacity_limiter l(1);
  int inside = 0;
  auto enter = [&]() -> task<> {
    tracked t;
    auto token = co_await l.acquire();
    expect(++inside == 1, "capacity_limiter");
    co_await checkpoint();
    inside--;
  };
  co_await gather(enter(), enter(), enter());
}
inline task<> queue_put_get() {
  queue<int> q(1);
  int sum = 0;
  auto puts = [&]() -> task<> {
    tracked t;
    for (int i = 1; i <= 4; i++) co_await q.put(i);
    co_await q.join();
  };
  auto gets = [&]() -> task<> {
    tracked t;
    for (int i = 0; i < 2; i++) {
      sum += co_await q.get();
      q.task_done();
    }
  };
  co_await gather(puts(), gets(), gets());
  expect(sum == 10, "queue");
}
inline task<> channel_ends() {
  auto [tx, rx] = channel<int>(1);
  auto sends = [](sender<int> mine) -> task<> {
    tracked t;
    for (int i = 1; i <= 3; i++) co_await mine.send(i);
    mine.close();
  };
  int sum = 0;
  auto receives = [&sum](receiver<int> mine) -> task<> {
    tracked t;
    while (auto item = co_await mine.recv()) sum += *item;
  };
  auto first = sends(tx), second = sends(std::move(tx));
  co_await gather(std::move(first), std::move(second), receives(std::move(rx)));
  expect(sum == 12, "channel");
}
inline task<> broadcasting() {
  broadcast<int> all(4);
  auto listens = [](subscription<int> mine) -> task<> {
    tracked t;
    int sum = 0;
    while (auto item = co_await mine.recv()) sum += *item;
    expect(sum == 3, "broadcast");
  };
  auto sends = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      co_await checkpoint();
      all.send(i);
    }
    all.close();
  };
  auto one = listens(all.subscribe()), two = listens(all.subscribe());
  co_await gather(std::move(one), std::move(two), sends());
}

}  // namespace awaitables
