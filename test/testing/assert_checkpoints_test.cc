// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing.h>
#include <cuvee/testing/doctest.h>

#include <memory>
#include <string>

using namespace cuvee;
using namespace std::chrono_literals;
using testing::assert_checkpoints;
using testing::assert_no_checkpoints;

namespace {

task<int> at_once() { co_return 7; }
task<int> after_a_turn() {
  co_await checkpoint();
  co_return 7;
}
task<std::unique_ptr<int>> boxed() { co_return std::make_unique<int>(7); }

/// Returns: what the assertion said; empty if it held.
template <class A>
task<std::string> said(A assertion) {
  try {
    co_await std::move(assertion);
  } catch (const testing::assertion_failed& e) {
    co_return e.what();
  }
  co_return "";
}

}  // namespace

CUVEE_TEST_CASE("assert_checkpoints: holds where others could run, gives the value") {
  int seven = co_await assert_checkpoints(after_a_turn());
  CHECK(seven == 7);
  co_await assert_checkpoints(checkpoint());
  co_await assert_checkpoints(sleep(0s));
  co_await assert_checkpoints(gather(at_once(), at_once()));
}

CUVEE_TEST_CASE("assert_checkpoints: fails where nobody else could run, and says where") {
  event set;
  set.set();
  std::string of_event = co_await said(assert_checkpoints(set.wait()));
  CHECK(of_event.starts_with("assert_checkpoints: no other task could run ("));
  CHECK(of_event.find("assert_checkpoints_test.cc:") != std::string::npos);
  std::string of_task = co_await said(assert_checkpoints(at_once()));
  CHECK(of_task != "");
}

CUVEE_TEST_CASE("assert_no_checkpoints: holds for what completes at once, gives the value") {
  int seven = co_await assert_no_checkpoints(at_once());
  CHECK(seven == 7);
  auto box = co_await assert_no_checkpoints(boxed());
  CHECK(*box == 7);
  mutex m;
  auto guard = co_await assert_no_checkpoints(m.lock());
  CHECK(guard.owns_lock());
}

CUVEE_TEST_CASE("assert_no_checkpoints: fails for what suspends, after it ended") {
  std::string of_task = co_await said(assert_no_checkpoints(after_a_turn()));
  CHECK(of_task.starts_with("assert_no_checkpoints: suspended 1 times ("));
  auto twice = []() -> task<> {
    co_await sleep(0s);
    co_await sleep(0s);
  };
  std::string of_two = co_await said(assert_no_checkpoints(twice()));
  CHECK(of_two.starts_with("assert_no_checkpoints: suspended 2 times ("));
}

CUVEE_TEST_CASE(
    "assert_no_checkpoints: what the task did before is not held against the operation") {
  event set;
  set.set();
  for (int i = 0; i < 300; i++) co_await assert_no_checkpoints(set.wait());
}

CUVEE_TEST_CASE("assert_checkpoints: giving way after many completions counts") {
  event set;
  set.set();
  auto many = [&]() -> task<> {
    for (int i = 0; i < 65; i++) co_await set.wait();
  };
  co_await assert_checkpoints(many());
}

CUVEE_TEST_CASE("assert_checkpoints: only the task that asks counts") {
  auto busy = []() -> task<> {
    for (int i = 0; i < 10; i++) co_await checkpoint();
  };
  auto idle = []() -> task<> {
    std::string of_task = co_await said(assert_checkpoints(at_once()));
    CHECK(of_task != "");
    co_await assert_no_checkpoints(at_once());
  };
  co_await gather(busy(), idle(), busy());
}

CUVEE_TEST_CASE("assert_checkpoints: what the operation throws comes out") {
  auto fails = []() -> task<> {
    throw error(errc::closed, "x");
    co_return;
  };
  auto r = co_await as_result(assert_checkpoints(fails()));
  CHECK(r.error().code() == errc::closed);
}

TEST_CASE("assert_checkpoints: cancelled at every suspension, and inside torture") {
  auto report = testing::torture([]() -> task<> {
    co_await gather(assert_checkpoints(after_a_turn()), assert_checkpoints(sleep(0s)));
  });
  CHECK(report.suspensions >= 3);
  CHECK(report.cancelled + report.completed == report.suspensions);
  CHECK(report.leaks == "");
}
