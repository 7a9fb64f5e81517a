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

/// Writes its letter when it has been notified.
task<> wait_for(mutex& m, condition& c, std::string& trace, char letter) {
  mutex_guard guard = co_await m.lock();
  co_await c.wait(guard);
  CHECK(guard.owns_lock());
  trace += letter;
}

/// Says at its end, however it ends, whether the guard holds its mutex.
struct witness {
  mutex_guard& guard;
  mutex& m;
  std::string& trace;
  witness(mutex_guard& g, mutex& of, std::string& t) : guard(g), m(of), trace(t) {}
  ~witness() { trace += guard.owns_lock() && m.locked() ? 'L' : '-'; }
};

task<> witnessed(mutex& m, condition& c, std::string& trace) {
  mutex_guard guard = co_await m.lock();
  witness w(guard, m, trace);
  co_await c.wait(guard);
  trace += '!';
}

/// Two consumers, one item and one notification; the first consumer is cancelled at a moment of
/// `when`.
/// Returns: the items left.
enum class moment { before_unlock, after_unlock, next_turn };
task<int> left_when_cancelled(moment when) {
  mutex m;
  condition c;
  int items = 0;
  auto consume = [&]() -> task<> {
    mutex_guard guard = co_await m.lock();
    for (;;) {
      co_await c.wait(guard, [&] { return items > 0; });
      items--;
    }
  };
  co_await task_group([&](group& g) -> task<> {
    auto first = g.spawn(consume);
    g.spawn(consume);
    co_await turns(2);
    mutex_guard guard = co_await m.lock();
    items++;
    c.notify();
    if (when == moment::before_unlock) first.cancel();
    guard.unlock();
    if (when == moment::after_unlock) first.cancel();
    co_await checkpoint();
    if (when == moment::next_turn) first.cancel();
    co_await turns(5);
    g.cancel();
  });
  CHECK_FALSE(m.locked());
  co_return items;
}

}  // namespace

CUVEE_TEST_CASE("condition: notify wakes those that have waited longest, with the mutex locked") {
  testing::keep_fifo();
  mutex m;
  condition c;
  std::string trace;
  auto wake = [&]() -> task<> {
    co_await checkpoint();
    CHECK_FALSE(m.locked());
    c.notify();
    co_await turns(3);
    CHECK(trace == "a");
    mutex_guard guard = co_await m.lock();
    c.notify(2);
    co_await turns(3);
    CHECK(trace == "a");  // the mutex is still ours
    guard.unlock();
    co_await turns(3);
    CHECK(trace == "abc");
    c.notify_all();
    c.notify(5);  // nobody is left
  };
  auto wait = [&](char letter) { return wait_for(m, c, trace, letter); };
  co_await gather(wait('a'), wait('b'), wait('c'), wait('d'), wait('e'), wake());
  CHECK(trace == "abcde");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE("condition: notify_all wakes those that wait now, not those that wait again") {
  testing::keep_fifo();
  mutex m;
  condition c;
  std::string trace;
  auto wait_twice = [&](char letter) -> task<> {
    mutex_guard guard = co_await m.lock();
    co_await c.wait(guard);
    trace += letter;
    co_await c.wait(guard);
    trace += letter;
  };
  auto wake = [&]() -> task<> {
    co_await turns(2);
    c.notify_all();
    co_await turns(10);
    CHECK(trace == "ab");
    c.notify_all();
  };
  co_await gather(wait_twice('a'), wait_twice('b'), wake());
  CHECK(trace == "abab");
}

CUVEE_TEST_CASE("condition: a predicate is asked with the mutex held, and decides") {
  mutex m;
  condition c;
  int state = 1;
  auto wait = [&]() -> task<> {
    mutex_guard guard = co_await m.lock();
    co_await c.wait(guard, [&] {
      CHECK(m.locked());
      return state > 0;
    });
    CHECK(state == 1);  // true at once
    state = 0;
    co_await c.wait(guard, [&] { return state == 2; });
    CHECK(guard.owns_lock());
    state = 9;
  };
  auto change = [&]() -> task<> {
    for (int i = 1; i <= 2; i++) {
      co_await turns(3);
      mutex_guard guard = co_await m.lock();
      state = i;
      c.notify_all();
    }
  };
  co_await gather(wait(), change());
  CHECK(state == 9);
  mutex_guard guard = co_await m.lock();
  bool thrown = false;
  try {
    co_await c.wait(guard, []() -> bool { throw boom(); });
  } catch (const boom&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK(guard.owns_lock());
}

CUVEE_TEST_CASE("condition: waited for without the mutex, it is an error") {
  condition c;
  mutex_guard nothing;
  CHECK_THROWS_WITH_AS((void)c.wait(nothing), "wait mutex: not held", error);
  bool thrown = false;
  try {
    co_await c.wait(nothing, [] { return false; });
  } catch (const error& e) {
    thrown = e.code() == std::errc::operation_not_permitted;
  }
  CHECK(thrown);
}

CUVEE_TEST_CASE("condition: cancelled before it waits, the mutex was never unlocked") {
  mutex m;
  condition c;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    mutex_guard guard = co_await m.lock();
    g.spawn([&]() -> task<> {
      mutex_guard other = co_await m.lock();
      trace += 'o';
    });
    co_await checkpoint();
    witness w(guard, m, trace);
    g.cancel();
    co_await c.wait(guard);
    trace += '!';
  });
  CHECK(trace == "L");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE("condition: cancelled while it waits, it ends only with the mutex locked again") {
  mutex m;
  condition c;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto free = g.spawn(witnessed, std::ref(m), std::ref(c), std::ref(trace));
    co_await checkpoint();
    free.cancel();
    CHECK(m.locked());  // at once, as nobody else had it
    co_await turns(2);
    CHECK(trace == "L");
    auto waits = g.spawn(witnessed, std::ref(m), std::ref(c), std::ref(trace));
    co_await checkpoint();
    mutex_guard guard = co_await m.lock();
    waits.cancel();
    co_await turns(5);
    CHECK_FALSE(waits.done());
    waits.cancel();  // changes nothing
    c.notify();      // it is not there to be notified
    guard.unlock();
    co_await turns(2);
    CHECK(waits.was_cancelled());
  });
  CHECK(trace == "LL");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE("condition: notified and then cancelled, the notification is not lost") {
  for (moment when : {moment::before_unlock, moment::after_unlock, moment::next_turn}) {
    int left = co_await left_when_cancelled(when);
    CHECK_MESSAGE(left == 0, static_cast<int>(when));
  }
}

