// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("any_of: the first to end has its value, the others are empty") {
  testing::virtual_clock clock;
  auto [slow, fast, never] = co_await any_of(nap(2s, 1), nap(1s, 2), forever());
  CHECK_FALSE(slow.has_value());
  CHECK(fast == 2);
  CHECK_FALSE(never.has_value());
  CHECK(clock.elapsed() == 1s);
}

CUVEE_TEST_CASE("any_of: the losers are cancelled and awaited, nothing outlives the expression") {
  std::string trace;
  co_await any_of(turns(2), stubborn(trace, 'a', 1ms), hang(trace, 'b'));
  CHECK(trace == "bsa");
}

CUVEE_TEST_CASE("any_of: a loser that has not started yet never runs") {
  std::string trace;
  co_await any_of(checkpoint(), stubborn(trace, 'a'));
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("any_of: a child fails, it throws after the others have ended") {
  std::string trace;
  bool caught = false;
  try {
    co_await any_of(hang(trace, 'a'), fail_later(), stubborn(trace, 'b', 1ms));
  } catch (const boom&) {
    caught = true;
    CHECK(trace == "asb");
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("any_of: two leaves are ready in one turn, exactly one takes its item") {
  basket first, second;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      auto [a, b] = co_await any_of(first.get(), second.get());
      CHECK(a.has_value() != b.has_value());
    });
    co_await checkpoint();
    first.put();
    second.put();
  });
  CHECK(first.items() == 0);
  CHECK(second.items() == 1);
  CHECK_FALSE(second.awaited());
}

CUVEE_TEST_CASE("any_of: two ready leaves at the start, the second is not touched") {
  basket first, second;
  first.put();
  second.put();
  auto [a, b] = co_await any_of(first.get(), second.get());
  CHECK(a.has_value());
  CHECK_FALSE(b.has_value());
  CHECK(second.items() == 1);
}

CUVEE_TEST_CASE("any_of: two tasks that complete in one turn both have their value") {
  auto [a, b] = co_await any_of(give_later(1), give_later(2));
  CHECK(a == 1);
  CHECK(b == 2);
}

CUVEE_TEST_CASE("any_of: several waiters of one event in one expression, one wins") {
  event e;
  auto set = [&]() -> task<> {
    co_await checkpoint();
    e.set();
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(set);
    auto [a, b, c] = co_await any_of(e.wait(), e.wait(), e.wait());
    CHECK(a.has_value());
    CHECK_FALSE(b.has_value());
    CHECK_FALSE(c.has_value());
  });
}

CUVEE_TEST_CASE("any_of: cancelled before it suspends, no child starts") {
  std::string trace;
  basket b;
  b.put();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await any_of(stubborn(trace, 'a'), b.get());
    trace += 'x';
  });
  CHECK(trace.empty());
  CHECK(b.items() == 1);
}

CUVEE_TEST_CASE("any_of: cancelled while suspended, all children are cancelled and awaited") {
  std::string trace;
  auto body = [&]() -> task<> {
    auto slow = [&]() -> task<> {
      co_await stubborn(trace, 'b', 1ms);
      co_await checkpoint();
    };
    co_await any_of(hang(trace, 'a'), slow(), forever());
    trace += 'x';
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(body);
    co_await turns(2);
    h.cancel();
    CHECK(trace.empty());
  });
  CHECK(trace == "asb");
}

CUVEE_TEST_CASE("any_of: cancelled, but a child completes all the same, the result wins") {
  std::string trace;
  auto body = [&]() -> task<> {
    auto [hung, done] = co_await any_of(hang(trace, 'a'), stubborn(trace, 'b', 1ms));
    CHECK_FALSE(hung.has_value());
    CHECK(done.has_value());
    trace += 'x';
    co_await checkpoint();
    trace += 'y';
  };
  co_await any_of(turns(2), body());
  CHECK(trace == "asbx");
}

CUVEE_TEST_CASE("any_of: cancelled while the losers clean up, the winner's value is kept") {
  operation slow{false};
  int got = 0;
  bool next = false;
  auto body = [&]() -> task<> {
    auto [value, loser] = co_await any_of(give_later(7), slow.wait());
    got = value.value_or(-1);
    co_await checkpoint();
    next = true;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(body);
    co_await turns(4);
    CHECK(slow.cancels == 1);
    h.cancel();
    CHECK(slow.cancels == 1);
    slow.finish();
  });
  CHECK(got == 7);
  CHECK_FALSE(next);
}

CUVEE_TEST_CASE("any_of: in any_of in any_of, only the outermost winner counts") {
  testing::keep_fifo();
  std::string trace;
  auto [won, inner] =
      co_await any_of(give_later(1), any_of(hang(trace, 'a'), any_of(hang(trace, 'b'), forever())));
  CHECK(won == 1);
  CHECK_FALSE(inner.has_value());
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("any_of: a child is cancelled although a sibling completed while it started") {
  event e;
  auto wait = [](group&) -> task<> { co_await forever(); };
  // The block's callable is no coroutine: it runs while the group starts.
  auto both = any_of(e.wait(), task_group([&](group& g) {
                       e.set();
                       return wait(g);
                     }));
  auto [first, second] = co_await std::move(both);
  CHECK(first);
  CHECK(!second);
}
