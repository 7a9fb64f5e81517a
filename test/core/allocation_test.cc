// SPDX-License-Identifier: MIT
// Counts the heap allocations of what a program does all the time. Under ASan frames are not
// pooled.
#include "scenario.h"

#include "heap.h"

#include <cuvee/testing/doctest.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

static_assert(sizeof(detail::strand) <= 72);
static_assert(sizeof(detail::child<task<>>) <= 96);
static_assert(sizeof(detail::child<task<std::string>>) <= 96);

#if !CUVEE_ASAN

CUVEE_TEST_CASE("allocation: child calls, yields and sleeps need none") {
  std::size_t calls = co_await heap::steady_state([]() -> task<> { co_await give(1); });
  CHECK(calls == 0);
  std::size_t yields = co_await heap::steady_state([]() -> task<> { co_await checkpoint(); });
  CHECK(yields == 0);
  std::size_t sleeps = co_await heap::steady_state([]() -> task<> { co_await sleep(0s); });
  CHECK(sleeps == 0);
}

CUVEE_TEST_CASE("allocation: locks, permits, tokens and rounds need none, waited for or not") {
  mutex m;
  semaphore s(1);
  capacity_limiter limiter(1);
  rw_lock l;
  barrier b(2);
  auto all = [&]() -> task<> {
    mutex_guard guard = co_await m.lock();
    co_await checkpoint();
    guard.unlock();
    semaphore_guard permit = co_await s.hold();
    co_await checkpoint();
    permit.release();
    capacity_token token = co_await limiter.acquire();
    co_await checkpoint();
    token.release();
    exclusive_guard alone = co_await l.lock();
    co_await checkpoint();
    alone.unlock();
    shared_guard shared = co_await l.lock_shared();
    shared.unlock();
    co_await b.arrive_and_wait();
  };
  std::size_t locks =
      co_await heap::steady_state([&]() -> task<> { co_await gather(all(), all()); });
  CHECK(locks == 0);
}

CUVEE_TEST_CASE("allocation: waiting for a condition needs none") {
  testing::keep_fifo();
  mutex m;
  condition c;
  auto wait = [&]() -> task<> {
    bool asked = false;
    mutex_guard guard = co_await m.lock();
    co_await c.wait(guard, [&] { return std::exchange(asked, true); });
  };
  auto notify = [&]() -> task<> {
    mutex_guard guard = co_await m.lock();
    c.notify_all();
    co_await checkpoint();
  };
  std::size_t waits =
      co_await heap::steady_state([&]() -> task<> { co_await gather(wait(), wait(), notify()); });
  CHECK(waits == 0);
}

CUVEE_TEST_CASE("allocation: any_of, timeout, gather and shield of leaves need none") {
  event e;
  e.set();
  std::size_t races =
      co_await heap::steady_state([&]() -> task<> { co_await any_of(e.wait(), forever()); });
  CHECK(races == 0);
  std::size_t limits =
      co_await heap::steady_state([]() -> task<> { co_await timeout(1h, checkpoint()); });
  CHECK(limits == 0);
  std::size_t cuts =
      co_await heap::steady_state([&]() -> task<> { co_await move_on_after(1h, e.wait()); });
  CHECK(cuts == 0);
  std::size_t gathers = co_await heap::steady_state(
      [&]() -> task<> { co_await gather(checkpoint(), e.wait(), give(1)); });
  CHECK(gathers == 0);
  std::size_t shields =
      co_await heap::steady_state([&]() -> task<> { co_await shield(checkpoint()); });
  CHECK(shields == 0);
}

CUVEE_TEST_CASE("allocation: items through a queue and a channel need none") {
  queue<int> q(4);
  std::size_t queued = co_await heap::steady_state([&]() -> task<> {
    for (int i = 0; i < 4; i++) co_await q.put(i);
    for (int i = 0; i < 4; i++) co_await q.get();
    co_await gather(q.get(), q.put(1));
  });
  CHECK(queued == 0);
  auto [tx, rx] = channel<int>();
  std::size_t sent = co_await heap::steady_state(
      [&from = tx, &to = rx]() -> task<> { co_await gather(to.recv(), from.send(1)); });
  CHECK(sent == 0);
}

CUVEE_TEST_CASE("allocation: race and gather_settled of leaves need none") {
  event e;
  e.set();
  std::size_t races = co_await heap::steady_state(
      [&]() -> task<> { co_await race(forever(), checkpoint(), e.wait()); });
  CHECK(races == 0);
  std::size_t settled = co_await heap::steady_state(
      [&]() -> task<> { co_await gather_settled(checkpoint(), e.wait(), give(1)); });
  CHECK(settled == 0);
}

CUVEE_TEST_CASE("allocation: a container of leaves needs no frame for each") {
  event e;
  e.set();
  std::size_t n = co_await heap::steady_state([&]() -> task<> {
    std::vector<event::wait_awaiter> waits(200, e.wait());
    co_await gather(width(3), std::move(waits));
  });
  CHECK(n == 200);  // 100 times the caller's vector and the list of chunks
}

CUVEE_TEST_CASE("allocation: a group with a spawned child that is joined needs none") {
  std::size_t n = co_await heap::steady_state([]() -> task<> {
    co_await task_group([](group& g) -> task<> {
      auto h = g.spawn(give, 1);
      co_await h.join();
    });
  });
  CHECK(n == 0);
}

CUVEE_TEST_CASE("allocation: generators and their values need none") {
  auto numbers = []() -> generator<int> {
    for (int i = 0;; i++) {
      co_await checkpoint();
      co_yield i;
    }
  };
  std::size_t whole = co_await heap::steady_state([&]() -> task<> {
    generator<int> g = numbers();
    co_await g.next();
    co_await g.next();
  });
  CHECK(whole == 0);
  generator<int> g = numbers();
  std::size_t next = co_await heap::steady_state([&]() -> task<> { co_await g.next(); });
  CHECK(next == 0);
  std::size_t timed =
      co_await heap::steady_state([&]() -> task<> { co_await timeout(1h, g.next()); });
  CHECK(timed == 0);
}

CUVEE_TEST_CASE("allocation: a cancelled child needs none") {
  std::size_t n = co_await heap::steady_state(
      []() -> task<> { co_await any_of(turns(2), []() -> task<> { co_await forever(); }()); });
  CHECK(n == 0);
}

CUVEE_TEST_CASE("allocation: an offloaded job needs none of ours") {
  testing::keep_fifo();  // shuffling hands the ends of jobs over late, by posts
  std::size_t n =
      co_await heap::steady_state([]() -> task<> { co_await offload([] { return 1; }); });
  CHECK(n == 0);
}

#endif
