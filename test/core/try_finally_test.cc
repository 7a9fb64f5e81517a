// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

struct tracer {
  std::string* trace;
  task<> operator()() const {
    co_await turns(2);
    *trace += 'c';
  }
};

/// A resource whose close must be awaited.
struct session {
  std::string* trace;
  task<> close() {
    co_await turns(2);
    *trace += 'c';
  }
};
task<session> open_session(std::string& trace) {
  co_await checkpoint();
  trace += 'o';
  co_return session{&trace};
}

}  // namespace

CUVEE_TEST_CASE("try_finally: the clean-up follows a value, which is returned") {
  std::string trace;
  int value = co_await try_finally(give_later(5), tracer{&trace});
  CHECK(value == 5);
  CHECK(trace == "c");
}

CUVEE_TEST_CASE("try_finally: the body may be a plain awaiter that completes at once") {
  std::string trace;
  event e;
  e.set();
  co_await try_finally(e.wait(), tracer{&trace});
  CHECK(trace == "c");
}

CUVEE_TEST_CASE(
    "try_finally: the clean-up follows an error, which is thrown with its own suppressed") {
  std::string trace;
  bool caught = false;
  try {
    co_await try_finally(fail_later("body"), tracer{&trace});
  } catch (const boom& e) {
    caught = std::string(e.what()) == "body";
  }
  CHECK(caught);
  CHECK(trace == "c");

  auto fails = []() -> task<> {
    throw boom("clean-up");
    co_return;
  };
  std::size_t kept = 0;
  try {
    co_await try_finally(fail_later("body"), fails);
  } catch (const boom& e) {
    CHECK(std::string(e.what()) == "body");
    kept = suppressed().size();
  }
  CHECK(kept == 1);
}

CUVEE_TEST_CASE(
    "try_finally: cancelled, the body unwinds first, then the clean-up awaits in peace") {
  std::string trace;
  auto body = [&]() -> task<> {
    co_await try_finally(hang(trace, 'b'), tracer{&trace});
    trace += '?';
  };
  co_await any_of(body(), turns(2));
  CHECK(trace == "bc");
}

CUVEE_TEST_CASE("try_finally: cancelled before the body began, neither runs") {
  std::string trace;
  auto body = [&]() -> task<> {
    co_await shield(turns(3));
    co_await try_finally(hang(trace, 'b'), tracer{&trace});
  };
  co_await any_of(body(), turns(1));
  CHECK(trace.empty());
}

CUVEE_TEST_CASE("try_finally: a clean-up that fails while cancelling makes the outcome an error") {
  auto fails = []() -> task<> {
    co_await checkpoint();
    throw boom("clean-up");
  };
  auto body = [&]() -> task<> { co_await try_finally(forever(), fails); };
  bool caught = false;
  try {
    co_await any_of(body(), turns(2));
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("try_finally: a clean-up that takes too long is cut and told") {
  testing::virtual_clock clock;
  auto slow = [] { return sleep(1h); };
  bool late = false;
  try {
    co_await try_finally(give_later(1), slow, 2s);
  } catch (const timeout_error& e) {
    late = true;
  }
  CHECK(late);
  CHECK(clock.elapsed() == 2s);
}

CUVEE_TEST_CASE("try_finally: timeouts inside the clean-up of a cancelled task still work") {
  testing::virtual_clock clock;
  bool expired = false;
  auto clean_up = [&]() -> task<> {
    auto value = co_await move_on_after(10ms, sleep(1h));
    expired = !value;
  };
  auto body = [&]() -> task<> { co_await try_finally(forever(), clean_up); };
  co_await move_on_after(1s, body());
  CHECK(expired);
  CHECK(clock.elapsed() == 1010ms);
}

CUVEE_TEST_CASE("with_resource: opened, used, closed; the value of its use is returned") {
  std::string trace;
  auto use = [](session& s) -> task<int> {
    *s.trace += 'u';
    co_return 3;
  };
  int value = co_await with_resource(open_session(trace), use);
  CHECK(value == 3);
  CHECK(trace == "ouc");
}

CUVEE_TEST_CASE("with_resource: closed also when its use fails or is cancelled") {
  std::string trace;
  auto fails = [](session&) -> task<int> { return fail_later(); };
  bool caught = false;
  try {
    co_await with_resource(open_session(trace), fails);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "oc");

  trace.clear();
  auto hangs = [](session& s) -> task<> { return hang(*s.trace, 'h'); };
  co_await any_of(with_resource(open_session(trace), hangs), turns(4));
  CHECK(trace == "ohc");
}

CUVEE_TEST_CASE("with_resource: closed although the cancel came while it was opened") {
  std::string trace;
  auto opens = [&]() -> task<session> {
    co_await shield(turns(3));
    co_return session{&trace};
  };
  auto uses = [](session& s) -> task<> {
    *s.trace += '?';
    co_return;
  };
  co_await any_of(with_resource(opens(), uses), turns(1));
  CHECK(trace == "c");
}

TEST_CASE("try_finally: cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    std::string trace;
    co_await try_finally(turns(3), tracer{&trace});
    auto use = [](session&) { return turns(2); };
    co_await with_resource(open_session(trace), use);
  });
  CHECK(report.leaks == "");
  CHECK(report.cancelled > 0);
}
