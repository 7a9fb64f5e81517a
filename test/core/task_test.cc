// SPDX-License-Identifier: MIT
// TASK-8: context_var_test.cc; TASK-13: background_test.cc; TASK-14: inspect_test.cc; TASK-17 (in the background): debug_mode_test.cc.
// TASK-10 (failures that nobody reads) does not apply: a task has no life outside the expression, group or run that
// owns it, and fails that one.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>
#include <optional>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(7); }

struct no_default {
  explicit no_default(int v) : value(v) {}
  int value;
};
task<no_default> without_default() { co_return no_default(3); }

task<> note(std::string& trace, char letter, std::string argument) {
  trace += letter;
  CHECK(argument == "argument");
  co_return;
}

task<int> count_down(std::string& trace, int n) {
  mark m(trace, static_cast<char>('0' + n));
  if (n == 0) throw boom();
  int inner = co_await count_down(trace, n - 1);
  co_return inner + 1;
}

}  // namespace

CUVEE_TEST_CASE("task: awaited, gives the child's value") {
  int one = co_await give(1);
  CHECK(one == 1);
  auto owned = co_await move_only();
  CHECK(*owned == 7);
  auto odd = co_await without_default();
  CHECK(odd.value == 3);
}

CUVEE_TEST_CASE("task: not awaited, its body never runs and its arguments are destroyed") {
  std::string trace;
  auto shared = std::make_shared<int>(1);
  {
    auto never = [](std::string& out, std::shared_ptr<int>) -> task<> {
      out += 'x';
      co_return;
    };
    [[maybe_unused]] task<> t = never(trace, shared);
    CHECK(shared.use_count() == 2);
  }
  CHECK(shared.use_count() == 1);
  CHECK(trace.empty());
  co_return;
}

CUVEE_TEST_CASE("task: lazy, starts when awaited and not before") {
  std::string trace;
  task<> t = note(trace, 'b', "argument");
  trace += 'a';
  co_await std::move(t);
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("task: moved, the new owner is awaited") {
  task<int> first = give(4);
  task<int> second = std::move(first);
  first = give(5);
  int sum = co_await std::move(second);
  sum += co_await std::move(first);
  CHECK(sum == 9);
}

CUVEE_TEST_CASE("task: a child that throws, the parent catches the same exception") {
  std::string trace;
  try {
    co_await fail_later("why");
  } catch (const boom& e) {
    trace = e.what();
  }
  CHECK(trace == "why");
}

CUVEE_TEST_CASE("task: a throw through nested frames destroys them innermost first") {
  std::string trace;
  bool caught = false;
  try {
    co_await count_down(trace, 4);
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "01234");
}

CUVEE_TEST_CASE("task: a function that throws before its coroutine exists fails at the call") {
  auto refuses = []() -> task<int> { throw boom("early"); };
  bool caught = false;
  try {
    co_await refuses();
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
}

CUVEE_TEST_CASE("task: cancelled before its first step, never runs and drops its arguments") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn(
        [&](mark) -> task<> {
          trace += 'r';
          co_return;
        },
        mark(trace, 'm'));
    g.cancel();
    co_return;
  });
  CHECK(trace == "m");
}

CUVEE_TEST_CASE("task: cancelled while suspended, frames go innermost first, no catch block runs") {
  std::string trace;
  auto outer = [&]() -> task<> {
    mark m(trace, 'o');
    co_await hang(trace, 'i');
  };
  co_await any_of(turns(3), outer());
  CHECK(trace == "io");
}

CUVEE_TEST_CASE("task: a pending cancel stops it at the next child call") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    mark m(trace, 'm');
    co_await note(trace, 'x', "argument");
    trace += 'y';
  });
  CHECK(trace == "m");
}

TEST_CASE("task: 10,000 children without a handle kept, all complete") {
  loop l;
  int done = 0;
  auto count = [&done]() -> task<> {
    co_await checkpoint();
    done++;
  };
  l.run([&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      for (int i = 0; i < 10'000; i++) g.spawn(count);
      co_return;
    });
  });
  CHECK(done == 10'000);
}

CUVEE_TEST_CASE("task: spawned a, b, c, they start in that order when the spawner next suspends") {
  testing::keep_fifo();
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn(note, std::ref(trace), 'a', "argument");
    g.spawn(note, std::ref(trace), 'b', "argument");
    g.spawn(note, std::ref(trace), 'c', "argument");
    trace += '0';
    co_await checkpoint();
    trace += '1';
  });
  CHECK(trace == "0abc1");
}

CUVEE_TEST_CASE("task: a destructor throws after the value was given, the value goes, too") {
  struct throws_at_end {
    ~throws_at_end() noexcept(false) { throw boom(); }
  };
  std::string trace;
  auto give_mark = [&]() -> task<mark> {
    throws_at_end last;
    co_return mark(trace, 'v');
  };
  bool caught = false;
  try {
    mark kept = co_await give_mark();
  } catch (const boom&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(trace == "v");
}
