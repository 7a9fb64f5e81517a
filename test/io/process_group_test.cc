// SPDX-License-Identifier: MIT
// Groups, sessions and terminals of children; how run_process ends them; checked results.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

task<std::string> read_line(stream& s) {
  std::string line;
  while (!line.ends_with('\n')) {
    std::string piece = co_await read_exact(s, 1);
    if (piece.empty()) break;
    line += piece;
  }
  co_return line;
}

task<std::string> read_until(stream& s, std::string_view last) {
  std::string all;
  while (all.find(last) == all.npos) {
    std::string piece = co_await read_exact(s, 1);
    if (piece.empty()) break;
    all += piece;
  }
  co_return all;
}

bool alive(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  stat >> number >> name >> state;
  return stat && state != "Z" && state != "X";
}

// A grandchild dies when it does, and somebody else reaps it.
task<> until_gone(int pid) {
  while (alive(pid)) co_await sleep(1ms);
}

const char* const own_numbers = "set -- $(cat /proc/$$/stat); echo $1 $5 $6";

struct numbers {
  int pid, group, session;
};
numbers parse(const std::string& line) {
  numbers n{};
  std::sscanf(line.c_str(), "%d %d %d", &n.pid, &n.group, &n.session);
  return n;
}

task<> by_usr1(process& p) {
  p.kill(SIGUSR1);
  co_await p.wait();
}
task<> no_end(process&) { co_return; }

}  // namespace

CUVEE_TEST_CASE("process: a child is in the parent's group and session, or in new ones") {
  process_result r = co_await run_process(command::shell(own_numbers), capture::out);
  numbers n = parse(r.out);
  CHECK(n.group == getpgrp());
  CHECK(n.session == getsid(0));
  r = co_await run_process(command::shell(own_numbers).new_group(), capture::out);
  n = parse(r.out);
  CHECK(n.group == n.pid);
  CHECK(n.session == getsid(0));
  r = co_await run_process(command::shell(own_numbers).new_session(), capture::out);
  n = parse(r.out);
  CHECK(n.group == n.pid);
  CHECK(n.session == n.pid);
}

CUVEE_TEST_CASE(
    "process: a child joins the group of another, and a group that is not there is an error") {
  process leader = spawn(command("cat").in(stdio::pipe).new_group());
  command c = command::shell(own_numbers);
  process_result r = co_await run_process(c.join_group(leader.pid()), capture::out);
  CHECK(parse(r.out).group == leader.pid());
  int pid = leader.pid();
  process_result end = co_await leader.communicate();
  CHECK(end.status.success());
  std::string text;
  try {
    process p = spawn(command("true").join_group(pid));
  } catch (const error& e) {
    text = e.what();
  }
  CHECK(text == "spawn true in group " + std::to_string(pid) + ": operation not permitted (EPERM)");
}

CUVEE_TEST_CASE("process: kill_group reaches the grandchildren") {
  process p = spawn(command::shell("sleep 60 & echo $!; wait").out(stdio::pipe).new_group());
  std::string line = co_await read_line(p.out());
  int grandchild = std::stoi(line);
  p.kill_group();
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::signaled(SIGTERM));
  co_await until_gone(grandchild);
  CHECK_THROWS_WITH_AS(p.kill_group(), "kill the group of /bin/sh: no such process (ESRCH)", error);
  process other = spawn(command("true"));
  CHECK_THROWS_WITH_AS(other.kill_group(), "kill the group of true: it leads none", error);
  co_await other.wait();
}

CUVEE_TEST_CASE("process: destroyed while it runs, the group that the child leads is killed") {
  int child = 0, grandchild = 0;
  {
    process p = spawn(command::shell("sleep 60 & echo $!; wait").out(stdio::pipe).new_group());
    std::string line = co_await read_line(p.out());
    child = p.pid();
    grandchild = std::stoi(line);
  }
  co_await until_gone(child);
  co_await until_gone(grandchild);
  while (::kill(child, 0) == 0) co_await sleep(1ms);  // reaped
  CHECK(errno == ESRCH);
}

