// SPDX-License-Identifier: MIT
#include "localhost.h"

#include <cuvee/io.h>
#include <cuvee/testing/doctest.h>

#include <cstdlib>

using namespace cuvee;

namespace {

template <class... Args>
command dns(const Args&... args) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return command(std::string(folder ? folder : ".") + "/dns", args...);
}

const std::string no_such_name = std::string(64, 'x') + ".invalid";  // is asked of nobody

}  // namespace

CUVEE_TEST_CASE("samples: dns explains itself and refuses what it does not know") {
  process_result r = co_await run_process(dns("--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: dns"));
  for (const char* wrong : {"--nonsense", "--at-once=0"}) {
    r = co_await run_process(dns(wrong), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err.starts_with("dns: "));
  }
  r = co_await run_process(dns(), capture::all);
  CHECK(r.status == exit_status::exited(2));
}

CUVEE_TEST_CASE("samples: dns looks up both ways, several at once" *
                doctest::skip(no_localhost())) {
  process_result r = co_await run_process(
      dns("-4", "-n", "2", "localhost", "127.0.0.1", "localhost"), capture::all);
  CHECK(r.err == "");
  CHECK(r.status.success());
  CHECK(r.out.find("localhost: 127.0.0.1\n") != std::string::npos);
  CHECK(r.out.find("127.0.0.1: ") != std::string::npos);
  r = co_await run_process(dns("-4", "--service", "8080", "localhost"), capture::all);
  CHECK(r.out == "localhost: 127.0.0.1:8080\n");
}

CUVEE_TEST_CASE("samples: dns says what it did not find, and goes on" *
                doctest::skip(no_localhost())) {
  process_result r =
      co_await run_process(dns("-4", "-n", "1", no_such_name, "localhost"), capture::all);
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.out == "localhost: 127.0.0.1\n");
  CHECK(r.err.starts_with("dns: resolve " + no_such_name + ": "));
}
