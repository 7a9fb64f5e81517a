// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <functional>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;
using testing::virtual_clock;

CUVEE_TEST_CASE("scope: a body that ends gives its value") {
  auto value = co_await scope([](cancel_scope&) { return give_later(5); });
  CHECK(value == 5);
}

CUVEE_TEST_CASE("scope: what the body throws comes out, and the scope absorbed nothing") {
  cancel_scope s;
  bool caught = false;
  try {
    co_await scope(s, [](cancel_scope&) { return fail_later(); });
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK_FALSE(s.absorbed());
  CHECK_FALSE(s.expired());
}

CUVEE_TEST_CASE(
    "scope: cancelled from inside, its frames go innermost first and the task goes on") {
  std::string trace;
  auto inner = [&](cancel_scope& s) -> task<> {
    mark m(trace, 'b');
    s.cancel("enough");
    co_await hang(trace, 'a');
    trace += '?';
  };
  cancel_scope s;
  auto value = co_await scope(s, inner);
  CHECK_FALSE(value.has_value());
  CHECK(trace == "b");  // the cancel stood before the await: `hang` never began
  CHECK(s.absorbed());
  REQUIRE(s.why() != nullptr);
  CHECK(s.why()->text == "enough");
}

CUVEE_TEST_CASE("scope: cancelled by another task while it waits") {
  testing::keep_fifo();
  std::string trace;
  cancel_scope s;
  auto waits = [&]() -> task<int> {
    auto value = co_await scope(s, [&](cancel_scope&) { return hang(trace, 'a'); });
    co_return value ? 0 : 42;
  };
  auto cancels = [&]() -> task<> {
    co_await checkpoint();
    s.cancel();
  };
  auto [value, nothing] = co_await gather(waits(), cancels());
  CHECK(value == 42);
  CHECK(trace == "a");
}

CUVEE_TEST_CASE("scope: of two reasons the first is kept, with its place") {
  cancel_scope s;
  s.cancel("first");
  unsigned line = __LINE__ - 1;
  s.cancel("second");
  co_await scope(s, [](cancel_scope&) { return turns(1); });
  CHECK(s.why()->text == "first");
  CHECK(s.why()->where.line() == line);
}

CUVEE_TEST_CASE("scope: cancelled before its block, the body never runs") {
  bool ran = false;
  cancel_scope s;
  s.cancel();
  auto value = co_await scope(s, [&](cancel_scope&) -> task<> {
    ran = true;
    co_return;
  });
  CHECK_FALSE(value.has_value());
  CHECK_FALSE(ran);
}

CUVEE_TEST_CASE("scope: a body that cancels itself and returns 12 without an await yields 12") {
  auto value = co_await scope([](cancel_scope& s) -> task<int> {
    s.cancel();
    co_return 12;
  });
  CHECK(value == 12);
}

CUVEE_TEST_CASE("scope: entered twice is an error, the first block is unharmed") {
  cancel_scope s;
  bool busy = false;
  auto twice = [&](cancel_scope& in) -> task<int> {
    try {
      co_await scope(in, [](cancel_scope&) { return turns(1); });
    } catch (const error& e) {
      busy = e.code() == errc::busy;
    }
    co_return 1;
  };
  auto value = co_await scope(s, twice);
  CHECK(busy);
  CHECK(value == 1);
}

CUVEE_TEST_CASE("scope: of nested ones that are both cancelled the outer absorbs") {
  cancel_scope two, three;
  auto body = [&](cancel_scope&) -> task<> {
    two.cancel();
    three.cancel();
    co_await checkpoint();
  };
  auto around = [&](cancel_scope&) -> task<> { co_await scope(three, body); };
  auto value = co_await scope(two, around);
  CHECK_FALSE(value.has_value());
  CHECK_FALSE(three.absorbed());
  CHECK(two.absorbed());
}

CUVEE_TEST_CASE("scope: a shield holds a cancel from outside until the block has ended") {
  testing::keep_fifo();
  std::string trace;
  auto shielded = [&](cancel_scope& s) -> task<> {
    s.set_shield(true);
    co_await turns(3);
    trace += 's';
  };
  auto body = [&]() -> task<> {
    mark m(trace, 'x');
    co_await scope(shielded);
    trace += 'g';
    co_await checkpoint();
    trace += '?';
  };
  co_await any_of(body(), turns(1));
  CHECK(trace == "sgx");
}

CUVEE_TEST_CASE("scope: a shielded one is entered although its task was cancelled before") {
  std::string trace;
  cancel_scope clean_up;
  clean_up.set_shield(true);
  auto body = [&]() -> task<> {
    co_await shield(turns(2));  // the cancel waits here
    co_await scope(clean_up, [&](cancel_scope&) -> task<> {
      co_await turns(2);
      trace += 's';
    });
    trace += 'g';
    co_await checkpoint();
    trace += '?';
  };
  co_await any_of(body(), turns(1));
  CHECK(trace == "sg");
}

CUVEE_TEST_CASE("scope: taking the shield away delivers the cancel at once") {
  std::string trace;
  cancel_scope s;
  s.set_shield(true);
  auto body = [&]() -> task<> {
    co_await scope(s, [&](cancel_scope&) { return hang(trace, 'a'); });
    trace += '?';
  };
  cancel_scope outer;
  auto unshield = [&]() -> task<> {
    co_await checkpoint();
    outer.cancel();
    co_await turns(3);
    CHECK(trace.empty());
    s.set_shield(false);
  };
  co_await gather(scope(outer, [&](cancel_scope&) { return body(); }), unshield());
  CHECK(trace == "a");
  CHECK_FALSE(s.absorbed());
}

CUVEE_TEST_CASE(
    "scope: cancelling a shielded one itself ends there, the outer cancel comes after") {
  std::string trace;
  cancel_scope s;
  s.set_shield(true);
  auto body = [&]() -> task<> {
    co_await scope(s, [&](cancel_scope&) { return hang(trace, 'a'); });
    trace += 'g';
    co_await checkpoint();
    trace += '?';
  };
  cancel_scope outer;
  auto cancels = [&]() -> task<> {
    co_await checkpoint();
    outer.cancel();
    co_await turns(3);
    CHECK(trace.empty());
    s.cancel();
  };
  co_await gather(scope(outer, [&](cancel_scope&) { return body(); }), cancels());
  CHECK(trace == "ag");
  CHECK(s.absorbed());
}

CUVEE_TEST_CASE("scope: clean-up can tell why it happens") {
  std::string why;
  struct teller {
    std::string* why;
    ~teller() {
      if (const cancel_reason* r = current_cancel_reason()) *why = r->text;
    }
  };
  auto body = [&](cancel_scope& s) -> task<> {
    teller t{&why};
    s.cancel("the disk is full");
    co_await checkpoint();
  };
  co_await scope(body);
  CHECK(why == "the disk is full");
  CHECK(current_cancel_reason() == nullptr);
}

CUVEE_TEST_CASE("scope: the outermost of a thousand unwinds all") {
  std::string trace;
  std::function<task<>(int)> nest = [&](int depth) -> task<> {
    if (depth == 0) {
      co_await hang(trace, 'x');
    } else {
      auto deeper = [&nest, depth](cancel_scope&) -> task<> { return nest(depth - 1); };
      co_await scope(deeper);
    }
  };
  co_await any_of(nest(1000), turns(2000));
  CHECK(trace == "x");
}

TEST_CASE("scope: cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    cancel_scope s;
    s.expire_after(1h);
    auto body = [](cancel_scope& in) -> task<> {
      co_await turns(2);
      in.set_shield(true);
      co_await turns(2);
      in.set_shield(false);
      in.cancel();
      co_await turns(2);
    };
    co_await scope(s, body);
    co_await scope([](cancel_scope&) { return turns(2); });
  });
  CHECK(report.leaks == "");
  CHECK(report.cancelled > 0);
}

