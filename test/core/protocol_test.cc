// SPDX-License-Identifier: MIT
// The awaiter protocol of waiter.h against awaiters that use every freedom it grants.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

enum class then { suspend, complete_inside, return_false };

/// Cancels its own task from inside await_suspend.
struct evil {
  group* own;
  then next;
  bool await_ready() noexcept { return false; }
  bool await_suspend(waiter& w) {
    own->cancel();
    if (next == then::complete_inside) w.complete();
    return next != then::return_false;
  }
  bool await_cancel(waiter&) { return true; }
  void await_resume() noexcept {}
};

/// A standard awaiter, as other libraries have them.
struct foreign {
  std::coroutine_handle<>* slot;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) { *slot = h; }
  int await_resume() { return 9; }
};

/// Has to run although the task is cancelled, and asks for it.
struct insistent {
  int* starts;
  bool await_ready() noexcept { return false; }
  bool await_early_cancel() noexcept { return false; }
  bool await_suspend(waiter&) {
    ++*starts;
    return false;
  }
  bool await_must_resume() noexcept { return true; }
  void await_resume() noexcept {}
};

struct bool_ready {
  int* asked;
  bool await_ready() {
    ++*asked;
    return true;
  }
  void await_suspend(waiter&) {}
  int await_resume() { return 3; }
};

}  // namespace

CUVEE_TEST_CASE("awaiter: cancels its own task inside await_suspend, all three ways end well") {
  for (then next : {then::suspend, then::complete_inside, then::return_false}) {
    std::string trace;
    co_await task_group([&](group& g) -> task<> {
      mark m(trace, 'm');
      evil e{&g, next};
      co_await e;
      trace += 'a';
      co_await checkpoint();
      trace += 'b';
    });
    CHECK(trace == (next == then::suspend ? "m" : "am"));
  }
}

CUVEE_TEST_CASE("awaiter: the same as a child of any_of") {
  for (then next : {then::suspend, then::complete_inside, then::return_false}) {
    bool after = false;
    co_await task_group([&](group& g) -> task<> {
      co_await any_of(forever(), evil{&g, next}, forever());
      co_await checkpoint();
      after = true;
    });
    CHECK_FALSE(after);
  }
}

CUVEE_TEST_CASE("awaiter: a cancel confirmed later, with and without a result") {
  for (bool completes : {false, true}) {
    operation op{completes};
    int got = 0;
    bool next = false;
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> {
        got = co_await op.wait();
        co_await checkpoint();
        next = true;
      });
      co_await checkpoint();
      h.cancel();
      h.cancel();
      CHECK(op.cancels == 1);
      co_await turns(3);
      CHECK_FALSE(h.done());
      op.finish();
    });
    CHECK(got == (completes ? 5 : 0));
    CHECK_FALSE(next);
  }
}

CUVEE_TEST_CASE(
    "awaiter: late confirmation below timeout, move_on_after and gather, cancelled once more") {
  for (bool completes : {false, true}) {
    testing::virtual_clock clock;
    operation op{completes};
    bool after = false;
    auto body = [&]() -> task<> {
      co_await move_on_after(1ms, timeout(2ms, gather(op.wait(), sleep(1h))));
      co_await checkpoint();
      after = true;
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(body);
      co_await sleep(3ms);
      h.cancel();
      CHECK(op.cancels == 1);
      op.finish();
    });
    CHECK_FALSE(after);
  }
}

CUVEE_TEST_CASE("awaiter: a standard one is resumed by its handle, which only queues the task") {
  std::coroutine_handle<> slot;
  int got = 0;
  auto wait = [&]() -> task<> { got = co_await foreign{&slot}; };
  auto wake = [&]() -> task<> {
    co_await checkpoint();
    slot.resume();
    CHECK(got == 0);
  };
  co_await gather(wait(), wake());
  CHECK(got == 9);
}

CUVEE_TEST_CASE("awaiter: a standard one as a child of any_of, cancelled, is waited for") {
  std::coroutine_handle<> slot;
  auto wake = [&]() -> task<> {
    co_await turns(3);
    slot.resume();
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(wake);
    auto [late, first] = co_await any_of(foreign{&slot}, checkpoint());
    CHECK(late == 9);
    CHECK(first.has_value());
  });
}

CUVEE_TEST_CASE("awaiter: one that refuses the early cancel runs, its neighbours do not") {
  int starts = 0;
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await insistent{&starts};
    co_await gather(insistent{&starts}, checkpoint(), any_of(insistent{&starts}, forever()));
    after = true;
  });
  CHECK(starts == 3);
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("awaiter: await_ready is asked once, also when the turn's budget is spent") {
  int asked = 0, sum = 0;
  for (int i = 0; i < 200; i++) sum += co_await bool_ready{&asked};
  CHECK(asked == 200);
  CHECK(sum == 600);
}
