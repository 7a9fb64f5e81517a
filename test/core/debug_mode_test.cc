// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "in_child.h"

using namespace cuvee;
using scenario::child_end;
using scenario::in_child;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// The reports of a loop, each with its details.
struct recorded {
  explicit recorded(loop& l) {
    l.on_report([this](const report& r) { text += r.message + "\n" + r.details; });
  }
  std::string text;
};

task<> nothing() { co_return; }
task<> nap() { co_await sleep(1h); }
task<> short_nap() { co_await sleep(10s); }
task<> forget_a_task() {
  co_await checkpoint();
  nothing().release().destroy();  // given up on purpose
  static_cast<void>(nothing());
}
task<> wait_on(event& e) { co_await e.wait(); }
task<> hog(duration how_long) {
  co_await checkpoint();
  auto end = std::chrono::steady_clock::now() + how_long;
  while (std::chrono::steady_clock::now() < end) {
  }
  co_await checkpoint();
}

}  // namespace

TEST_CASE("debug mode: a task that nobody awaits is reported with its function and who made it") {
  loop l;
  recorded reports(l);
  l.set_debug(true);
  l.run(forget_a_task());
  INFO(reports.text);
  CHECK(has(reports.text, "a task was never awaited: nothing (debug_mode_test.cc:"));
  CHECK(has(reports.text,
            "made and dropped by task 'main' after forget_a_task (debug_mode_test.cc:"));
  CHECK(reports.text.find("never") == reports.text.rfind("never"));
}

TEST_CASE("debug mode: children of a combinator that nobody awaits are reported as well") {
  loop l;
  recorded reports(l);
  l.set_debug(true);
  l.run([]() -> task<> {
    {
      auto dropped = gather(nothing(), sleep(1s));
    }
    co_return;
  });
  CHECK(has(reports.text, "a task was never awaited: nothing ("));
}

TEST_CASE("debug mode: tasks that an error or a cancel keeps from being awaited are no mistake") {
  loop l;
  testing::virtual_clock clock;
  recorded reports(l);
  l.set_debug(true);
  auto throws = []() -> task<> {
    auto later = nothing();
    throw std::runtime_error("no");
    co_await std::move(later);
  };
  auto waits = []() -> task<> {
    auto later = nothing();
    co_await forever();
    co_await std::move(later);
  };
  auto never_starts = []() -> task<> { co_await gather(nothing(), nothing()); };
  l.run([&]() -> task<> {
    co_await gather_settled(throws());
    co_await move_on_after(0s, waits());
    for (duration limit : {duration(1ms), duration(20s)}) {
      std::vector<task<>> attempts;
      for (int i = 0; i < 3; i++) attempts.push_back(short_nap());
      auto first = staggered_race(1h, std::move(attempts));  // the others are not needed
      co_await move_on_after(limit, std::move(first));
    }
    auto body = [&](group& g) -> task<> {
      g.spawn(never_starts).cancel();
      co_return;
    };
    co_await task_group(body);
  });
  CHECK(reports.text == "");
}

TEST_CASE("debug mode: a step that keeps the loop busy is reported with its task and place") {
  loop l;
  recorded reports(l);
  l.set_debug(true);
  l.set_slow_step(2ms);
  auto h = l.background().spawn(hog, 5ms);
  h.set_name("the hog");
  l.run([&]() -> task<> { co_await h.join(); });
  INFO(reports.text);
  CHECK(has(reports.text, "task 'the hog' kept the loop busy for "));
  CHECK(has(reports.text, " ms from hog (debug_mode_test.cc:"));
}

TEST_CASE("debug mode: the tree knows ages and makers") {
  loop l;
  testing::virtual_clock clock;
  l.set_debug(true);
  std::string text;
  auto make = []() -> task<> { co_await gather(nap(), nap()); };
  l.run([&]() -> task<> {
    auto look = [&]() -> task<> {
      co_await sleep(5s);
      text = to_string(l.tasks());
    };
    co_await any_of(make(), look());
  });
  INFO(text);
  CHECK(has(text, "task 'nap': sleep, 5000 ms old, created by task 'lambda in "));
}

