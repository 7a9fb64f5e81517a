// SPDX-License-Identifier: MIT
// Child processes, whose exits are seen by pidfds or, where there are none, by threads.
#include "fault_case.h"
#include "peer.h"

#include <cuvee/exec.h>
#include <cuvee/testing/run_case.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

using namespace cuvee;
using namespace fault_case;

namespace {

struct without_pidfds {
  without_pidfds() { setenv("CUVEE_NO_PIDFD", "1", 1); }
  ~without_pidfds() { unsetenv("CUVEE_NO_PIDFD"); }
};

task<> communicating() {
  command c("cat");
  c.in(stdio::pipe).out(stdio::pipe).err(stdio::pipe).env("CUVEE_A", "b");
  process p = spawn(c);
  process_result r = co_await p.communicate("some data");
  CHECK(r.out == "some data");
  CHECK(r.status.success());
}

task<> running() {
  process_result r = co_await run_process(command("cat"), capture::all, "some data");
  CHECK(r.out == "some data");
}

// Whatever else may fail, what `spawn` throws names itself and the command.
process spawn_named(const command& c, const std::string& name) {
  try {
    return spawn(c);
  } catch (const error& e) {
    if (failed_call() == "uv_pipe_init") throw;  // cannot fail
    CHECK_MESSAGE(e.operation() == "spawn", std::string(e.what()));
    CHECK_MESSAGE(e.subject().starts_with(name), std::string(e.what()));
    throw;
  }
}

task<> redirecting() {
  command c = command::shell("echo text");
  c.in(stdio::null).out_to("/dev/null").err(stdio::pipe).new_session();
  process p = spawn_named(c, "/bin/sh");
  co_await p.wait();
}

task<> at_a_terminal() {
  process p = spawn_named(command("tty").in(stdio::terminal).out(stdio::terminal), "tty");
  std::string name = co_await read_all(p.terminal());
  co_await p.wait();
}

task<> in_a_pipeline() {
  process_result r =
      co_await run_process(pipeline(command("echo", "text"), command("cat")), capture::out);
  CHECK(r.out == "text\n");
}

task<> dropping() {
  process p = spawn_named(command("sleep", "60"), "sleep");
  co_await checkpoint();
}

const worker_function same("same", [](std::string_view text) { return std::string(text); });

void fail_all() {
  for (auto body : {&communicating, &running, &redirecting, &at_a_terminal, &in_a_pipeline})
    CHECK(fail_calls(body) > 5);
  CHECK(fail_calls(&dropping) > 3);
  for (auto body : {&communicating, &running, &redirecting, &at_a_terminal, &in_a_pipeline})
    CHECK(fail_allocations(body) > 3);
  CHECK(fail_allocations(&dropping) > 3);
}

}  // namespace

TEST_CASE("faults: every call and allocation fails in starting and talking to a child") {
  fail_all();
}

TEST_CASE("faults: the same with children that a thread waits for") {
  without_pidfds none;
  fail_all();
}

TEST_CASE("faults: a spawn that fails has not begun the child's program") {
  peers::temporary_folder folder;
  std::string mark = folder.path() + "/mark";
  // These are made when there is a child to look at.
  auto too_late = [] {
    const std::string call = failed_call();
    return call.starts_with("uv_poll_") || call == "epoll_ctl" || call == "pidfd_open";
  };
  auto marks = [&]() -> task<> {
    std::filesystem::remove(mark);
    bool failed = true;
    try {
      process p = spawn_named(command("mkdir", mark), "mkdir");
      failed = false;
      co_await p.wait();
    } catch (const error&) {
      bool begun = std::filesystem::exists(mark) && !too_late();
      if (failed) CHECK_MESSAGE(!begun, failed_call());
      throw;
    }
  };
  CHECK(fail_calls(marks) > 3);
  without_pidfds none;
  CHECK(fail_calls(marks) > 3);
}

// This program's main does not begin with worker_entry(): each worker would be one more of this program.
TEST_CASE("faults: a process pool is refused where main does not begin with worker_entry") {
  auto pool = []() -> task<> {
    process_pool workers;
    std::string result = co_await workers.run(same, "text");
  };
  CHECK_THROWS_WITH_AS(testing::run_case(pool),
                       "make a process pool: main does not begin with worker_entry()", error);
}
