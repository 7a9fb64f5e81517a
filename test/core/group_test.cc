// SPDX-License-Identifier: MIT
// GRP-14's second half (entered twice) cannot be written: a group exists only inside its block.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <optional>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

task<> bad_cleanup(const char* why) {
  co_await shield(turns(2));
  throw boom(why);
}

std::vector<std::string> whats(const std::exception_ptr& first) {
  std::vector<std::string> all{describe(first)};
  for (const auto& later : suppressed(first)) all.push_back(describe(later));
  return all;
}

}  // namespace

CUVEE_TEST_CASE(
    "group: children that return 42 and 11, both results are readable after the block") {
  std::optional<task_handle<int>> a, b;
  co_await task_group([&](group& g) -> task<> {
    a.emplace(g.spawn(give, 42));
    b.emplace(g.spawn(give_later, 11));
    co_return;
  });
  CHECK(a->done());
  const int& first = co_await a->join();
  CHECK(first == 42);
  const int& again = co_await a->join();
  CHECK(&again == &first);
  int moved = co_await std::move(*b).join();
  CHECK(moved == 11);
}

CUVEE_TEST_CASE("group: join waits for the value, several joiners get the same") {
  testing::keep_fifo();
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(give_later, 7);
    auto read = [&](char c) -> task<> {
      int v = co_await h.join();
      CHECK(v == 7);
      trace += c;
    };
    co_await gather(read('a'), read('b'), h.join());
  });
  CHECK(trace == "ab");
}

CUVEE_TEST_CASE("group: join on a child that fails throws its error, and so does the block") {
  bool inside = false, outside = false;
  try {
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([]() -> task<> {
        co_await shield(turns(2));
        throw boom();
      });
      try {
        co_await shield(h.join());
      } catch (const boom&) {
        inside = true;
      }
    });
  } catch (const boom&) {
    outside = true;
  }
  CHECK(inside);
  CHECK(outside);
}

CUVEE_TEST_CASE("group: join on a child that was cancelled throws cancelled_error") {
  std::string trace;
  bool caught = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(hang, std::ref(trace), 'z');
    co_await checkpoint();
    h.cancel();
    try {
      co_await h.join();
    } catch (const cancelled_error&) {
      caught = true;
    }
  });
  CHECK(caught);
  CHECK(trace == "z");
}

CUVEE_TEST_CASE("group: join cancelled before and while it waits, the child runs on") {
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(give_later, 1);
    auto [done, cut] = co_await any_of(h.join(), checkpoint());
    CHECK_FALSE(done.has_value());
    CHECK(cut.has_value());
    auto joiner = g.spawn([&]() -> task<> { co_await h.join(); });
    joiner.cancel();
    int v = co_await h.join();
    CHECK(v == 1);
  });
}

CUVEE_TEST_CASE(
    "group: a body that spawns late and a child that spawns a sibling, the block waits") {
  testing::virtual_clock clock;
  std::string trace;
  auto leaf = [&](char c) -> task<> {
    co_await sleep(1s);
    trace += c;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      co_await sleep(100ms);
      g.spawn(leaf, 'c');
    });
    co_await sleep(150ms);
    g.spawn(leaf, 'b');
  });
  CHECK(trace == "cb");
  CHECK(clock.elapsed() == 1150ms);
}

CUVEE_TEST_CASE(
    "group: three children throw in one turn, the body is cancelled and all three are kept") {
  testing::keep_fifo();
  std::vector<std::string> all;
  std::string trace;
  try {
    co_await task_group([&](group& g) -> task<> {
      for (const char* why : {"1", "2", "3"}) g.spawn(fail_later, why);
      co_await hang(trace, 'b');
    });
  } catch (...) {
    all = whats(std::current_exception());
  }
  CHECK(all == std::vector<std::string>{"1", "2", "3"});
  CHECK(trace == "b");
}

CUVEE_TEST_CASE("group: a child cancelled by its handle leaves the group and its siblings alone") {
  std::string trace;
  int value = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(hang, std::ref(trace), 'h');
    auto sibling = g.spawn(give_later, 3);
    h.cancel();
    value = co_await sibling.join();
    co_await turns(3);
    trace += 'e';
  });
  CHECK(value == 3);
  CHECK(trace == "e");  // cancelled before its first step: its frame was never made
}

