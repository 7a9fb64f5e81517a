// SPDX-License-Identifier: MIT
// Smoke runs of hello_tasks, generator, run_commands and echo_server.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

task<std::string> read_line(stream& s) {
  std::string line;
  char c = 0;
  mutable_bytes room(&c, 1);
  while (line.empty() || line.back() != '\n') {
    std::size_t n = co_await s.read_some(room);
    if (n == 0) break;
    line += c;
  }
  co_return line;
}

struct echo_process {
  process child;
  std::uint16_t port;
};
task<echo_process> start_echo() {
  process p = spawn(command(sample("echo_server"), "--port", "0").out(stdio::pipe).err(to_stdout));
  std::string line = co_await read_line(p.out());
  std::string expected = "listening on 127.0.0.1:";
  REQUIRE(line.starts_with(expected));
  int port = std::atoi(line.c_str() + expected.size());
  co_return echo_process{std::move(p), static_cast<std::uint16_t>(port)};
}

}  // namespace

CUVEE_TEST_CASE("samples: each explains itself, and an unknown option is one line and status 2") {
  for (std::string name : {"hello_tasks", "generator", "run_commands", "echo_server"}) {
    process_result r = co_await run_process(command(sample(name), "--help"), capture::all);
    CHECK(r.status.success());
    CHECK(r.out.starts_with("usage: " + name));
    CHECK(r.err.empty());
    r = co_await run_process(command(sample(name), "--nonsense"), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err == name + ": unknown option --nonsense (see --help)\n");
  }
}

CUVEE_TEST_CASE("samples: output that is lost is an error") {
  command full(sample("hello_tasks"));
  full.out_to("/dev/full");
  process_result r = co_await run_process(full, capture::err);
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err == "hello_tasks: write stdout: No space left on device\n");
}

CUVEE_TEST_CASE("samples: echo_server refuses a port that is no number, and one that is taken") {
  command wrong(sample("echo_server"), "--port=70000");
  process_result r = co_await run_process(wrong, capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "echo_server: --port: 70000 is not a number from 0 to 65535\n");

  tcp_listener taken = listen(endpoint("127.0.0.1", 0));
  std::string port = std::to_string(taken.local().port());
  r = co_await run_process(command(sample("echo_server"), "--port", port), capture::all);
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err ==
        "echo_server: error: listen 127.0.0.1:" + port + ": address already in use (EADDRINUSE)\n");
}

CUVEE_TEST_CASE(
    "samples: echo_server sends back what it gets, survives a reset, ends with Ctrl-C") {
  echo_process server = co_await start_echo();
  endpoint at("127.0.0.1", server.port);
  tcp_stream rude = co_await connect(at);
  co_await rude.write(std::string(100000, 'x'));
  rude.abort();

  tcp_stream s = co_await connect(at);
  std::string sent(1'000'000, 'y'), got, piece(65536, '\0');
  auto send = [&]() -> task<> {
    co_await s.write(sent);
    co_await s.shutdown_write();
  };
  auto receive = [&]() -> task<> {
    while (std::size_t n = co_await s.read_some(piece)) got.append(piece, 0, n);
  };
  co_await gather(send(), receive());
  bool same = got == sent;
  CHECK(same);

  tcp_stream idle = co_await connect(at);
  server.child.kill(SIGINT);
  exit_status end = co_await timeout(5s, server.child.wait());
  CHECK(end == exit_status::exited(130));
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("samples: hello_tasks prints hi 2, then hi 1") {
  process_result r = co_await run_process(command(sample("hello_tasks")), capture::merged);
  CHECK(r.status.success());
  CHECK(r.out == "hi 2\nhi 1\n");
}

CUVEE_TEST_CASE("samples: generator prints ticks, a pipe, a merge and squares in order") {
  process_result r = co_await run_process(command(sample("generator")), capture::merged);
  CHECK(r.status.success());
  CHECK(r.out == "tick 1\ntick 2\ntick 3\neven: 2 4 6\nmerged: 1 11 2 12\nsquares: 1 4 9 16 25\n");
}

CUVEE_TEST_CASE("samples: run_commands prints as the introduction does") {
  process_result r = co_await run_process(command(sample("run_commands")), capture::merged);
  CHECK(r.status.success());
  CHECK(r.out ==
        "Executing: sleep 1\nExecuting: echo hello\n"
        "Done with echo hello: hello\n\nDone with sleep 1: \n");
}

CUVEE_TEST_CASE("samples: Ctrl-C ends run_commands and its children") {
  process p = spawn(command(sample("run_commands")).out(stdio::pipe));
  std::string line;
  while (line != "Done with echo hello: hello\n") line = co_await read_line(p.out());
  p.kill(SIGINT);
  exit_status end = co_await p.wait();
  CHECK(end == exit_status::exited(130));
}

TEST_SUITE_END();
