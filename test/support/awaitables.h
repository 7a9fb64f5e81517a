// SPDX-License-Identifier: MIT
// Each public awaitable of core and exec in a small scenario, for tests that disturb them all.
#pragma once
#include "awaitable_primitives.h"

#include <cuvee/exec.h>

#include <vector>

namespace awaitables {

inline generator<int> count_slowly(int n) {
  tracked t;
  for (int i = 0; i < n; i++) {
    co_await sleep(1ms);
    co_yield i;
  }
}

inline task<> gathering() {
  testing::virtual_clock clock;
  auto [one, two] = co_await gather(later(1), later(2));
  expect(one == 1 && two == 2, "gather");
  std::vector<task<int>> many;
  for (int i = 0; i < 4; i++) many.push_back(later(i));
  auto values = co_await gather(width(2), std::move(many));
  expect(values[3] == 3, "gather of a range");
  auto [value, failure] = co_await gather_settled(later(1), fails_later());
  expect(value && !failure, "gather_settled");
}
inline task<> racing() {
  testing::virtual_clock clock;
  auto [first, second] = co_await any_of(later(1), sleep(1h));
  expect(first == 1 && !second, "any_of");
  auto won = co_await race(fails_later(), later(5));
  expect(won.index == 1 && won.value == 5, "race");
  std::vector<task<int>> attempts;
  attempts.push_back(fails_later());
  attempts.push_back(later(2));
  auto staggered = co_await staggered_race(1h, std::move(attempts));
  expect(staggered.index == 1, "staggered_race");
}
inline task<> limits() {
  testing::virtual_clock clock;
  int one = co_await timeout(1h, later(1));
  expect(one == 1, "timeout");
  auto cut = co_await move_on_after(1ms, sleep(1h));
  expect(!cut, "move_on_after");
  auto expired = co_await as_result(timeout(1ms, sleep(1h)));
  expect(!expired, "timeout expires");
}
inline task<> scopes() {
  testing::virtual_clock clock;
  auto block = [](cancel_scope& s) -> task<int> {
    tracked t;
    s.set_deadline(loop::current().now() + 1ms);
    co_await sleep(1h);
    co_return 1;
  };
  auto cut = co_await scope(block);
  expect(!cut, "scope");
  co_await shield(turns(2));
}
inline task<> cleaning_up() {
  testing::virtual_clock clock;
  int cleaned = 0;
  auto clean = [&]() -> task<> {
    co_await sleep(1ms);
    cleaned++;
  };
  int one = co_await try_finally(later(1), clean);
  expect(one == 1 && cleaned == 1, "try_finally");
}

struct door {
  bool* open;
  task<> close() {
    tracked t;
    co_await checkpoint();
    *open = false;
  }
};
inline task<door> open_door(bool& open) {
  co_await checkpoint();
  open = true;
  co_return door{&open};
}
inline task<> resource() {
  bool open = false;
  auto use = [](door& d) -> task<> {
    tracked t;
    co_await turns(2);
    expect(*d.open, "with_resource");
  };
  co_await with_resource(open_door(open), use);
  expect(!open, "with_resource closes");
}

inline task<> grouping() {
  testing::virtual_clock clock;
  auto server = [](started<int> ready) -> task<> {
    tracked t;
    co_await sleep(1ms);
    ready(80);
    co_await forever();
  };
  co_await task_group([&](group& g) -> task<> {
    tracked t;
    int port = co_await g.start<int>(server);
    auto child = g.spawn(later, 7);
    int seven = co_await child.join();
    expect(port == 80 && seven == 7, "group");
    g.cancel();
  });
}
inline task<> watching() {
  testing::virtual_clock clock;
  co_await task_group([](group& g) -> task<> {
    std::vector<task_handle<int>> all;
    for (int i = 0; i < 3; i++) all.push_back(g.spawn(later, i));
    co_await wait(all, until::first);
    co_await wait(all, until::all);
    int sum = 0;
    auto done = as_completed(all);
    while (auto* next = co_await done.next()) {
      int value = co_await next->join();
      sum += value;
    }
    expect(sum == 3, "as_completed");
  });
}
inline task<> generating() {
  testing::virtual_clock clock;
  auto g = count_slowly(3);
  int sum = 0;
  while (auto x = co_await g.next()) sum += *x;
  expect(sum == 3, "generator");
}
inline task<> merging() {
  testing::virtual_clock clock;
  auto add = [](generator<int> all) -> task<int> {
    int sum = 0;
    while (auto x = co_await all.next()) sum += *x;
    co_return sum;
  };
  int merged = co_await merge(count_slowly(3), count_slowly(2), add);
  expect(merged == 4, "merge");
  int doubled = co_await buffered(count_slowly(3), 2, later, add);
  expect(doubled == 3, "buffered");
}

inline task<> offloading() {
  tracked t;
  int one = co_await offload([] { return 1; });
  auto two = co_await offload([](std::stop_token) { return 2; }).abandon_on_cancel();
  expect(one == 1 && two == 2, "offload");
}
inline task<> pooled() {
  thread_pool pool(1);
  tracked t;
  auto [one, two] = co_await gather(pool.run([] { return 1; }), pool.run([] { return 2; }));
  expect(one == 1 && two == 2, "thread_pool");
}
inline task<> calling() {
  loop_ref here = loop::current().ref();
  tracked t;
  int seven = co_await call_on(here, [] { return later(7); });
  expect(seven == 7, "call_on");
}
inline task<> calling_back() {
  loop_ref here = loop::current().ref();
  thread_pool pool(1);
  auto job = [here] { return from_thread::run(here, [] { return later(7); }); };
  int seven = co_await pool.run(job);
  expect(seven == 7, "from_thread");
}

inline const std::vector<scenario>& all() {
  static const std::vector<scenario> table = {
      {"sleep, sleep_until, checkpoint", sleeping},
      {"event", event_wait},
      {"mutex", mutex_lock},
      {"semaphore", semaphore_acquire},
      {"condition", condition_wait},
      {"barrier", barrier_rounds},
      {"rw_lock", rw_lock_both},
      {"capacity_limiter", limiter},
      {"queue", queue_put_get},
      {"channel", channel_ends},
      {"broadcast", broadcasting},
      {"gather, gather_settled", gathering},
      {"any_of, race, staggered_race", racing},
      {"timeout, move_on_after", limits},
      {"scope, shield", scopes},
      {"try_finally", cleaning_up},
      {"with_resource", resource},
      {"task_group, start, join", grouping},
      {"wait, as_completed", watching},
      {"generator", generating},
      {"merge, buffered", merging},
      {"offload", offloading, true},
      {"thread_pool", pooled, true},
      {"call_on", calling, true},
      {"from_thread", calling_back, true},
  };
  return table;
}

}  // namespace awaitables