CUVEE_TEST_CASE("scope: shielded and used again, a cancel asked of the first block is forgotten") {
  testing::virtual_clock clock;
  cancel_scope reused;
  reused.set_shield(true);
  auto wait = [](cancel_scope&) -> task<> { co_await sleep(2s); };
  auto first = [&]() -> task<> {
    co_await scope(reused, wait);
    co_await sleep(1s);
  };
  auto cut = co_await move_on_after(1s, first());
  CHECK_FALSE(cut);
  auto unshielded = [](cancel_scope& s) -> task<> {
    s.set_shield(false);
    co_await sleep(1s);
  };
  auto ended = co_await scope(reused, unshielded);
  CHECK(ended);
}

CUVEE_TEST_CASE("scope: a cancelled task that finds it in use does not touch the block inside") {
  testing::virtual_clock clock;
  cancel_scope shared;
  shared.set_shield(true);
  bool ended = false;
  auto first = [&](cancel_scope& s) -> task<> {
    co_await sleep(2s);
    s.set_shield(false);
    co_await sleep(1s);
    ended = true;
  };
  auto never = [](cancel_scope&) -> task<> { co_return; };
  auto second = [&](cancel_scope& own) -> task<> {
    co_await sleep(1s);
    own.cancel();
    co_await scope(shared, never);
  };
  co_await gather(scope(shared, first), scope(second));
  CHECK(ended);
}
