// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <functional>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// Writes the number it got, or 'b' if the barrier broke.
task<> arrive(barrier& b, std::string& trace) {
  try {
    std::size_t index = co_await b.arrive_and_wait();
    trace += static_cast<char>('0' + index);
  } catch (const error& e) {
    CHECK(e.code() == errc::broken);
    trace += 'b';
  }
}

/// Stands for a combinator, which may react while it is being completed.
struct reacting : waiter {
  reacting() : waiter(&on_complete) {}
  static void on_complete(waiter* w) {
    auto& self = *static_cast<reacting*>(w);
    self.completions++;
    if (self.react) self.react();
  }
  int completions = 0;
  std::function<void()> react;
};

}  // namespace

CUVEE_TEST_CASE("barrier: the last to arrive lets all go on, each with a number of its own") {
  testing::keep_fifo();
  barrier b(3);
  CHECK(b.parties() == 3);
  std::string trace;
  auto watch = [&]() -> task<> {
    CHECK(b.waiting() == 2);
    CHECK(trace.empty());
    co_return;
  };
  co_await gather(arrive(b, trace), arrive(b, trace), watch(), arrive(b, trace));
  CHECK(trace == "201");  // the last goes on at once
  CHECK(b.waiting() == 0);
  CHECK_FALSE(b.broken());
}

CUVEE_TEST_CASE("barrier: is used again and again, nobody gets ahead of a round") {
  barrier b(3);
  std::vector<int> round(3);
  auto run = [&](int me) -> task<> {
    for (int i = 0; i < 50; i++) {
      round[me] = i;
      co_await turns((me * 7 + i) % 5);
      co_await b.arrive_and_wait();
      for (int r : round) CHECK(r >= i);
      for (int r : round) CHECK(r <= i + 1);
    }
  };
  co_await gather(run(0), run(1), run(2));
  CHECK(b.waiting() == 0);
}

CUVEE_TEST_CASE("barrier: of one party, nobody waits; of none, it is an error") {
  barrier b(1);
  for (int i = 0; i < 3; i++) {
    std::size_t index = co_await b.arrive_and_wait();
    CHECK(index == 0);
  }
  CHECK_THROWS_WITH_AS(barrier(0), "construct barrier: no parties", error);
}

TEST_CASE("barrier: a round that fills while the one before is let go takes nobody of it along") {
  barrier b(3);
  reacting first, second, inner;
  auto arrive = [&] { return b.arrive_and_wait(); };
  auto one = arrive(), two = arrive(), three = arrive(), x = arrive(), y = arrive(), z = arrive();
  first.react = [&] {
    x.await_suspend(inner);
    y.await_suspend(inner);
    CHECK(z.await_ready());
    CHECK(inner.completions == 2);
    CHECK(second.completions == 0);
  };
  one.await_suspend(first);
  two.await_suspend(second);
  CHECK(three.await_ready());
  CHECK(first.completions == 1);
  CHECK(second.completions == 1);
  for (auto* round : {&one, &x}) CHECK(round->await_resume() == 0);
  for (auto* round : {&two, &y}) CHECK(round->await_resume() == 1);
  for (auto* round : {&three, &z}) CHECK(round->await_resume() == 2);
  CHECK(b.waiting() == 0);
}

CUVEE_TEST_CASE("barrier: a cancelled waiter has not arrived, numbers stay unique") {
  testing::keep_fifo();
  barrier b(3);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto spawn = [&] { return g.spawn(arrive, std::ref(b), std::ref(trace)); };
    auto first = spawn();
    spawn();
    co_await checkpoint();
    CHECK(b.waiting() == 2);
    first.cancel();
    CHECK(b.waiting() == 1);
    CHECK_FALSE(b.broken());
    spawn();
    co_await turns(2);
    CHECK(trace.empty());
    spawn();
  });
  CHECK(trace == "201");
}

CUVEE_TEST_CASE("barrier: cancelled before it is asked, nobody has arrived") {
  barrier b(2);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await arrive(b, trace);
  });
  CHECK(b.waiting() == 0);
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("barrier: filled and a waiter cancelled in one turn, that one has passed") {
  barrier b(2);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto first = g.spawn(arrive, std::ref(b), std::ref(trace));
    co_await checkpoint();
    co_await b.arrive_and_wait();
    first.cancel();
  });
  CHECK(trace == "0");
  CHECK(b.waiting() == 0);
}

CUVEE_TEST_CASE("barrier: reset breaks the round of those who wait, the next round is whole") {
  testing::keep_fifo();
  barrier b(3);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto spawn = [&] { g.spawn(arrive, std::ref(b), std::ref(trace)); };
    spawn();
    spawn();
    co_await checkpoint();
    b.reset();
    CHECK_FALSE(b.broken());
    CHECK(b.waiting() == 0);
    for (int i = 0; i < 3; i++) spawn();
  });
  CHECK(trace == "bb201");
}

CUVEE_TEST_CASE("barrier: abort breaks it for those who wait and who come, until reset") {
  testing::keep_fifo();
  barrier b(3);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto spawn = [&] { g.spawn(arrive, std::ref(b), std::ref(trace)); };
    spawn();
    spawn();
    co_await checkpoint();
    b.abort();
    CHECK(b.broken());
    spawn();
    co_await turns(2);
    CHECK(trace == "bbb");
    auto r = co_await as_result(b.arrive_and_wait());
    CHECK_FALSE(r.has_value());
    CHECK(std::string(r.error().what()) == "arrive_and_wait barrier: broken");
    b.reset();
    CHECK_FALSE(b.broken());
    for (int i = 0; i < 3; i++) spawn();
  });
  CHECK(trace == "bbb201");
}

CUVEE_TEST_CASE("barrier: in any_of and under a time limit, who gave up has not arrived") {
  testing::virtual_clock clock;
  barrier b(2);
  auto late = co_await move_on_after(1s, b.arrive_and_wait());
  CHECK_FALSE(late.has_value());
  CHECK(b.waiting() == 0);
  auto [arrived, slept] = co_await any_of(b.arrive_and_wait(), sleep(1s));
  CHECK_FALSE(arrived.has_value());
  CHECK(slept.has_value());
  CHECK(b.waiting() == 0);
  auto [one, two] = co_await gather(b.arrive_and_wait(), b.arrive_and_wait());
  CHECK(one == 0);
  CHECK(two == 1);
  CHECK(b.waiting() == 0);
  // A whole round in one expression: who is cancelled by the first to go on has passed none the
  // less.
  for (int i = 0; i < 2; i++) {
    auto [x, y] = co_await any_of(b.arrive_and_wait(), b.arrive_and_wait());
    CHECK(x.has_value() + y.has_value() >= 1);
    CHECK(b.waiting() == 0);
  }
}

TEST_CASE("barrier: cancelled at every suspension, nobody is left in it") {
  barrier b(2);
  std::string trace;
  auto r = testing::torture([&]() -> task<> {
    CHECK(b.waiting() == 0);  // after the run before
    co_await gather(arrive(b, trace), turns(2), arrive(b, trace), arrive(b, trace),
                    arrive(b, trace));
  });
  CHECK(b.waiting() == 0);
  CHECK(r.leaks.empty());
  CHECK(r.cancelled > 2);
}
