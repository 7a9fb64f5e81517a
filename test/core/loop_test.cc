// SPDX-License-Identifier: MIT
// LOOP-4: post_test.cc; LOOP-8: many_loops_test.cc; LOOP-16: debug_mode_test.cc. LOOP-13 (stop) does not apply: a loop runs
// until its main task has ended, which a cancel brings about.
#include "core/handle_block.h"
#include "core/loop_state.h"
#include "in_child.h"
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <fstream>
#include <uv.h>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// A libuv handle as the library's own objects hold them.
class ticker final : public detail::handle_block {
 public:
  explicit ticker(loop& l) : handle_block(detail::loop_state::of(l)) {
    uv_timer_init(home().uv, &timer_);
    opened(detail::uv::as_handle(&timer_));
  }

 private:
  uv_timer_t timer_{};
};

long resident_pages() {
  std::ifstream f("/proc/self/statm");
  long all = 0, resident = 0;
  f >> all >> resident;
  return resident;
}

}  // namespace

TEST_CASE("loop: run gives the task's value and may be called again") {
  loop l;
  CHECK(l.run(give(1)) == 1);
  CHECK(l.run(give_later, 2) == 2);
  CHECK_THROWS_AS(l.run(fail_later()), boom);
  CHECK(l.run(give_later(3)) == 3);
}

TEST_CASE("loop: nothing can wake the task, run cancels it and reports a deadlock") {
  loop l;
  std::string trace;
  event never;
  auto body = [&]() -> task<> {
    mark m(trace, 'm');
    co_await never.wait();
  };
  std::error_code code;
  std::string text;
  try {
    l.run(body());
  } catch (const error& e) {
    code = e.code();
    text = e.what();
  }
  CHECK(code == errc::deadlock);
  CHECK(text.starts_with("run: deadlock: nothing is left that could wake task 'main' in "));
  CHECK(trace == "m");
  CHECK(l.run(give_later(3)) == 3);
}

TEST_CASE("loop: a deadlock under the virtual clock is found, too") {
  loop l;
  auto body = []() -> task<> {
    testing::virtual_clock clock;
    event never;
    co_await sleep(1h);
    co_await never.wait();
  };
  std::error_code code;
  try {
    l.run(body());
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == errc::deadlock);
}

TEST_CASE("loop: a deadlocked task that cannot be cancelled ends the program with a diagnosis") {
  auto end = in_child([] {
    loop l;
    event never;
    auto body = [&]() -> task<> { co_await shield(never.wait()); };
    l.run(body());
    return 0;
  });
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output.find("deadlock") != std::string::npos);
  CHECK(end.output.find("task 'main': shield, cancel requested\n") != std::string::npos);
}

TEST_CASE("loop: a thread without a loop, current and an await in vain are errors") {
  std::error_code code;
  try {
    loop::current();
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == errc::loop_closed);
  loop l;
  CHECK(&loop::current() == &l);
}

CUVEE_TEST_CASE("loop: run inside a task of it, or a second loop there, is refused") {
  std::error_code nested, second;
  try {
    loop::current().run(give(1));
  } catch (const error& e) {
    nested = e.code();
  }
  try {
    loop other;
  } catch (const error& e) {
    second = e.code();
  }
  CHECK(nested == errc::busy);
  CHECK(second == errc::busy);
  co_await checkpoint();
}

TEST_CASE("loop: destroyed, its objects that live on are closed and freed by their owners") {
  auto l = std::make_unique<loop>();
  auto* kept = new ticker(*l);
  auto* dropped = new ticker(*l);
  CHECK(l->open_handles() == 2);
  dropped->disown();
  CHECK(l->open_handles() == 1);
  l.reset();
  CHECK(kept->closed());
  kept->disown();
}

TEST_CASE("borrowed loop: runs tasks on the host's libuv loop") {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  {
    loop l(host);
    CHECK(l.run(give_later, 4) == 4);
    CHECK(l.run(give, 5) == 5);
    CHECK(l.run(nap, 1ms, 6) == 6);
  }
  CHECK(uv_run(&host, UV_RUN_DEFAULT) == 0);
  CHECK(uv_loop_close(&host) == 0);
}

TEST_CASE("borrowed loop: a task that ends at once leaves the host's next uv_run whole") {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  int fired = 0;
  uv_timer_t timer;
  uv_timer_init(&host, &timer);
  timer.data = &fired;
  {
    loop l(host);
    l.run(give(1));
    uv_timer_start(
        &timer,
        [](uv_timer_t* t) {
          ++*static_cast<int*>(t->data);
          uv_close(reinterpret_cast<uv_handle_t*>(t), nullptr);
        },
        0, 0);
  }
  CHECK(uv_run(&host, UV_RUN_DEFAULT) == 0);
  CHECK(fired == 1);
  CHECK(uv_loop_close(&host) == 0);
}

