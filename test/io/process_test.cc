// SPDX-License-Identifier: MIT
// Communicating with a child, waiting for it and killing it.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

command filter(const char* program) {
  command c(program);
  c.in(stdio::pipe).out(stdio::pipe);
  return c;
}

// Until it has ended, leaving it to be reaped.
void wait_for_death(int pid) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
}

}  // namespace

CUVEE_TEST_CASE("process: communicate feeds cat and gives back what it wrote") {
  process p = spawn(filter("cat"));
  process_result r = co_await p.communicate("some data");
  CHECK(r.out == "some data");
  CHECK(r.err.empty());
  CHECK(r.status == exit_status::exited(0));
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("process: communicate without input gives the child the end of its input at once") {
  process p = spawn(filter("cat"));
  process_result r = co_await p.communicate();
  CHECK(r.out.empty());
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("process: communicate closes nothing that it does not own") {
  command c("echo", "x");
  c.in(stdio::null).out(stdio::pipe);
  process p = spawn(c);
  process_result r = co_await p.communicate();
  CHECK(r.out == "x\n");
  CHECK(fcntl(0, F_GETFD) >= 0);
  CHECK(fcntl(2, F_GETFD) >= 0);
  auto refused = co_await failure(p.communicate("input"));
  CHECK(refused == "use stdin of echo: it is not a pipe");
}

CUVEE_TEST_CASE("process: an exit code and a signal are distinct states") {
  process seven = spawn(command::shell("exit 7"));
  exit_status s = co_await seven.wait();
  CHECK(s == exit_status::exited(7));
  CHECK(s.code() == 7);
  CHECK_FALSE(s.signal());
  CHECK_FALSE(s.success());
  CHECK(s.to_string() == "exit code 7");
  for (int signal : {SIGKILL, SIGTERM, SIGHUP}) {
    process p = spawn(command("sleep", "60"));
    p.kill(signal);
    s = co_await p.wait();
    CHECK(s == exit_status::signaled(signal));
    CHECK_FALSE(s.code());
    CHECK(s != exit_status::exited(signal));
  }
  CHECK(exit_status::signaled(9).to_string() == "signal 9 (Killed)");
}

CUVEE_TEST_CASE("process: a child that closes its input, a large write gives broken pipe") {
  command c = command::shell("exec 0<&-; echo done");
  c.in(stdio::pipe).out(stdio::pipe);
  process p = spawn(c);
  std::string big(4 * 1024 * 1024 + 1, 'x');
  auto code = co_await failure_code(p.in().write(big));
  bool expected = code == std::errc::broken_pipe || code == std::errc::connection_reset;
  CHECK(expected);
  process_result r = co_await p.communicate();
  CHECK(r.out == "done\n");
}

CUVEE_TEST_CASE("process: communicate ignores that the child does not read its input") {
  command c = command::shell("exec 0<&-; echo done; exit 3");
  c.out(stdio::pipe).in(stdio::pipe);
  process p = spawn(c);
  std::string big(4 * 1024 * 1024 + 1, 'x');
  process_result r = co_await p.communicate(big);
  CHECK(r.out == "done\n");
  CHECK(r.status == exit_status::exited(3));
}

CUVEE_TEST_CASE("process: a pipe's reader that goes ends a large write") {
  process p = spawn(command("sleep", "60").in(stdio::pipe));
  std::string block(32 * 32768, 'x');
  auto write = [&]() -> task<std::string> { co_return co_await failure(p.in().write(block)); };
  auto end = [&]() -> task<> {
    co_await sleep(1ms);
    p.kill(SIGKILL);
  };
  auto [text, none] = co_await gather(write(), end());
  CHECK(text == "write stdin of sleep: broken pipe (EPIPE)");
  co_await p.wait();
}

CUVEE_TEST_CASE("process: reads smaller than the output get all of it") {
  process p = spawn(command("printf", "%s", "123456789012345678901").out(stdio::pipe));
  std::string all = co_await read_all(p.out(), 10);
  CHECK(all == "123456789012345678901");
  co_await p.wait();
}

CUVEE_TEST_CASE("process: wait returns at the exit although a grandchild holds the output") {
  process p = spawn(command::shell("sleep 60 & echo $!; wait").out(stdio::pipe));
  std::string number;
  while (!number.ends_with('\n')) number += co_await read_exact(p.out(), 1);
  p.kill(SIGKILL);
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::signaled(SIGKILL));
  int grandchild = std::stoi(number);
  CHECK(::kill(grandchild, SIGKILL) == 0);  // it was there still
  std::string rest = co_await read_all(p.out());
  CHECK(rest.empty());
}

CUVEE_TEST_CASE("process: communicate waits for the end of the output, or for the drain limit") {
  command c = command::shell("sleep 0.03 & echo hi");
  c.out(stdio::pipe);
  stopwatch watch;
  process patient = spawn(c);
  process_result r = co_await patient.communicate();
  CHECK(r.out == "hi\n");
  CHECK(watch.elapsed() >= 30ms);

  process hasty = spawn(command::shell("sleep 1 & echo hi; exit 4").out(stdio::pipe));
  communicate_options options;
  options.drain = 10ms;
  r = co_await hasty.communicate({}, options);
  CHECK(r.out == "hi\n");
  CHECK(r.status == exit_status::exited(4));
}

CUVEE_TEST_CASE("process: destroyed while it runs, the child is killed and reaped") {
  int pid = 0;
  {
    process p = spawn(command("sleep", "60").in(stdio::pipe));
    pid = p.pid();
  }
  while (::kill(pid, 0) == 0) co_await sleep(1ms);
  CHECK(errno == ESRCH);
}

TEST_CASE("process: a loop destroyed with a live child kills and reaps it") {
  auto before = testing::footprint::take();
  std::optional<process> outlives;
  int pid = 0, dropped_pid = 0;
  {
    loop l;
    l.run([&]() -> task<> {
      outlives.emplace(spawn(command("sleep", "60").in(stdio::pipe).out(stdio::pipe)));
      pid = outlives->pid();
      process dropped = spawn(command("sleep", "60"));
      dropped_pid = dropped.pid();
      co_return;
    });
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) != 0);
  CHECK(::kill(dropped_pid, 0) != 0);
  CHECK(outlives->status() == exit_status::signaled(SIGKILL));
  outlives.reset();
  CHECK(before.grown_to(testing::footprint::take()) == "");
}