CUVEE_TEST_CASE("run_process: cancelled, the whole group ends, also who ignores SIGTERM") {
  char name[] = "/tmp/cuvee-group-XXXXXX";
  int file = mkstemp(name);
  REQUIRE(file >= 0);
  close(file);
  command c = command::shell("(trap '' TERM; exec sleep 60) & echo $! >$0; wait");
  c.arg(name).new_group();
  auto grandchild = [&] {
    int pid = 0;
    std::ifstream(name) >> pid;
    return pid;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await run_process(c); });
    while (grandchild() == 0) co_await sleep(1ms);
    h.cancel();
  });
  co_await until_gone(grandchild());
  unlink(name);
}

CUVEE_TEST_CASE("run_process: the grace time is the caller's") {
  testing::virtual_clock clock(loop::current(), 5ms);
  std::string notice;
  loop::current().on_report([&](const report& r) { notice = r.message; });
  run_process_options options;
  options.grace = 1500ms;
  command c = command::shell("trap '' TERM; echo ready; exec sleep 60");
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  c.out_fd(ends[1]);
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await run_process(c, capture::none, options); });
    co_await checkpoint();
    char text[8];
    CHECK(read(ends[0], text, sizeof text) == 6);
    h.cancel();
  });
  close(ends[0]);
  close(ends[1]);
  CHECK(clock.elapsed() >= 1500ms);
  CHECK(clock.elapsed() < 2s);
  CHECK(notice.ends_with(" has not ended 1.5 s after SIGTERM: killed"));
}

CUVEE_TEST_CASE("run_process: a way of its own to deliver the cancel") {
  loop::current().on_report([](const report& r) { FAIL_CHECK(r.message); });
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  run_process_options options;
  options.deliver_cancel = [](process& p) { return by_usr1(p); };
  command c = command::shell(
      "trap '' TERM; trap 'echo bye; exit 0' USR1; echo ready; while :; do sleep 0.01; done");
  c.out_fd(ends[1]);
  char text[8] = {};
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await run_process(c, capture::none, options); });
    co_await checkpoint();
    CHECK(read(ends[0], text, sizeof text) == 6);
    h.cancel();
  });
  CHECK(read(ends[0], text, sizeof text) == 4);
  CHECK(std::string(text, 4) == "bye\n");
  close(ends[0]);
  close(ends[1]);

  run_process_options leaves;  // what still runs then is killed
  leaves.deliver_cancel = [](process& p) { return no_end(p); };
  auto cut =
      co_await move_on_after(5ms, run_process(command("sleep", "60"), capture::none, leaves));
  CHECK_FALSE(cut);
}

CUVEE_TEST_CASE("process: interactive use, line for line") {
  command c = command::shell("while read line; do echo \"<$line>\"; done");
  process p = spawn(c.in(stdio::pipe).out(stdio::pipe));
  for (const char* word : {"one\n", "two\n", "three\n"}) {
    co_await p.in().write(word);
    std::string answer = co_await read_line(p.out());
    CHECK(answer == "<" + std::string(word, std::strlen(word) - 1) + ">\n");
  }
  co_await p.in().shutdown_write();
  exit_status s = co_await p.wait();
  CHECK(s.success());
}

CUVEE_TEST_CASE("process: on a terminal all three streams are one, of the size wanted") {
  command c =
      command::shell("test -t 0 && test -t 1 && test -t 2 && stty size; read x; echo \"<$x>\"");
  process p = spawn(c.terminal({.columns = 132, .rows = 43}));
  std::string seen = co_await read_until(p.terminal(), "\n");
  CHECK(seen == "43 132\r\n");
  co_await p.terminal().write("typed\n");
  seen = co_await read_all(p.terminal());
  CHECK(seen == "typed\r\n<typed>\r\n");  // what is typed is echoed; the end is no error
  exit_status s = co_await p.wait();
  CHECK(s.success());
  CHECK_THROWS_WITH_AS(p.out(), "use stdout of /bin/sh: it is not a pipe", error);
}

