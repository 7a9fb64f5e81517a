// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

TEST_CASE(
    "background: tasks left over are cancelled, their clean-up runs, its errors are reported") {
  std::string trace;
  std::vector<std::string> reports;
  {
    loop l;
    l.on_report([&](const report& r) { reports.push_back(r.message); });
    auto fails_in_cleanup = []() -> task<> {
      co_await shield(sleep(1ms));
      throw boom("late");
    };
    auto main = [&]() -> task<int> {
      for (int i = 0; i < 9; i++) l.background().spawn(stubborn, std::ref(trace), 'x', duration(1));
      l.background().spawn(fails_in_cleanup).set_name("writer");
      co_await checkpoint();
      co_return 7;
    };
    CHECK(l.run(main) == 7);
    CHECK(trace.empty());
    CHECK(l.background().size() == 10);
  }
  CHECK(trace == "sxsxsxsxsxsxsxsxsx");
  REQUIRE(reports.size() == 1);
  CHECK(reports[0] == "'writer' failed: late");
}

CUVEE_TEST_CASE("background: a task that fails hurts neither its siblings nor the main task") {
  std::vector<std::string> reports;
  loop::current().on_report([&](const report& r) { reports.push_back(r.message); });
  auto failing = loop::current().background().spawn(fail_now);
  auto going_on = loop::current().background().spawn(give_later, 3);
  int value = co_await going_on.join();
  CHECK(value == 3);
  CHECK(failing.done());
  CHECK_THROWS_AS(failing.result(), boom);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0] == "a background task failed: boom");
  loop::current().on_report(nullptr);
}

CUVEE_TEST_CASE("background: tasks spawned there outlive the task that spawned them") {
  int value = 0;
  auto child = [&]() -> task<> {
    co_await turns(3);
    value = 1;
  };
  auto spawner = [&]() -> task<> {
    loop::current().background().spawn(child);
    co_return;
  };
  co_await spawner();
  CHECK(value == 0);
  co_await turns(5);
  CHECK(value == 1);
}

CUVEE_TEST_CASE("task handle: a result asked for too early is an error, later the value") {
  co_await task_group([](group& g) -> task<> {
    auto h = g.spawn(give_later, 5);
    CHECK_THROWS_WITH(h.result(), "read the result a task: it has not ended yet");
    co_await h.join();
    CHECK(h.result() == 5);
  });
}

CUVEE_TEST_CASE("task handle: join tells why the child was cancelled") {
  std::string what;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([]() -> task<> { co_await forever(); });
    co_await checkpoint();
    h.cancel("no longer needed");
    h.cancel("twice");
    try {
      co_await h.join();
    } catch (const cancelled_error& e) {
      what = e.what();
    }
  });
  CHECK(what == "join: the task was cancelled: no longer needed");
}

CUVEE_TEST_CASE("group: why() tells the first reason of a cancel") {
  std::string why;
  co_await task_group([&](group& g) -> task<> {
    CHECK(g.why() == nullptr);
    g.cancel("done here");
    why = g.why()->text;
    co_return;
  });
  CHECK(why == "done here");
}

TEST_CASE("guest: a foreign loop polls the descriptor and lets the guest run") {
  loop l;
  int ticks = 0;
  bool posted = false;
  loop_ref ref = l.ref();
  auto ticking = [&]() -> task<> {
    for (; ticks < 3; ticks++) co_await sleep(1ms);
    ref.post([&] { posted = true; });
  };
  l.background().spawn(ticking);
  CHECK(l.backend_timeout() == 0ns);
  while (!posted) {
    auto limit = l.backend_timeout();
    pollfd fd{l.backend_fd(), POLLIN, 0};
    int ms =
        limit ? static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*limit).count()) : -1;
    REQUIRE(::poll(&fd, 1, ms) >= 0);
    l.poll();
  }
  CHECK(ticks == 3);
  CHECK_FALSE(l.backend_timeout().has_value());
}

TEST_CASE("guest: polling a loop from one of its own tasks is an error") {
  loop l;
  auto main = [&]() -> task<> {
    l.poll();
    co_return;
  };
  CHECK_THROWS_WITH(l.run(main), "poll: the loop is running already");
}

TEST_CASE("background: of a loop that is not the current one, the child runs there") {
  loop ours;
  std::vector<loop*> ran_on;
  auto note = [&]() -> task<> {
    ran_on.push_back(&loop::current());
    co_return;
  };
  auto turn = []() -> task<> { co_await sleep(1ms); };
  {
    loop other;
    ours.background().spawn(note);
    other.run(turn);
    CHECK(ran_on.empty());
  }
  ours.background().spawn(note);  // now none is current
  ours.run(turn);
  CHECK(ran_on == std::vector<loop*>{&ours, &ours});
}

TEST_CASE("background: spawning from a foreign thread is refused, with and without a loop there") {
  loop l;
  auto argument = std::make_shared<int>(1);
  auto never = [](std::shared_ptr<int>) -> task<> {
    FAIL("it ran");
    co_return;
  };
  std::vector<std::error_code> codes;
  auto attempt = [&] {
    try {
      l.background().spawn(never, argument);
    } catch (const error& e) {
      codes.push_back(e.code());
    }
  };
  std::thread(attempt).join();
  std::thread([&] {
    loop there;
    attempt();
  }).join();
  CHECK(codes == std::vector(2, std::make_error_code(std::errc::operation_not_permitted)));
  CHECK(argument.use_count() == 1);
}
