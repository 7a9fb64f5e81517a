// SPDX-License-Identifier: MIT
// run_process: limits and cancellation.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

int only_child() {
  std::ifstream list("/proc/self/task/" + std::to_string(gettid()) + "/children");
  int pid = 0;
  list >> pid;
  return pid;
}

bool ignores_term(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigIgn:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
  }
  return false;
}

task<> many_short_children(int count, int at_once) {
  int left = count, failed = 0;
  auto worker = [&]() -> task<> {
    while (left > 0) {
      left--;
      process_result r = co_await run_process(command("true"));
      failed += !r.status.success();
    }
  };
  std::vector<task<>> workers;
  for (int i = 0; i < at_once; i++) workers.push_back(worker());
  co_await gather(std::move(workers));
  CHECK(failed == 0);
}

void torture_is_clean(const std::function<task<>()>& body) {
  auto report = testing::torture(body);
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}

}  // namespace

CUVEE_TEST_CASE(
    "run_process: cancelled, the child gets SIGTERM and has been reaped when the cancel ends") {
  // In real time: a virtual clock would not wait for the child to die.
  loop::current().on_report([](const report& r) { FAIL_CHECK(r.message); });
  auto cut = co_await move_on_after(5ms, run_process(command("sleep", "60"), capture::out));
  CHECK_FALSE(cut);
  CHECK(only_child() == 0);
}

CUVEE_TEST_CASE("run_process: a child that ignores SIGTERM is killed after 5 s, with a notice") {
  testing::virtual_clock clock(loop::current(), 5ms);
  std::string notice;
  loop::current().on_report([&](const report& r) { notice = r.message; });
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([]() -> task<> {
      // exec: no grandchild is left behind.
      co_await run_process(command::shell("trap '' TERM; exec sleep 60"));
    });
    co_await checkpoint();
    while (!ignores_term(only_child())) usleep(200);
    h.cancel();
  });
  CHECK(clock.elapsed() >= 5s);
  CHECK(clock.elapsed() < 6s);
  CHECK(only_child() == 0);
  CHECK(notice ==
        "run_process: /bin/sh -c trap '' TERM; exec sleep 60 has not ended 5 s after SIGTERM: "
        "killed");
}

CUVEE_TEST_CASE("run_process: cancelled before its first step, nothing is spawned") {
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([]() -> task<> { co_await run_process(command("./no-such-program")); });
    h.cancel();
    co_return;
  });
  CHECK(only_child() == 0);
}

CUVEE_TEST_CASE(
    "run_process: with a cancel pending the child is started and stopped, never left behind") {
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    task<process_result> t = run_process(command("sleep", "60"));
    co_await std::move(t);
  });
  CHECK(only_child() == 0);
}

CUVEE_TEST_CASE("run_process: more output than the limit is an error and stops the child") {
  run_process_options options;
  options.limit_bytes = 100000;
  auto text = co_await failure(run_process(command("yes"), capture::out, options));
  CHECK(text == "collect stdout of yes: more than the limit of 100000 bytes");
  CHECK(only_child() == 0);
  options.limit_bytes = 3;
  process_result r = co_await run_process(command("printf", "abc"), capture::out, options);
  CHECK(r.out == "abc");
}

CUVEE_TEST_CASE("run_process: a failing program is a result, a missing one an error") {
  process_result r = co_await run_process(command("false"));
  CHECK(r.status == exit_status::exited(1));
  auto text = co_await failure(run_process(command("no-such-program"), capture::all));
  CHECK(text == "spawn no-such-program: no such file or directory (ENOENT)");
}

TEST_CASE("run_process: cancelled at every suspension, nothing is left") {
  std::string input = pattern(300000);
  torture_is_clean([&]() -> task<> {
    process_result r = co_await run_process(command("cat"), capture::all, input);
    CHECK(r.out.size() == input.size());
  });
}

TEST_CASE("process: communicate and wait cancelled at every suspension, nothing is left") {
  std::string input = pattern(100000);
  torture_is_clean([&]() -> task<> {
    process p = spawn(command("cat").in(stdio::pipe).out(stdio::pipe));
    process_result r = co_await p.communicate(input);
    CHECK(r.out.size() == input.size());
  });
  torture_is_clean([&]() -> task<> {
    process p = spawn(command::shell("exit 2"));
    exit_status s = co_await p.wait();
    CHECK(s == exit_status::exited(2));
  });
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("process: 1000 rounds of a kill that races the natural exit") {
  for (int i = 0; i < 1000; i++) {
    process p = spawn(command("true"));
    auto killer = [&]() -> task<> {
      usleep(static_cast<unsigned>(i % 40) * 25);
      co_await checkpoint();
      if (!p.status()) p.kill(SIGKILL);
    };
    auto [status, none] = co_await gather(p.wait(), killer());
    bool expected = status == exit_status::exited(0) || status == exit_status::signaled(SIGKILL);
    CHECK(expected);
  }
}

CUVEE_TEST_CASE("process: 1000 short children, 100 at a time") {
  co_await many_short_children(1000, 100);
}

TEST_CASE("process: 1000 short children from four loops in four threads") {
  auto before = testing::footprint::take();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([] {
      loop l;
      l.run(many_short_children(250, 25));
    });
  for (std::thread& t : threads) t.join();
  CHECK(before.grown_to(testing::footprint::take()) == "");
}

TEST_SUITE_END();