TEST_CASE("borrowed loop: the host's own handles go on while a task runs, and end no task") {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  uv_idle_t idle;
  uv_idle_init(&host, &idle);
  int spins = 0;
  idle.data = &spins;
  uv_idle_start(&idle, [](uv_idle_t* h) { ++*static_cast<int*>(h->data); });
  {
    loop l(host);
    l.run(nap, 2ms, 0);
  }
  CHECK(spins > 0);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle), nullptr);
  CHECK(uv_run(&host, UV_RUN_DEFAULT) == 0);
  CHECK(uv_loop_close(&host) == 0);
}

TEST_CASE("borrowed loop: the host runs it, posts arrive and timers of tasks fire") {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  std::string trace;
  {
    loop l(host);
    loop_ref home = l.ref();
    auto later = [&]() -> task<> {
      co_await sleep(1ms);
      trace += 't';
    };
    uv_timer_t timer;  // keeps the host busy until the post has come
    uv_timer_init(&host, &timer);
    timer.data = &trace;
    uv_timer_start(&timer, [](uv_timer_t*) {}, 1'000'000, 0);
    home.post([&] {
      trace += 'p';
      uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    });
    CHECK(uv_run(&host, UV_RUN_DEFAULT) == 0);
    l.run(later());
  }
  CHECK(trace == "pt");
  uv_run(&host, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&host) == 0);
}

TEST_CASE("borrowed loop: destroyed while handles of it are closing or still owned, all end well") {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  auto l = std::make_unique<loop>(host);
  auto* kept = new ticker(*l);
  (new ticker(*l))->disown();
  l.reset();
  CHECK(uv_run(&host, UV_RUN_DEFAULT) == 0);
  CHECK(kept->closed());
  kept->disown();
  CHECK(uv_loop_close(&host) == 0);
}

TEST_CASE("report: what a posted callback throws reaches the handler, later callbacks still run") {
  loop l;
  std::vector<std::string> reports;
  l.on_report([&](const report& r) { reports.push_back(r.message); });
  bool later = false;
  event done;
  l.ref().post([] { throw boom("one"); });
  l.ref().post([&] {
    later = true;
    done.set();
  });
  l.run([&]() -> task<> { co_await done.wait(); });
  CHECK(later);
  CHECK(reports == std::vector<std::string>{"exception in a posted callback: one"});
}

TEST_CASE("report: a handler that throws, the default handler reports both") {
  auto end = in_child([] {
    loop l;
    l.on_report([](const report&) { throw boom("handler"); });
    l.send_report({"notice", nullptr});
    l.send_report({"trouble", std::make_exception_ptr(boom("cause"))});
    return 0;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output ==
        "test-core: notice\ntest-core: exception in the report handler: handler\n"
        "test-core: trouble: cause\ntest-core: exception in the report handler: handler\n");
}

TEST_CASE("loop: 1000 loops made, run and destroyed cost nothing" * doctest::test_suite("slow")) {
  auto before = testing::footprint::take();
  [[maybe_unused]] long pages = 0;
  for (int i = 0; i < 1000; i++) {
    loop l;
    l.run(give_later(i));
    if (i == 100) pages = resident_pages();
  }
  CHECK(before.grown_to(testing::footprint::take()) == "");
#if !CUVEE_ASAN  // its quarantine grows
  CHECK((resident_pages() - pages) * 4096 < 1 << 20);
#endif
}

TEST_CASE("loop: run while another loop of this thread runs is refused, and hurts neither") {
  loop idle, busy;
  std::error_code refused;
  int value = busy.run([&]() -> task<int> {
    try {
      idle.run(give(1));
    } catch (const error& e) {
      refused = e.code();
    }
    co_await sleep(1ms);
    co_return 7;
  });
  CHECK(refused == errc::busy);
  CHECK(value == 7);
  idle.run(give(1));
}

TEST_CASE("report: a handler may replace itself") {
  loop l;
  std::string trace;
  l.on_report([&l, &trace, name = std::string(100, 'a')](const report&) {
    l.on_report([&trace](const report&) { trace += 'b'; });
    trace += name[0];
  });
  l.send_report({"one", nullptr});
  l.send_report({"two", nullptr});
  CHECK(trace == "ab");
}
