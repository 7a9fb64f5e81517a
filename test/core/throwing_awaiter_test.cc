// SPDX-License-Identifier: MIT
// Awaiters that throw instead of suspending: nothing has begun, and the co_await throws it.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

enum class at { ready, suspend };

/// Throws `Failure` where the operation should begin. `await_resume` is noexcept, as for a lock.
template <class Failure>
struct thrower {
  at where;
  bool await_ready() {
    if (where == at::ready) throw Failure("thrown");
    return false;
  }
  void await_suspend(waiter&) { throw Failure("thrown"); }
  void await_resume() noexcept {}
};
using throws_boom = thrower<boom>;

struct closed_error : error {
  explicit closed_error(const char*) : error(errc::closed, "begin") {}
};

/// A standard awaiter does so, too.
struct foreign_thrower {
  bool await_ready() { return false; }
  bool await_suspend(std::coroutine_handle<>) { throw boom("foreign"); }
  int await_resume() { return 1; }
};

/// Starts although its task is cancelled.
struct insistent_thrower : throws_boom {
  bool await_early_cancel() noexcept { return false; }
};

template <class A>
task<std::string> thrown_by(A awaiter) {
  try {
    static_cast<void>(co_await awaiter);
  } catch (const boom& e) {
    co_return e.what();
  }
  co_return "nothing";
}

task<> wait_for(event& e, bool& cut) {
  struct flag {
    bool& to;
    ~flag() { to = true; }
  } f{cut};
  co_await e.wait();
}

}  // namespace

CUVEE_TEST_CASE("throwing awaiter: the co_await throws it, and the task goes on") {
  for (at where : {at::ready, at::suspend}) {
    std::string text = co_await thrown_by(throws_boom{where});
    CHECK(text == "thrown");
    text = co_await thrown_by(throws_boom{where});
    CHECK(text == "thrown");
  }
  std::string text = co_await thrown_by(foreign_thrower{});
  CHECK(text == "foreign");
}

CUVEE_TEST_CASE("throwing awaiter: as a child it has failed, and its siblings are cancelled") {
  for (at where : {at::ready, at::suspend}) {
    event never;
    bool cut = false;
    std::string text = co_await thrown_by(gather(wait_for(never, cut), throws_boom{where}));
    CHECK(text == "thrown");
    text = co_await thrown_by(gather(forever(), throws_boom{where}, forever()));
    CHECK(text == "thrown");
    text = co_await thrown_by(any_of(forever(), throws_boom{where}));
    CHECK(text == "thrown");
    text = co_await thrown_by(timeout(1h, throws_boom{where}));
    CHECK(text == "thrown");
    text = co_await thrown_by(shield(throws_boom{where}));
    CHECK(text == "thrown");
    auto [settled, other] = co_await gather_settled(throws_boom{where}, checkpoint());
    CHECK_FALSE(settled);
    CHECK(other);
    auto won = co_await race(throws_boom{where}, give_later(4));
    CHECK(won.index == 1);
    CHECK(won.errors.size() == 1);
  }
}

CUVEE_TEST_CASE("throwing awaiter: one of many that start when there is room for them") {
  std::vector<throws_boom> many(3, throws_boom{at::suspend});
  std::string text = co_await thrown_by(gather(width(1), std::move(many)));
  CHECK(text == "thrown");
}

CUVEE_TEST_CASE("throwing awaiter: as_result gives its error as a value and passes other types") {
  for (at where : {at::ready, at::suspend}) {
    auto result = co_await as_result(thrower<closed_error>{where});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::closed);
    std::string text = co_await thrown_by(as_result(throws_boom{where}));
    CHECK(text == "thrown");
  }
}

CUVEE_TEST_CASE("throwing awaiter: in a cancelled task, the cancel comes at the next await") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    mark m(trace, 'm');
    g.cancel();
    for (at where : {at::ready, at::suspend}) {
      trace += co_await thrown_by(insistent_thrower{where});
      trace += ' ';
    }
    co_await checkpoint();
    trace += '!';
  });
  CHECK(trace == "m");  // a task is awaited: cancelled before it began
  trace.clear();
  co_await task_group([&](group& g) -> task<> {
    mark m(trace, 'm');
    insistent_thrower ready{at::ready}, suspend{at::suspend};
    g.cancel();
    try {
      co_await ready;
    } catch (const boom&) {
      trace += 'r';
    }
    try {
      co_await suspend;
    } catch (const boom&) {
      trace += 's';
    }
    co_await checkpoint();
    trace += '!';
  });
  CHECK(trace == "rsm");
}

CUVEE_TEST_CASE("condition: two waits with one guard, the second is an error, the first relocks") {
  mutex m;
  condition a, b;
  auto guard = co_await m.lock();
  std::string text;
  try {
    co_await any_of(a.wait(guard), b.wait(guard));
  } catch (const error& e) {
    CHECK(e.code() == std::errc::operation_not_permitted);
    text = e.what();
  }
  CHECK(text ==
        "wait condition: the guard does not hold the mutex any more: another wait has given it up");
  CHECK(guard.owns_lock());
  auto first = a.wait(guard);
  guard.unlock();
  auto late = co_await as_result(std::move(first));
  CHECK_FALSE(late);
}