CUVEE_TEST_CASE(
    "group: five children whose cleanup throws, cancelled from outside, throws all five") {
  testing::keep_fifo();
  std::vector<std::string> all;
  bool after = false;
  auto body = [&]() -> task<> {
    try {
      co_await task_group([&](group& g) -> task<> {
        for (const char* why : {"1", "2", "3", "4", "5"}) g.spawn(bad_cleanup, why);
        co_await forever();
      });
    } catch (...) {
      all = whats(std::current_exception());
    }
    co_await checkpoint();  // the cancel from outside is still pending
    after = true;
  };
  co_await any_of(turns(3), body());
  CHECK(all == std::vector<std::string>{"1", "2", "3", "4", "5"});
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("group: a body that throws, its children are cancelled and its error comes out") {
  testing::keep_fifo();
  std::string trace, why;
  try {
    co_await task_group([&](group& g) -> task<> {
      g.spawn(hang, std::ref(trace), 'a');
      g.spawn(hang, std::ref(trace), 'b');
      co_await checkpoint();
      throw boom("body");
    });
  } catch (const boom& e) {
    why = e.what();
  }
  CHECK(trace == "ab");
  CHECK(why == "body");
}

CUVEE_TEST_CASE(
    "group: cancelled from outside, a cleanup and a crash meanwhile, exit throws the crash") {
  testing::virtual_clock clock;
  std::string trace, why;
  auto body = [&]() -> task<> {
    try {
      co_await task_group([&](group& g) -> task<> {
        g.spawn([]() -> task<> {
          co_await shield(sleep(300ms));
          throw boom("crash");
        });
        co_await stubborn(trace, 'b', 600ms);
      });
    } catch (const boom& e) {
      why = e.what();
    }
  };
  co_await any_of(sleep(100ms), body());
  CHECK(why == "crash");
  CHECK(trace == "sb");
  CHECK(clock.elapsed() == 600ms);
}

CUVEE_TEST_CASE("group: empty, its body cancelled from outside, the cancel goes on outwards") {
  std::string trace;
  bool after = false;
  auto body = [&]() -> task<> {
    co_await task_group([&](group&) -> task<> { co_await hang(trace, 'b'); });
    after = true;
  };
  co_await any_of(turns(2), body());
  CHECK(trace == "b");
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("group: cancelled before it starts, the body never runs") {
  bool ran = false;
  co_await task_group([&](group& outer) -> task<> {
    outer.cancel();
    co_await task_group([&](group&) -> task<> {
      ran = true;
      co_return;
    });
    ran = true;
  });
  CHECK_FALSE(ran);
}

CUVEE_TEST_CASE("group: spawn into a failing group is refused, its arguments go without a step") {
  std::string trace;
  bool refused = false;
  try {
    co_await task_group([&](group& g) -> task<> {
      g.spawn(fail_now);
      co_await shield(turns(2));
      try {
        g.spawn(
            [&](mark) -> task<> {
              trace += 'r';
              co_return;
            },
            mark(trace, 'm'));
      } catch (const error& e) {
        refused = e.code() == errc::closed;
      }
    });
  } catch (const boom&) {
    trace += 'c';
  }
  CHECK(refused);
  CHECK(trace == "mc");
}

CUVEE_TEST_CASE("group: spawn outside a task_group block is refused") {
  group g;
  bool refused = false;
  try {
    g.spawn(give, 1);
  } catch (const error& e) {
    refused = e.code() == errc::closed;
  }
  CHECK(refused);
  co_return;
}

CUVEE_TEST_CASE(
    "group: group.cancel() and an outside cancel in one turn, the outside one goes on") {
  bool after = false;
  event go;
  auto body = [&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      g.spawn([&]() -> task<> {
        co_await go.wait();
        g.cancel();
      });
      co_await forever();
    });
    after = true;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(body);
    co_await turns(3);
    go.set();
    h.cancel();
  });
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("group: 10,000 blocked children, cancelled, all unwind once") {
  std::string trace;
  trace.reserve(10'000);
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 10'000; i++) g.spawn(hang, std::ref(trace), 'h');
    co_await checkpoint();
    g.cancel();
  });
  CHECK(trace == std::string(10'000, 'h'));
}

CUVEE_TEST_CASE("group: a capturing lambda and its string live as long as the child") {
  std::size_t got = 0;
  co_await task_group([&](group& g) -> task<> {
    std::string text(100, 'x');
    auto child = [text, &got](int more) -> task<> {
      co_await turns(3);
      got = text.size() + static_cast<std::size_t>(more);
    };
    g.spawn(std::move(child), 3);
    co_return;
  });
  CHECK(got == 103);
}

CUVEE_TEST_CASE(
    "group: an outside cancel and a failure, the failure wins and the cancel stays pending") {
  bool caught = false, after = false;
  co_await task_group([&](group& outer) -> task<> {
    try {
      co_await task_group([&](group& g) -> task<> {
        g.spawn(bad_cleanup, "x");
        co_await checkpoint();
        outer.cancel();
        co_await forever();
      });
    } catch (const boom&) {
      caught = true;
    }
    co_await checkpoint();
    after = true;
  });
  CHECK(caught);
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("group: spawn in the turn in which its last child has ended is refused") {
  testing::keep_fifo();
  testing::virtual_clock clock;
  group* ended = nullptr;
  std::string why;
  bool ran = false;
  auto body = [&](group& g) -> task<> {
    ended = &g;
    co_await sleep(1s);
  };
  auto late = [&]() -> task<> {
    co_await sleep(1s);
    auto child = [&]() -> task<> {
      ran = true;
      co_await checkpoint();
    };
    try {
      ended->spawn(child);
    } catch (const error& e) {
      why = e.what();
    }
  };
  co_await gather(task_group(body), late());
  CHECK(why.find("not inside its task_group block") != std::string::npos);
  CHECK_FALSE(ran);
}
