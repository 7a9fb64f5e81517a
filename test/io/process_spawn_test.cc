// SPDX-License-Identifier: MIT
// What a child is given: directory, environment, arguments and streams, and how spawning fails.
// A spawn cannot be cancelled before it returns (SUB-10): it is no awaitable.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

std::string spawn_failure(const command& c) {
  try {
    process p = spawn(c);
    return "";
  } catch (const error& e) {
    return e.what();
  }
}

}  // namespace

CUVEE_TEST_CASE("process: failed spawns do not disturb a child that lives") {
  process p = spawn(command("cat").in(stdio::pipe).out(stdio::pipe));
  for (int i = 0; i < 100; i++) {
    std::string text = spawn_failure(command("./no-such-program").out(stdio::pipe));
    CHECK(text == "spawn ./no-such-program: no such file or directory (ENOENT)");
  }
  process_result r = co_await p.communicate("x");
  CHECK(r.out == "x");
  co_await checkpoint();
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

CUVEE_TEST_CASE("process: spawn errors name the program, or the directory where that is at fault") {
  CHECK(spawn_failure(command("no-such-program")) ==
        "spawn no-such-program: no such file or directory (ENOENT)");
  CHECK(spawn_failure(command("true").cwd("/no/such/place")) ==
        "spawn true in /no/such/place: no such file or directory (ENOENT)");
  CHECK(spawn_failure(command("/etc/passwd").cwd("/")) ==
        "spawn /etc/passwd: permission denied (EACCES)");
  CHECK(spawn_failure(command("echo", std::string_view("a\0b", 3))) ==
        "spawn echo: an argument contains a NUL byte");
  CHECK(spawn_failure(command("true").env("A=B", "c")) ==
        "spawn true: not a name or value of an environment variable");
  CHECK(spawn_failure(command("true").cwd("")) == "spawn true: not a name of a directory");
  co_return;
}

CUVEE_TEST_CASE(
    "process: out of descriptors at any point of a spawn, an error and nothing is left") {
  struct limit {  // restores what it changed
    rlimit old{};
    limit() { getrlimit(RLIMIT_NOFILE, &old); }
    ~limit() { setrlimit(RLIMIT_NOFILE, &old); }
  };
  int next = dup(0);
  close(next);
  // UBSan needs descriptors of its own when it first sees a type.
  spawn_failure(command("no-such-program").in(stdio::pipe).out(stdio::pipe));
  int failed = 0;
  for (int spare = 0; spare < 14; spare++) {
    std::string text;
    {
      limit l;
      rlimit few = {static_cast<rlim_t>(next + spare), l.old.rlim_max};
      setrlimit(RLIMIT_NOFILE, &few);
      text = spawn_failure(command("cat").in(stdio::pipe).out(stdio::pipe).err(stdio::pipe));
    }
    if (!text.empty()) CHECK(text == "spawn cat: too many open files (EMFILE)");
    failed += !text.empty();
    co_await sleep(1ms);  // what was started is reaped, and its descriptors are closed
  }
  CHECK(failed >= 6);
  CHECK(failed < 14);
}

CUVEE_TEST_CASE("process: directory and environment are the command's") {
  command c = command::shell("pwd; echo \"$CUVEE_A|$CUVEE_B|${HOME+home}\"");
  c.cwd("/usr").env("CUVEE_A", "1").env("CUVEE_B", "").env("CUVEE_A", "2");
  process_result r = co_await run_process(c, capture::out);
  CHECK(r.out.starts_with("/usr\n2||"));
  c.clear_env().env("CUVEE_B", "x=y");
  r = co_await run_process(c, capture::out);
  CHECK(r.out == "/usr\n|x=y|\n");
  process_result empty = co_await run_process(command("/usr/bin/env").clear_env(), capture::out);
  CHECK(empty.out.empty());
}

CUVEE_TEST_CASE("process: arguments reach the program as they are") {
  std::vector<std::string> more = {"*", "a  b", "$HOME"};
  command c("printf", "<%s>", "", "\n");
  process_result r = co_await run_process(c.args(more).arg("'"), capture::out);
  CHECK(r.out == "<><\n><*><a  b><$HOME><'>");
  CHECK(c.to_string() == "printf <%s>  \n * a  b $HOME '");
}

CUVEE_TEST_CASE("process: stderr can be apart, null, or the same pipe as stdout in order") {
  command c = command::shell("echo out; echo err >&2; echo more");
  process_result r = co_await run_process(c, capture::all);
  CHECK(r.out == "out\nmore\n");
  CHECK(r.err == "err\n");
  r = co_await run_process(c, capture::merged);
  CHECK(r.out == "out\nerr\nmore\n");
  CHECK(r.err.empty());
  c.err(stdio::null);
  r = co_await run_process(c, capture::out);
  CHECK(r.out == "out\nmore\n");
  c.out(stdio::null);
  r = co_await run_process(c, capture::err);
  CHECK(r.err == "err\n");
  CHECK(r.out.empty());
}

CUVEE_TEST_CASE("process: a child can open its standard streams again by name") {
  command c = command::shell("cat /dev/stdin; echo err >/dev/stderr");
  process_result r = co_await run_process(c, capture::all, "in");
  CHECK(r.out == "in");
  CHECK(r.err == "err\n");
}

CUVEE_TEST_CASE("process: a child has the default SIGPIPE although the loop ignores it") {
  process p = spawn(command::shell("kill -PIPE $$; exit 1"));
  exit_status s = co_await p.wait();
  CHECK(s == exit_status::signaled(SIGPIPE));
}

// What a fork would do: the parent's pages are shared then, and each write to one faults. So a large
// parent starts children as fast as a small one, which no clock need measure.
CUVEE_TEST_CASE("process: starting a child copies nothing of the parent's memory") {
  constexpr std::size_t pages = 8192, page_bytes = 4096;
  void* memory =
      mmap(nullptr, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  madvise(memory, pages * page_bytes, MADV_NOHUGEPAGE);
  auto write_all = [&] {
    for (std::size_t i = 0; i < pages; i++) static_cast<volatile char*>(memory)[i * page_bytes] = 1;
  };
  auto faults = [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt;
  };
  write_all();
  process p = spawn(command("true"));
  auto before = faults();
  write_all();
  CHECK(faults() - before < static_cast<long>(pages) / 2);
  co_await p.wait();
  munmap(memory, pages * page_bytes);
}

CUVEE_TEST_CASE("process: a stream that is no pipe is refused") {
  process p = spawn(command("true").out(stdio::null));
  CHECK_THROWS_WITH_AS(p.out(), "use stdout of true: it is not a pipe", error);
  CHECK_THROWS_AS(p.in(), error);
  CHECK_THROWS_AS(p.err(), error);
  co_await p.wait();
}
