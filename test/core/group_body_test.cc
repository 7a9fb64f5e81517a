// SPDX-License-Identifier: MIT
// Bodies of `task_group` that are no coroutines, but make one.
#include "scenario.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace scenario;

namespace {

task<> add(int& to, int value) {
  co_await checkpoint();
  to += value;
}

}  // namespace

CUVEE_TEST_CASE("group: a body that spawns and gives another's task is no coroutine, and works") {
  int sum = 0;
  std::size_t size = 0;
  co_await task_group([&](group& g) {
    g.spawn(add, std::ref(sum), 1);
    g.spawn(add, std::ref(sum), 2);
    size = g.size();
    return add(sum, 4);
  });
  CHECK(sum == 7);
  CHECK(size == 2);
}

CUVEE_TEST_CASE("group: a body that throws before it gives a task, what it spawned is cancelled") {
  std::string trace;
  bool began = false;
  auto child = [&]() -> task<> {
    began = true;
    co_return;
  };
  auto body = [&](group& g) -> task<> {
    g.spawn(child);
    throw boom("at once");
    return turns(1);
  };
  try {
    co_await task_group(body);
  } catch (const boom& e) {
    trace = e.what();
  }
  CHECK(trace == "at once");
  CHECK_FALSE(began);
  auto nobody = [](group&) -> task<> { throw boom("alone"); };
  try {
    co_await task_group(nobody);
  } catch (const boom& e) {
    trace = e.what();
  }
  CHECK(trace == "alone");
}

CUVEE_TEST_CASE("group: a body that cancels the group before it gives a task, nothing runs") {
  int sum = 0;
  co_await task_group([&](group& g) {
    g.spawn(add, std::ref(sum), 1);
    g.cancel("not today");
    return add(sum, 2);
  });
  CHECK(sum == 0);
}

CUVEE_TEST_CASE("group: children that such a body spawns are under the group, not beside it") {
  time_point limit = time_point::max();
  co_await move_on_after(std::chrono::hours(1), task_group([&](group& g) {
                           auto child = [&]() -> task<> {
                             limit = effective_deadline();
                             co_return;
                           };
                           g.spawn(child);
                           return turns(1);
                         }));
  CHECK(limit < time_point::max());
}
