// SPDX-License-Identifier: MIT
// Runs of console, at a terminal and without one.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string sample() {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + "/console";
}

// `$0` is the program.
task<process_result> shell(std::string_view script) {
  command c("/bin/sh", "-c", script, sample());
  co_return co_await timeout(20s, run_process(c, capture::all));
}

task<std::string> shown_until(stream& s, std::string_view last) {
  std::string all;
  char byte;
  mutable_bytes room(&byte, 1);
  while (!all.ends_with(last)) {
    std::size_t n = co_await timeout(20s, s.read_some(room));
    if (n == 0) break;
    all += byte;
  }
  co_return all;
}

}  // namespace

CUVEE_TEST_CASE("samples: console explains itself, and refuses what it does not know") {
  process_result r = co_await run_process(command(sample(), "--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: console"));
  r = co_await run_process(command(sample(), "--nonsense"), capture::all);
  CHECK(r.status == exit_status::exited(2));
}

CUVEE_TEST_CASE("samples: console takes commands from a pipe, a file and /dev/null") {
  process_result r = co_await shell(
      "printf 'echo a\\nsize\\nsecret\\nxyz\\nnonsense\\nquit\\necho b\\n' | \"$0\"");
  CHECK(r.status.success());
  CHECK(r.out.starts_with("a\nthere is no window\n3 bytes\necho TEXT"));
  CHECK(r.out.find("\nb\n") == r.out.npos);
  r = co_await shell("\"$0\" </dev/null");
  CHECK(r.status.success());
  CHECK(r.out == "");
  r = co_await shell("\"$0\" <<END\necho from a file\nEND\n");
  CHECK(r.out == "from a file\n");
}

CUVEE_TEST_CASE("samples: console names the stream that is closed, and a pipe that is broken") {
  process_result r = co_await shell("\"$0\" <&-");
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err == "console: error: open stdin: it is closed (EBADF)\n");
  r = co_await shell("echo size | \"$0\" >&-");
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err == "console: error: open stdout: it is closed (EBADF)\n");
  r = co_await shell("(yes echo x | \"$0\"; echo \"ended with $?\" >&2) | head -n 1");
  CHECK(r.out == "x\n");
  CHECK(r.err == "console: error: write stdout: broken pipe (EPIPE)\nended with 1\n");
}

CUVEE_TEST_CASE("samples: console leaves no O_NONBLOCK to those who share its streams") {
  int in[2], out[2];
  REQUIRE(pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  process p = spawn(command(sample()).in_fd(in[0]).out_fd(out[1]));
  REQUIRE(::write(in[1], "echo x\n", 7) == 7);
  shared_stream screen(out[0]);
  std::string shown = co_await shown_until(screen, "x\n");
  CHECK(shown == "x\n");
  CHECK((fcntl(in[0], F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(out[1], F_GETFL) & O_NONBLOCK) == 0);
  ::close(in[1]);
  exit_status end = co_await timeout(20s, p.wait());
  CHECK(end.success());
  CHECK((fcntl(in[0], F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(out[1], F_GETFL) & O_NONBLOCK) == 0);
  for (int fd : {in[0], out[0], out[1]}) ::close(fd);
}

CUVEE_TEST_CASE("samples: console has a prompt at a terminal, and what timers print beside it") {
  command c(sample());
  c.terminal().env("TERM", "xterm").env("HOME", "/nonexistent");
  process p = spawn(c);
  pipe_stream& t = p.terminal();
  co_await shown_until(t, "console> ");
  co_await t.write("every 0.02 tick\r");
  std::string shown = co_await shown_until(t, "1: tick\r\n");
  CHECK(shown.ends_with("1: tick\r\n"));
  for (int i = 0; i < 3; i++) {
    shown = co_await shown_until(t, "tick\r\n");
    CHECK(shown.ends_with("tick\r\n"));
  }
  co_await shown_until(t, "console> ");
  co_await t.write("stop 1\r");
  co_await t.write("list\r");
  shown = co_await shown_until(t, "nothing\r\n");
  CHECK(shown.ends_with("nothing\r\n"));
  co_await shown_until(t, "console> ");
  co_await t.write("quit\r");
  exit_status end = co_await timeout(20s, p.wait());
  CHECK(end.success());
}

CUVEE_TEST_CASE("samples: console ends by Ctrl-C at its prompt") {
  command c(sample());
  c.terminal().env("TERM", "dumb");
  process p = spawn(c);
  co_await shown_until(p.terminal(), "console> ");
  co_await p.terminal().write("\003");
  exit_status end = co_await timeout(20s, p.wait());
  CHECK(end == exit_status::exited(130));
}
