// SPDX-License-Identifier: MIT
// The samples that speak TLS, against each other and against curl and openssl.
#include "test_ca.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace peers;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

command with_certificate(std::string_view name) {
  const test_ca::leaf& own = test_ca::server_leaf();
  return command(sample(name), "--port", "0", "--cert", own.certificate, "--key", own.key);
}

struct server {
  process child;
  std::string at;  // what it says it listens on

  task<> stop() {
    child.kill(SIGINT);
    exit_status status = co_await child.wait();
    CHECK((status.success() || status.code() == 130));
  }
};

task<server> start(command c) {
  process p = spawn(c.out(stdio::pipe));
  std::string line;
  char piece[256];
  while (!line.ends_with('\n')) {
    std::size_t n = co_await p.out().read_some(piece);
    if (n == 0) throw std::runtime_error("the sample did not start");
    line.append(piece, n);
  }
  REQUIRE(line.starts_with("listening on "));
  co_return server{std::move(p), line.substr(13, line.size() - 14)};
}

task<process_result> run(command c) { co_return co_await run_process(std::move(c), capture::all); }

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("samples: httpbin serves https to fetch, scraper and curl") {
  server s = co_await start(with_certificate("httpbin"));
  REQUIRE(s.at.starts_with("https://127.0.0.1:"));
  const std::string& ca = test_ca::shared().file();
  process_result r = co_await run(command(sample("fetch"), "--cacert", ca, s.at + "/get?a=1"));
  CHECK_MESSAGE(r.status.success(), r.err);
  CHECK(r.out.find("\"url\":\"" + s.at + "/get?a=1\"") != std::string::npos);
  r = co_await run(command(sample("fetch"), s.at + "/get"));
  CHECK(r.status.code() == 1);
  CHECK(r.err ==
        "fetch: get " + s.at + "/get: the certificate's issuer is not trusted (CN=server)\n");
  r = co_await run(command(sample("fetch"), "--insecure", s.at + "/redirect/2?absolute=true"));
  CHECK_MESSAGE(r.status.success(), r.err);
  r = co_await run(command(sample("scraper"), "--cacert", ca, s.at + "/html", s.at + "/json",
                           s.at + "/bytes/100000"));
  CHECK_MESSAGE(r.status.success(), r.err);
  CHECK(r.out.find("Downloaded 3 of 3 URLs") != std::string::npos);
  if (std::filesystem::exists("/usr/bin/curl") || !skipped("curl")) {
    r = co_await run(command("curl", "-sS", "--cacert", ca, "-d", "a=1", s.at + "/post"));
    CHECK_MESSAGE(r.status.success(), r.err);
    CHECK(r.out.find("\"a\":\"1\"") != std::string::npos);
  }
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: http_hello serves https with several workers") {
  server s = co_await start(with_certificate("http_hello").arg("--workers").arg("2"));
  for (int i = 0; i < 5; i++) {
    process_result r =
        co_await run(command(sample("fetch"), "--cacert", test_ca::shared().file(), s.at));
    CHECK(r.out == "Hello, World!");
  }
  co_await s.stop();
  process_result r = co_await run(command(sample("http_hello"), "--cert", "x"));
  CHECK(r.status.code() == 2);
  CHECK(r.err == "http_hello: --cert and --key go together\n");
  r = co_await run(command(sample("http_hello"), "--cert", "/nowhere", "--key", "/nowhere"));
  CHECK(r.status.code() == 1);
  CHECK(r.err == "http_hello: error: read /nowhere: no such file or directory (ENOENT)\n");
}

CUVEE_TEST_CASE("samples: tls_echo sends back what it gets, over TLS only") {
  server s = co_await start(with_certificate("tls_echo").err(stdio::pipe));
  command client("openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", s.at, "-CAfile",
                 test_ca::shared().file(), "-verify_return_error");
  process c = spawn(client.in(stdio::pipe).out(stdio::pipe).err(stdio::null));
  co_await c.in().write("hello\n");
  char back[6];
  std::size_t n = co_await c.out().read_some(back);
  CHECK(std::string_view(back, n) == "hello\n");
  co_await c.in().close();
  exit_status status = co_await c.wait();
  CHECK(status.success());
  co_await s.stop();
  process_result r = co_await run(command(sample("tls_echo")));
  CHECK(r.status.code() == 2);
  CHECK(r.err == "tls_echo: --cert and --key are needed (see --help)\n");
}

TEST_SUITE_END();
