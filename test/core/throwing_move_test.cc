// SPDX-License-Identifier: MIT
// What children are given and give may throw when it is moved or copied.
#include "scenario.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using scenario::boom;

namespace {

/// Can be moved a number of times.
struct fragile {
  explicit fragile(int moves) noexcept : left(moves) {}
  fragile(fragile&& other) : left(other.left - 1) {
    if (left < 0) throw boom("move");
  }
  int left;
};

struct uncopyable_at_times {
  uncopyable_at_times() = default;
  explicit uncopyable_at_times(bool forbid) noexcept : forbidden(forbid) {}
  uncopyable_at_times(const uncopyable_at_times& other) : forbidden(other.forbidden) {
    if (forbidden) throw boom("copy");
  }
  uncopyable_at_times(uncopyable_at_times&&) noexcept = default;
  bool forbidden = false;
};
context_var<uncopyable_at_times> variable;

task<fragile> give_fragile() { co_return fragile(1); }
task<> report_fragile(started<fragile> ready) {
  co_await checkpoint();
  ready(fragile(0));
}
task<> take_fragile(started<int> ready, fragile&&) {
  ready(1);
  co_return;
}
task<> report_one(started<int> ready) {
  ready(1);
  co_return;
}
task<> nothing() { co_return; }

}  // namespace

CUVEE_TEST_CASE("group: moving a child's value throws, that is the child's failure") {
  std::string joined, ended;
  auto body = [&](group& g) -> task<> {
    auto child = g.spawn(give_fragile);
    auto join = [&]() -> task<> { co_await child.join(); };
    try {
      co_await shield(join());
    } catch (const boom& e) {
      joined = e.what();
    }
  };
  try {
    co_await task_group(body);
  } catch (const boom& e) {
    ended = e.what();
  }
  CHECK(joined == "move");
  CHECK(ended == "move");
}

CUVEE_TEST_CASE("start: moving the reported value throws, the child fails before it is ready") {
  std::string why;
  co_await task_group([&](group& g) -> task<> {
    try {
      co_await g.start<fragile>(report_fragile);
    } catch (const boom& e) {
      why = e.what();
    }
  });
  CHECK(why == "move");
}

CUVEE_TEST_CASE("start: moving an argument throws, start throws that and nothing runs") {
  int failures = 0;
  bool ended = false;
  // From here to the child it is moved several times, and each of them fails once.
  for (int moves = 0; !ended && moves < 20; moves++) {
    auto body = [&](group& g) -> task<> {
      try {
        co_await g.start<int>(take_fragile, fragile(moves));
        ended = true;
      } catch (const boom&) {
        failures++;
      }
    };
    co_await task_group(body);
  }
  CHECK(ended);
  CHECK(failures > 1);
}

CUVEE_TEST_CASE(
    "group: copying a bound variable throws, spawn and start throw that and leak nothing") {
  int failures = 0;
  co_await task_group([&](group& g) -> task<> {
    auto bound = variable.bind(uncopyable_at_times(true));
    try {
      g.spawn(nothing);
    } catch (const boom&) {
      failures++;
    }
    try {
      co_await g.start<int>(report_one);
    } catch (const boom&) {
      failures++;
    }
    CHECK(g.size() == 0);
  });
  CHECK(failures == 2);
}
