// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<int> refused() {
  co_await checkpoint();
  throw error(std::make_error_code(std::errc::connection_refused), "connect", "127.0.0.1:1");
}

/// An I/O-like leaf: its result path does not throw.
struct failing_leaf {
  bool* threw;
  bool await_ready() { return false; }
  void await_suspend(waiter& w) { w.complete(); }
  int await_resume() {
    *threw = true;
    throw error(errc::closed, "read");
  }
  result<int> await_result() { return error(errc::closed, "read"); }
};

}  // namespace

CUVEE_TEST_CASE("as_result: completes, holds the value") {
  auto r = co_await as_result(give_later(3));
  REQUIRE(r.has_value());
  CHECK(*r == 3);
  auto nothing = co_await as_result(turns(1));
  CHECK(nothing.has_value());
  auto leaf = co_await as_result(checkpoint());
  CHECK(leaf.has_value());
}

CUVEE_TEST_CASE("as_result: a task fails with a cuvee::error, holds it") {
  auto r = co_await as_result(refused());
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().operation() == "connect");
  CHECK(std::string(r.error().what()) == "connect 127.0.0.1:1: connection refused (ECONNREFUSED)");
}

CUVEE_TEST_CASE("as_result: a leaf with await_result fails without a throw") {
  bool threw = false;
  auto r = co_await as_result(failing_leaf{&threw});
  CHECK_FALSE(r.has_value());
  CHECK(r.error().code() == errc::closed);
  CHECK_FALSE(threw);
}

CUVEE_TEST_CASE("as_result: a timeout's error becomes a value") {
  testing::virtual_clock clock;
  auto r = co_await as_result(timeout(1s, nap(2s, 1)));
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().code() == std::errc::timed_out);
}

CUVEE_TEST_CASE("as_result: another exception passes") {
  bool caught = false;
  try {
    auto r = co_await as_result(fail_later());
    (void)r;
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("as_result: cancelled before it suspends, has no effect") {
  basket b;
  b.put();
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    auto r = co_await as_result(b.get());
    after = r.has_value();
  });
  CHECK_FALSE(after);
  CHECK(b.items() == 1);
}

CUVEE_TEST_CASE("as_result: cancelled while suspended, a cancel is no error value") {
  bool after = false;
  basket b;
  auto body = [&]() -> task<> {
    auto r = co_await as_result(b.get());
    after = true;
    (void)r;
  };
  co_await any_of(turns(2), body());
  CHECK_FALSE(after);
  CHECK_FALSE(b.awaited());
}
