// SPDX-License-Identifier: MIT
// CAN-7, 12, 13, 15, 16 (reasons, scopes with shields and deadlines): scope_test.cc, scope_deadline_test.cc. CAN-10: an
// error of clean-up carries no link to the cancel, which is no exception.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <optional>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<> nest(std::string& trace, char letter) {
  mark m(trace, letter);
  if (letter == 'a') co_await forever();
  else co_await nest(trace, static_cast<char>(letter - 1));
}

task<int> cancel_own_group(group& g) {
  g.cancel();
  co_return 12;
}

task<> nest_in_groups(std::string& trace, int depth) {
  mark m(trace, 'n');
  if (depth == 0) co_await forever();
  else co_await task_group([&](group&) -> task<> { co_await nest_in_groups(trace, depth - 1); });
}

}  // namespace

CUVEE_TEST_CASE(
    "cancel: a sleeping child ends as cancelled within one turn, a second cancel is harmless") {
  testing::virtual_clock clock;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(nap, duration(10s), 1);
    co_await checkpoint();
    h.cancel();
    CHECK_FALSE(h.done());
    co_await checkpoint();
    CHECK(h.done());
    CHECK(h.was_cancelled());
    h.cancel();
  });
  CHECK(clock.elapsed() == 0s);
}

CUVEE_TEST_CASE(
    "cancel: a task that cancels itself and returns without an await yields its value") {
  std::optional<task_handle<int>> h;
  co_await task_group([&](group& g) -> task<> {
    h.emplace(g.spawn(cancel_own_group, std::ref(g)));
    co_return;
  });
  int value = co_await h->join();
  CHECK(value == 12);
}

CUVEE_TEST_CASE(
    "cancel: outer awaits inner awaits a leaf, all are cancelled and the outer ends last") {
  std::string trace;
  co_await any_of(turns(2), nest(trace, 'e'));
  CHECK(trace == "abcde");
}

CUVEE_TEST_CASE("cancel: a block that was cancelled ends, the code after it goes on") {
  int answer = 0;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await checkpoint();
    answer = 1;
  });
  answer += 42;
  CHECK(answer == 42);
}

CUVEE_TEST_CASE(
    "cancel: value and cancel in one turn, the value is delivered and the next await cancels") {
  event ready;
  bool got = false, next = false;
  auto wait = [&]() -> task<> {
    co_await ready.wait();
    got = true;
    co_await checkpoint();
    next = true;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(wait);
    co_await checkpoint();
    ready.set();
    h.cancel();
  });
  CHECK(got);
  CHECK_FALSE(next);
}

CUVEE_TEST_CASE("cancel: a getter cancelled before the put leaves the item") {
  basket b;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await b.get(); });
    co_await checkpoint();
    h.cancel();
    b.put();
  });
  CHECK(b.items() == 1);
  CHECK_FALSE(b.awaited());
}

CUVEE_TEST_CASE("cancel: pending before the await, the operation has no side effect") {
  basket b;
  b.put();
  event e;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await b.get();
  });
  CHECK(b.items() == 1);
}

CUVEE_TEST_CASE("cancel: cleanup that throws while being cancelled makes the outcome a failure") {
  std::string why;
  auto cleanup = []() -> task<> {
    co_await shield(checkpoint());
    throw boom("cleanup");
  };
  try {
    co_await task_group([&](group& g) -> task<> {
      g.spawn(cleanup);
      co_await checkpoint();
      g.cancel();
      co_await forever();
    });
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(why == "cleanup");
}

CUVEE_TEST_CASE(
    "cancel: again during a shielded cleanup, the cleanup finishes and the end is one") {
  testing::virtual_clock clock;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(stubborn, std::ref(trace), 'c', duration(1s));
    co_await checkpoint();
    h.cancel();
    co_await sleep(500ms);
    h.cancel();
  });
  CHECK(trace == "sc");
  CHECK(clock.elapsed() == 1s);
}

CUVEE_TEST_CASE(
    "cancel: a cancelled task stays cancelled, each further await of its cleanup is cut") {
  std::string trace;
  auto body = [&]() -> task<> {
    co_await shield(turns(2));
    trace += 'a';
    co_await shield(turns(2));
    trace += 'b';
    co_await checkpoint();
    trace += 'c';
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(body);
    co_await checkpoint();
    g.cancel();
  });
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("cancel: 1000 nested groups, all unwind") {
  std::string trace;
  co_await any_of(turns(1002), nest_in_groups(trace, 1000));
  CHECK(trace.size() == 1001);
}

CUVEE_TEST_CASE("cancel: destructors may set events and cancel others while a frame unwinds") {
  testing::keep_fifo();
  event gone;
  std::string trace;
  struct on_exit {
    event& e;
    group& g;
    ~on_exit() {
      e.set();
      g.cancel();
    }
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(hang, std::ref(trace), 'h');
    auto h = g.spawn([&]() -> task<> {
      on_exit x{gone, g};
      co_await forever();
    });
    co_await checkpoint();
    h.cancel();
    co_await gone.wait();
    trace += 'n';
    co_await checkpoint();
    trace += 'x';
  });
  CHECK(trace == "nh");
}

CUVEE_TEST_CASE("cancel: of two tasks that join each other one is cancelled, both end") {
  std::optional<task_handle<void>> a, b;
  bool first_told = false;
  auto join = [](std::optional<task_handle<void>>& other) -> task<> {
    co_await checkpoint();
    co_await other->join();
  };
  co_await task_group([&](group& g) -> task<> {
    auto guarded = [&]() -> task<> {
      try {
        co_await join(b);
      } catch (const cancelled_error&) {
        first_told = true;
      }
    };
    a.emplace(g.spawn(guarded));
    b.emplace(g.spawn(join, std::ref(a)));
    co_await turns(3);
    b->cancel();
  });
  CHECK(first_told);
  CHECK(b->was_cancelled());
  a.reset();
  b.reset();
}
