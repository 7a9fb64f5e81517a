// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

command executor() {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return command(std::string(folder ? folder : ".") + "/executor");
}

}  // namespace

CUVEE_TEST_CASE("samples: executor counts primes, and tells its parts from their threads") {
  command small = executor();
  small.arg("--below").arg("10000").arg("--threads").arg("2");
  process_result r = co_await run_process(small, capture::all);
  CHECK(r.status.success());
  CHECK(r.err.empty());
  CHECK(r.out.starts_with("counting on 2 threads\n"));
  CHECK(r.out.find("8750 to 10000: done\n") != std::string::npos);
  CHECK(r.out.ends_with("1229 primes below 10000\n"));
}

CUVEE_TEST_CASE("samples: executor explains itself, and an unknown option is status 2") {
  command help = executor();
  process_result r = co_await run_process(help.arg("--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: executor"));
  command wrong = executor();
  r = co_await run_process(wrong.arg("--threads=0"), capture::all);
  CHECK(r.status == exit_status::exited(2));
}

CUVEE_TEST_CASE("samples: Ctrl-C ends the jobs of executor") {
  command endless = executor();
  endless.arg("--below").arg("1000000000000").out(stdio::pipe);
  process p = spawn(endless);
  std::string text(64, '\0');
  std::size_t n = co_await p.out().read_some(text);
  CHECK(text.starts_with("counting"));
  CHECK(n > 0);
  p.kill(SIGINT);
  exit_status end = co_await timeout(30s, p.wait());
  CHECK(end == exit_status::exited(130));
}
