// SPDX-License-Identifier: MIT
// Smoke runs of udp_echo.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

command udp_echo() {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return command(std::string(folder ? folder : ".") + "/udp_echo");
}

}  // namespace

CUVEE_TEST_CASE("samples: udp_echo explains itself, and refuses what it does not know") {
  process_result r = co_await run_process(udp_echo().arg("--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: udp_echo [option]... [TEXT]...\n"));
  r = co_await run_process(udp_echo().arg("--nonsense"), capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "udp_echo: unknown option --nonsense (see --help)\n");
}

CUVEE_TEST_CASE("samples: udp_echo answers its own client and others, and ends with Ctrl-C") {
  process server = spawn(udp_echo().arg("--port").arg("0").out(stdio::pipe));
  buffered_reader lines(server.out());
  auto line = co_await lines.read_line();
  REQUIRE(line);
  std::string before = "listening on 127.0.0.1:";
  REQUIRE(line->starts_with(before));
  std::string port = line->substr(before.size());
  process_result r = co_await run_process(
      udp_echo().arg("--port").arg(port).arg("hello").arg("world"), capture::all);
  CHECK_MESSAGE(r.status.success(), r.err);
  CHECK(r.out == "hello\nworld\n");

  udp_socket client =
      connect_udp(endpoint("127.0.0.1", static_cast<std::uint16_t>(std::stoi(port))));
  std::string large(50'000, 'x');
  for (const std::string& text : {std::string(), large}) {
    co_await client.send(text);
    datagram answer = co_await timeout(10s, client.receive());
    CHECK(answer.data == text);
  }
  server.kill(SIGINT);
  exit_status end = co_await timeout(10s, server.wait());
  CHECK((end.success() || end.code() == 130));

  r = co_await run_process(udp_echo().arg("--port").arg(port).arg("anyone?"), capture::all);
  CHECK(r.status.code() == 1);
  CHECK(r.err.find("127.0.0.1:" + port + ": connection refused (ECONNREFUSED)\n") != r.err.npos);
}

CUVEE_TEST_CASE("samples: udp_echo gives up where nobody answers") {
  udp_socket silent = bind_udp(endpoint("127.0.0.1", 0));
  std::string port = std::to_string(silent.local().port());
  process_result r = co_await run_process(
      udp_echo().arg("--port").arg(port).arg("--wait").arg("0.01").arg("anyone?"), capture::all);
  CHECK(r.status.code() == 1);
  CHECK(r.err == "udp_echo: no answer from 127.0.0.1:" + port + "\n");
  datagram_batch asked(4, 100);
  std::size_t n = 0;
  while (n < 3) {
    std::size_t more = co_await silent.receive_batch(asked);
    n += more;
  }
  CHECK(n == 3);
}