CUVEE_TEST_CASE(
    "condition: notified and cancelled before the mutex is free, the next is woken instead") {
  testing::keep_fifo();
  mutex m;
  condition c;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto a = g.spawn(witnessed, std::ref(m), std::ref(c), std::ref(trace));
    g.spawn(wait_for, std::ref(m), std::ref(c), std::ref(trace), 'b');
    co_await turns(2);
    mutex_guard guard = co_await m.lock();
    c.notify();
    a.cancel();
    guard.unlock();
  });
  CHECK(trace == "Lb");
}

CUVEE_TEST_CASE("condition: notified for a gather that is cancelled, the next is woken instead") {
  testing::keep_fifo();
  mutex m;
  condition c;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto a = g.spawn([&]() -> task<> {
      mutex_guard guard = co_await m.lock();
      witness w(guard, m, trace);
      co_await gather(c.wait(guard), forever());
    });
    g.spawn(wait_for, std::ref(m), std::ref(c), std::ref(trace), 'b');
    co_await turns(2);
    c.notify();
    co_await turns(2);
    CHECK(trace.empty());
    a.cancel();
  });
  CHECK(trace == "Lb");
  CHECK_FALSE(m.locked());
}

CUVEE_TEST_CASE(
    "condition: in any_of and under a time limit the mutex is locked again afterwards") {
  testing::virtual_clock clock;
  mutex m;
  condition c;
  mutex_guard guard = co_await m.lock();
  auto late = co_await move_on_after(1s, c.wait(guard));
  CHECK_FALSE(late.has_value());
  CHECK(guard.owns_lock());
  auto busy = [&]() -> task<> {  // has the mutex when the limit comes
    co_await checkpoint();
    mutex_guard other = co_await m.lock();
    co_await sleep(5s);
  };
  auto impatient = [&]() -> task<> {
    auto [notified, slept] = co_await any_of(c.wait(guard), sleep(1s));
    CHECK_FALSE(notified.has_value());
    CHECK(slept.has_value());
    CHECK(guard.owns_lock());
    CHECK(clock.elapsed() == 6s);
  };
  co_await gather(impatient(), busy());
  auto notify = [&]() -> task<> {
    c.notify();
    co_return;
  };
  co_await gather(timeout(1s, c.wait(guard)), notify());
  CHECK(guard.owns_lock());
}

TEST_CASE("condition: cancelled at every suspension, the mutex is held and then free") {
  mutex m;
  condition c;
  std::string trace;
  auto r = testing::torture([&]() -> task<> {
    CHECK_FALSE(m.locked());  // after the run before
    int items = 0;
    auto consume = [&]() -> task<> {
      mutex_guard guard = co_await m.lock();
      witness w(guard, m, trace);
      co_await c.wait(guard, [&] { return items > 0; });
      items--;
    };
    auto produce = [&]() -> task<> {
      for (int i = 0; i < 2; i++) {
        co_await checkpoint();
        mutex_guard guard = co_await m.lock();
        items++;
        c.notify();
        co_await checkpoint();
      }
    };
    co_await gather(consume(), consume(), produce());
  });
  CHECK_FALSE(m.locked());
  CHECK(trace.find('-') == std::string::npos);
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 5);
}