CUVEE_TEST_CASE("process: a resized terminal is told to the child, Ctrl-C on it interrupts it") {
  command c = command::shell("trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done");
  process p = spawn(c.terminal());
  std::string seen = co_await read_until(p.terminal(), "ready\r\n");
  CHECK(seen == "ready\r\n");
  p.resize_terminal({.columns = 100, .rows = 30});
  seen = co_await read_until(p.terminal(), "\r\n");
  CHECK(seen == "30 100\r\n");
  co_await p.terminal().write("\x03");
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::signaled(SIGINT));
  process plain = spawn(command("true"));
  CHECK_THROWS_WITH_AS(plain.resize_terminal({}), "use terminal of true: there is none", error);
  co_await plain.wait();
}

CUVEE_TEST_CASE("process: all that a child writes to its terminal before it ends arrives") {
  for (int round = 0; round < 5; round++) {
    process p = spawn(command("seq", "1", "5000").terminal());
    process_result r = co_await p.communicate();
    CHECK(r.out.size() == 28893);  // each line with its carriage return
    CHECK(r.out.ends_with("\r\n4999\r\n5000\r\n"));
  }
}

CUVEE_TEST_CASE("process: a terminal with a pipe beside it, collected by communicate") {
  command c = command::shell("echo shown; echo apart >&2; test -t 0");
  process p = spawn(c.terminal().err(stdio::pipe));
  process_result r = co_await p.communicate();
  CHECK(r.out == "shown\r\n");
  CHECK(r.err == "apart\n");
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("run_process: check throws what failed, how, and its last words") {
  process_result good = co_await run_process(command("true"));
  CHECK(&good.check() == &good);
  command c = command::shell("echo first >&2; echo the last word >&2; exit 3");
  process_result r = co_await run_process(c, capture::err);
  std::string text, tail;
  try {
    r.check();
  } catch (const process_error& e) {
    text = e.what();
    tail = e.err_tail();
    CHECK(e.status() == exit_status::exited(3));
    CHECK(e.code() == errc::process_failed);
    CHECK(e.operation() == "run");
  }
  CHECK(
      text ==
      "run /bin/sh -c echo first >&2; echo the last word >&2; exit 3: exit code 3: the last word");
  CHECK(tail == "first\nthe last word\n");
  r = co_await run_process(command::shell("kill -9 $$"));
  CHECK_THROWS_WITH_AS(r.check(), "run /bin/sh -c kill -9 $$: signal 9 (Killed)", process_error);
  r = co_await run_process(command::shell("head -c 10000 /dev/zero | tr '\\0' x >&2; exit 1"),
                           capture::err);
  try {
    r.check();
  } catch (const process_error& e) {
    CHECK(e.err_tail() == std::string(4096, 'x'));
  }
}

CUVEE_TEST_CASE("process: a child that somebody else reaps has an unknown status") {
  process p = spawn(command("true"));
  siginfo_t info{};
  CHECK(waitid(P_PID, static_cast<id_t>(p.pid()), &info, WEXITED) == 0);
  p.kill();  // is known to nobody yet, and reaches nobody
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::unknown());
  CHECK_FALSE(s.success());
  CHECK_FALSE(s.code());
  CHECK_FALSE(s.signal());
  CHECK(s.to_string() == "reaped by somebody else, status unknown");
}

TEST_CASE("process: a loop that ends with a live child says so in debug mode") {
  std::string said;
  {
    std::optional<process> outlives;
    loop l;
    l.set_debug(true);
    l.on_report([&](const report& r) { said += r.message + "\n"; });
    l.run([&]() -> task<> {
      outlives.emplace(spawn(command("sleep", "60")));
      co_return;
    });
  }
  CHECK(said.find("process") != said.npos);
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("process: 10 MiB both ways at once") {
  std::string data = pattern(10 * 1024 * 1024);
  process_result r = co_await run_process(command("cat"), capture::all, data);
  bool same = r.out == data;
  CHECK(same);
  command both = command::shell("tee /dev/stderr");
  r = co_await run_process(both, capture::all, data);
  same = r.out == data && r.err == data;
  CHECK(same);
}

TEST_SUITE_END();
