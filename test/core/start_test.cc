// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<> serve(started<int> ready, std::string& trace, int port) {
  mark m(trace, 's');
  co_await checkpoint();
  ready(port);
  ready(-1);  // only the first call counts
  trace += 'r';
  co_await turns(3);
  trace += 'e';
}
task<> never_ready(started<int>) { co_await checkpoint(); }
task<> fails_first(started<int>) {
  co_await checkpoint();
  throw boom("bind");
}
task<> slow_start(started<int> ready, std::string& trace) {
  mark m(trace, 's');
  co_await sleep(1h);
  ready(1);
}

}  // namespace

CUVEE_TEST_CASE("start: the child calls started(7), start returns 7 and the child runs on") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    int port = co_await g.start<int>(serve, std::ref(trace), 7);
    CHECK(port == 7);
    CHECK(trace == "r");
  });
  CHECK(trace == "res");
}

CUVEE_TEST_CASE("start: the child fails first, start throws that and the group is unharmed") {
  std::string why;
  int value = 0;
  co_await task_group([&](group& g) -> task<> {
    try {
      co_await g.start<int>(fails_first);
    } catch (const boom& e) {
      why = e.what();
    }
    auto h = g.spawn(give_later, 5);
    value = co_await h.join();
  });
  CHECK(why == "bind");
  CHECK(value == 5);
}

CUVEE_TEST_CASE("start: the child returns without a report, start throws not_started") {
  std::error_code code;
  co_await task_group([&](group& g) -> task<> {
    try {
      co_await g.start<int>(never_ready);
    } catch (const error& e) {
      code = e.code();
    }
  });
  CHECK(code == errc::not_started);
}

CUVEE_TEST_CASE("start: cancelled before it suspends, the child never runs") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await g.start<int>(slow_start, std::ref(trace));
    trace += 'x';
  });
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("start: cancelled while it waits, the child is cancelled and awaited") {
  testing::virtual_clock clock;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto cut = co_await move_on_after(1s, g.start<int>(slow_start, std::ref(trace)));
    CHECK_FALSE(cut.has_value());
    CHECK(trace == "s");
    co_await checkpoint();
    trace += 'g';  // the group itself goes on
  });
  CHECK(trace == "sg");
  CHECK(clock.elapsed() == 1s);
}

CUVEE_TEST_CASE(
    "start: once the child is ready, cancelling the block that started it leaves it alone") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    co_await task_group([&](group& narrow) -> task<> {
      co_await g.start<int>(serve, std::ref(trace), 1);
      narrow.cancel();
      co_await checkpoint();
      trace += 'x';
    });
  });
  CHECK(trace == "res");
}

CUVEE_TEST_CASE(
    "start: its group is cancelled while an outsider waits, that one gets cancelled_error") {
  std::string trace;
  bool caught = false;
  event entered;
  group* inner = nullptr;
  auto owner = [&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      inner = &g;
      entered.set();
      co_await turns(3);
      g.cancel();
    });
  };
  auto outsider = [&]() -> task<> {
    co_await entered.wait();
    try {
      co_await inner->start<int>(slow_start, std::ref(trace));
    } catch (const cancelled_error&) {
      caught = true;
    }
  };
  co_await gather(owner(), outsider());
  CHECK(caught);
  CHECK(trace == "s");
}

CUVEE_TEST_CASE("start: into a failing group, throws closed") {
  std::error_code code;
  try {
    co_await task_group([&](group& g) -> task<> {
      g.spawn(fail_now);
      co_await shield(turns(2));
      std::string trace;
      try {
        co_await shield(g.start<int>(slow_start, std::ref(trace)));
      } catch (const error& e) {
        code = e.code();
      }
    });
  } catch (const boom&) {
  }
  CHECK(code == errc::closed);
}

CUVEE_TEST_CASE(
    "start: cancelling the narrower scope that started a child does not touch it any more") {
  bool ended = false;
  auto serve = [&](started<int> ready) -> task<> {
    ready(7);
    co_await turns(5);
    ended = true;
  };
  int port = 0;
  co_await task_group([&](group& g) -> task<> {
    co_await scope([&](cancel_scope& narrow) -> task<> {
      port = co_await g.start<int>(serve);
      narrow.cancel();
      co_await forever();
    });
    CHECK_FALSE(ended);
  });
  CHECK(port == 7);
  CHECK(ended);
}

CUVEE_TEST_CASE("start: a child that is ready has no value to report") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    co_await g.start<void>([&](started<void> ready) -> task<> {
      co_await checkpoint();
      trace += 'r';
      ready();
      co_await sleep(1ms);
      trace += 'e';
    });
    trace += 's';
    auto failed = g.start<void>([](started<void>) -> task<> { co_return; });
    auto end = co_await as_result(std::move(failed));
    CHECK(end.error().code() == errc::not_started);
  });
  CHECK(trace == "rse");
}