TEST_CASE("debug mode: a background task that is left when the loop ends is reported and unwound") {
  std::string text;
  bool destroyed = false;
  {
    loop l;
    l.on_report([&](const report& r) { text += r.message; });
    l.set_debug(true);
    struct flag {
      bool& to;
      ~flag() { to = true; }
    };
    auto left = [&]() -> task<> {
      flag f{destroyed};
      co_await nap();
    };
    l.run([&]() -> task<> {
      l.background().spawn(left).set_name("left");
      co_await checkpoint();
    });
  }
  INFO(text);
  CHECK(destroyed);
  CHECK(
      has(text, "task 'left' still ran when the loop ended, in sleep at nap (debug_mode_test.cc:"));
  CHECK(has(text, "; made by task 'main'"));
}

TEST_CASE("debug mode: a call from a foreign thread is an error") {
  loop l;
  l.set_debug(true);
  std::error_code code;
  std::thread([&] {
    try {
      l.background();
    } catch (const error& e) {
      code = e.code();
    }
  }).join();
  CHECK(code == std::errc::operation_not_permitted);
}

TEST_CASE("debug mode: a cancel from a foreign thread is an error, and cancels nothing") {
  loop l;
  l.set_debug(true);
  std::string said;
  auto attempt = [&](auto cancel) {
    std::thread([&] {
      try {
        cancel();
      } catch (const error& e) {
        said += e.operation() + "; ";
        CHECK(e.code() == std::errc::operation_not_permitted);
      }
    }).join();
  };
  bool went_on = false;
  cancel_scope s;
  l.run([&]() -> task<> {
    co_await scope(s, [&](cancel_scope&) -> task<> {
      co_await task_group([&](group& g) -> task<> {
        task_handle<> h = g.spawn(nothing);
        attempt([&] { h.cancel(); });
        attempt([&] { g.cancel(); });
        attempt([&] { s.cancel(); });
        co_await h.join();
        went_on = true;
      });
    });
  });
  CHECK(said == "cancel a task; cancel a group; cancel a scope; ");
  CHECK(went_on);
}

TEST_CASE("debug mode: waking a task from a foreign thread ends the program with a diagnosis") {
  child_end end = in_child([] {
    loop l;
    l.set_debug(true);
    event e;
    auto wake = [&]() -> task<> {
      co_await checkpoint();
      std::thread([&] { e.set(); }).join();
      co_await nap();
    };
    l.run([&]() -> task<> { co_await gather(nothing(), shield(wait_on(e)), wake()); });
    return 0;
  });
  CHECK(has(end.output, "a task was woken from a thread that does not run its loop"));
}

TEST_CASE("debug mode: the environment turns it on, and off it reports nothing") {
  ::setenv("CUVEE_DEBUG", "1", 1);
  {
    loop on;
    CHECK(on.debug());
    on.set_debug(false);
    recorded reports(on);
    on.run(forget_a_task());
    CHECK(reports.text == "");
  }
  ::setenv("CUVEE_DEBUG", "0", 1);
  {
    loop off;
    CHECK(!off.debug());
  }
  ::unsetenv("CUVEE_DEBUG");
  loop off;
  CHECK(!off.debug());
}

TEST_CASE("exit limit: what still runs when the time is over is listed") {
  child_end end = in_child([] {
    auto stubborn = []() -> task<> { co_await shield(nap()); };
    runner r;
    r.exit_within(1ms);
    r.loop().background().spawn(stubborn).set_name("stubborn");
    auto quick = []() -> task<> { co_await checkpoint(); };
    return r.run_main(quick);
  });
  INFO(end.output);
  CHECK(has(end.output, "the time to exit is over, and tasks still run\n"));
  CHECK(has(end.output, "task 'stubborn': shield, cancel requested\n"));
  CHECK(has(end.output, "at nap (debug_mode_test.cc:"));
}
