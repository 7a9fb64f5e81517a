// SPDX-License-Identifier: MIT
// Generators that move, end early or are cancelled, and `next` in combinators.
#include "generators.h"
#include "in_child.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

generator<int> hanging(std::string& trace, char letter) {
  mark m(trace, letter);
  co_yield 1;
  co_await hang(trace, 'h');
}

generator<int> nested(std::string& trace, int n) {
  mark before(trace, static_cast<char>('0' + n));
  if (n == 0) {
    co_yield 1;
    co_return;
  }
  generator<int> inner = nested(trace, n - 1);
  mark after(trace, static_cast<char>('a' + n));
  while (auto x = co_await inner.next()) co_yield *x;
}

/// Counts the frames between it and its strand's first one, and those that do not say where they wait.
struct chain_walker {
  int frames = 0;
  int unknown = 0;

  bool await_ready() noexcept { return false; }
  bool await_suspend(waiter& w) noexcept {
    std::coroutine_handle<> frame = static_cast<detail::strand&>(w).frame;
    while (frame) {
      auto& p =
          std::coroutine_handle<detail::promise_base>::from_address(frame.address()).promise();
      frames++;
      if (p.where.line() == 0) unknown++;
      frame = p.awaited_by ? p.awaited_by->parent : std::coroutine_handle<>();
    }
    return false;
  }
  void await_resume() noexcept {}
};
task<> walk(chain_walker& w) { co_await w; }
generator<int> walking(chain_walker& w) {
  co_yield 1;
  co_await walk(w);
  co_yield 2;
}

}  // namespace

CUVEE_TEST_CASE("generator: moved half-way, the new owner goes on") {
  generator<int> first = count(0, 4);
  auto zero = co_await first.next();
  CHECK(*zero == 0);
  generator<int> second = std::move(first);
  CHECK(first.done());
  auto one = co_await second.next();
  CHECK(*one == 1);
  first = std::move(second);
  int rest = co_await sum_of(first);
  CHECK(rest == 5);
}

CUVEE_TEST_CASE("generator: assigned over half-way, the old body's destructors run") {
  std::string trace;
  generator<int> g = marked(trace, 'a', 3);
  co_await g.next();
  g = marked(trace, 'b', 1);
  CHECK(trace == "a");
  int sum = co_await sum_of(g);
  CHECK(sum == 0);
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("generator: nested ones dropped half-way go as members of their owners do") {
  std::string trace;
  {
    generator<int> g = nested(trace, 2);
    co_await g.next();
  }
  CHECK(trace == "cb012");
}

TEST_CASE("generator: destroyed while its next is awaited, the program ends and says why") {
  child_end end = in_child([] {
    loop l;
    l.run([]() -> task<> {
      auto g = std::make_unique<generator<int>>(count_slowly(0, 2));
      auto destroy = [&]() -> task<> {
        g.reset();
        co_return;
      };
      co_await gather(g->next(), destroy());
    });
    return 0;
  });
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output == "cuvee: a generator was destroyed while its next() was awaited\n");
}

CUVEE_TEST_CASE(
    "generator: a walk from a leaf to its task crosses generators, each saying where it waits") {
  chain_walker w;
  auto consume = [&]() -> task<> {
    auto g = walking(w) | take(9);
    int sum = co_await sum_of(g);
    CHECK(sum == 3);
  };
  co_await gather(consume());
  CHECK(w.frames == 5);  // walk, walking, take, sum_of, consume
  CHECK(w.unknown == 0);
}

CUVEE_TEST_CASE("generator: dropped half-way, its destructors run at once and once") {
  std::string trace;
  {
    generator<int> g = marked(trace, 'm', 3);
    co_await g.next();
    CHECK(trace.empty());
  }
  CHECK(trace == "m");
}

CUVEE_TEST_CASE(
    "generator: two half-iterated ones clean up once each when their owner is cancelled") {
  std::string trace;
  auto owner = [&]() -> task<> {
    generator<int> a = marked(trace, 'a', 3);
    generator<int> b = marked(trace, 'b', 3);
    co_await a.next();
    co_await b.next();
    co_await forever();
  };
  co_await any_of(turns(10), owner());
  CHECK(trace == "ba");
}

CUVEE_TEST_CASE(
    "generator: cancelled while its body waits, frames go innermost first and it has ended") {
  std::string trace;
  generator<int> g = hanging(trace, 'g');
  auto consume = [&]() -> task<> {
    mark m(trace, 'c');
    while (auto x = co_await g.next()) trace += std::to_string(*x);
    trace += '?';
  };
  co_await any_of(turns(5), consume());
  CHECK(trace == "1hgc");
  CHECK(g.done());
  auto after = co_await g.next();
  CHECK(after == nullptr);
}

CUVEE_TEST_CASE("generator: cancelled before next goes on, it stands where it stood") {
  std::string trace;
  generator<int> g = marked(trace, 'm', 2);
  co_await g.next();
  co_await task_group([&](group& own) -> task<> {
    own.cancel();
    co_await g.next();
    trace += '?';
  });
  CHECK(trace.empty());
  CHECK_FALSE(g.done());
  auto x = co_await g.next();
  CHECK(*x == 1);
}

CUVEE_TEST_CASE("generator: a cancel that meets a yield delivers the value first") {
  std::string trace;
  auto body = [&]() -> generator<int> {
    co_await shield(sleep(1ms));
    co_yield 7;
    trace += '!';
  };
  generator<int> g = body();
  auto consume = [&]() -> task<> {
    auto x = co_await g.next();
    trace += std::to_string(*x);
    co_await checkpoint();
    trace += '?';
  };
  co_await any_of(turns(3), consume());
  CHECK(trace == "7");
  CHECK_FALSE(g.done());
}

CUVEE_TEST_CASE("generator: next in a timeout, in time and too late") {
  testing::virtual_clock clock;
  generator<int> g = count_slowly(0, 3);
  auto x = co_await timeout(1s, g.next());
  CHECK(*x == 0);
  auto none = co_await move_on_after(500us, g.next());
  CHECK_FALSE(none.has_value());
  CHECK(g.done());
}

CUVEE_TEST_CASE("generator: next of several in one gather") {
  generator<int> a = count_slowly(0, 2);
  generator<int> b = count(5, 6);
  auto [x, y] = co_await gather(a.next(), b.next());
  CHECK(*x == 0);
  CHECK(*y == 5);
}

TEST_CASE("generator: cancelled at every suspension, nothing leaks") {
  auto body = []() -> task<> {
    std::string trace;
    generator<int> a = marked(trace, 'a', 3);
    generator<int> b = count_slowly(0, 3);
    while (auto x = co_await a.next()) {
      auto y = co_await timeout(1s, b.next());
      CHECK(*x == *y);
    }
    co_await shield(a.next());
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 8);
  CHECK(report.cancelled + report.completed >= report.suspensions);
  CHECK(report.leaks == "");
}