CUVEE_TEST_CASE("process: any number of tasks wait, late ones get the value") {
  process p = spawn(command::shell("exit 5"));
  CHECK_FALSE(p.status());
  auto [a, b, c] = co_await gather(p.wait(), p.wait(), p.wait());
  CHECK(a == exit_status::exited(5));
  CHECK(b == a);
  CHECK(c == a);
  exit_status late = co_await p.wait();
  CHECK(late == a);
  CHECK(p.status() == a);
}

CUVEE_TEST_CASE("process: a cancelled wait leaves the child running") {
  process p = spawn(filter("cat"));
  auto cut = co_await move_on_after(1ms, p.wait());
  CHECK_FALSE(cut);
  auto never = co_await move_on_after(0ms, p.wait());
  CHECK_FALSE(never);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await p.wait();  // cancelled before it suspends
  });
  process_result r = co_await p.communicate("still there");
  CHECK(r.out == "still there");
}

CUVEE_TEST_CASE("process: kill after the exit was seen is an error, before it is ignored") {
  process p = spawn(command("true"));
  wait_for_death(p.pid());
  p.kill();
  p.kill(SIGKILL);
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::exited(0));
  std::string text;
  try {
    p.kill();
  } catch (const error& e) {
    text = e.what();
    CHECK(e.code() == std::errc::no_such_process);
  }
  CHECK(text == "kill true: no such process (ESRCH)");
}

CUVEE_TEST_CASE("process: no task runs between the reaping of a child and the news of its exit") {
  process a = spawn(command("true"));
  process b = spawn(command("true"));
  wait_for_death(a.pid());
  wait_for_death(b.pid());
  int known = 0;
  auto observe = [&](process& first, process& other) -> task<> {
    co_await first.wait();
    known += other.status().has_value();
  };
  co_await gather(observe(a, b), observe(b, a));
  CHECK(known >= 1);
}

CUVEE_TEST_CASE(
    "process: with SIGCHLD ignored by inheritance, wait still ends with the real status") {
  auto old = std::signal(SIGCHLD, SIG_IGN);
  process p = spawn(command::shell("exit 6"));
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::exited(6));
  std::signal(SIGCHLD, old == SIG_IGN ? SIG_DFL : old);
}

CUVEE_TEST_CASE("process: half close of stdin is the end of the child's input") {
  process p = spawn(filter("cat"));
  co_await p.in().write("abc");
  co_await p.in().shutdown_write();
  std::string all = co_await read_all(p.out());
  CHECK(all == "abc");
  co_await p.in().shutdown_write();
  co_await p.wait();
}

CUVEE_TEST_CASE("process: parallel communicates get their own data") {
  std::vector<task<process_result>> all;
  std::vector<std::string> inputs;
  for (int i = 0; i < 10; i++) inputs.push_back("data " + std::to_string(i));
  for (const std::string& input : inputs)
    all.push_back(run_process(command("cat"), capture::out, input));
  std::vector<process_result> results = co_await gather(std::move(all));
  for (std::size_t i = 0; i < inputs.size(); i++) CHECK(results[i].out == inputs[i]);
}

CUVEE_TEST_CASE("process: all sizes pass through stdin and stdout") {
  for (std::size_t size : {8192, 8193, 65536, 65537, 219263, 219264, 1000000}) {
    std::string data = pattern(size);
    process_result r = co_await run_process(command("cat"), capture::out, data);
    bool same = r.out == data;
    CHECK(same);
  }
}
