// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("shield: not cancelled, passes value and failure") {
  int value = co_await shield(give_later(4));
  CHECK(value == 4);
  co_await shield(checkpoint());
  bool caught = false;
  try {
    co_await shield(fail_later());
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE(
    "shield: cancelled before it suspends, runs to its end, then the cancel is delivered") {
  int proof = 0;
  bool after = false, next = false;
  auto section = [&]() -> task<> {
    co_await turns(2);
    proof = 1;
  };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await shield(section());
    after = true;
    co_await checkpoint();
    next = true;
  });
  CHECK(proof == 1);
  CHECK(after);
  CHECK_FALSE(next);
}

CUVEE_TEST_CASE("shield: cancelled while suspended, completes before the cancel is delivered") {
  testing::virtual_clock clock;
  int proof = 0;
  bool next = false;
  auto body = [&]() -> task<> {
    co_await shield(nap(2s, 1));
    proof = 1;
    co_await checkpoint();
    next = true;
  };
  co_await any_of(sleep(1s), body());
  CHECK(proof == 1);
  CHECK_FALSE(next);
  CHECK(clock.elapsed() == 2s);
}

CUVEE_TEST_CASE("shield: a failure inside comes out although the task was cancelled") {
  bool caught = false;
  auto body = [&]() -> task<> {
    try {
      co_await shield([]() -> task<> {
        co_await turns(3);
        throw boom();
      }());
    } catch (const boom&) {
      caught = true;
    }
  };
  co_await any_of(turns(1), body());
  CHECK(caught);
}

CUVEE_TEST_CASE("shield: a timeout inside it still works in a cancelled task") {
  testing::virtual_clock clock;
  bool expired = false;
  auto body = [&]() -> task<> {
    try {
      co_await shield(timeout(10ms, forever()));
    } catch (const timeout_error&) {
      expired = true;
    }
  };
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await body();
  });
  CHECK_FALSE(expired);  // the call of body() is an await: it never ran
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      g.cancel();
      try {
        co_await shield(timeout(10ms, forever()));
      } catch (const timeout_error&) {
        expired = true;
      }
    });
    co_await forever();
  });
  CHECK(expired);
  CHECK(clock.elapsed() == 10ms);
}
