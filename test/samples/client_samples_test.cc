// SPDX-License-Identifier: MIT
// fetch and scraper against cuvee's own servers, and nginx.
#include "peer.h"

#include <cuvee/http/server.h>
#include <cuvee/testing/doctest.h>

#include <algorithm>
#include <sstream>

using namespace cuvee;
using namespace peers;
using namespace std::chrono_literals;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

constexpr const char* hello_digest =
    "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f";

http::app make_app() {
  http::app app;
  app.get("/hello", [] { return "Hello, World!"; });
  app.get("/gone", [] { return http::response(404, "Hello, World!"); });
  app.get("/moved", [] { return http::response(302).header("Location", "/hello"); });
  app.get("/again", [] { return http::response(302).header("Location", "/again"); });
  app.get("/never", []() -> task<http::response> {
    co_await forever();
    co_return http::response();
  });
  app.any("/echo", [](http::request& req) -> task<http::response> {
    std::string text(http::to_string(req.method()));
    text.append(" ").append(req.header("X-Test").value_or("-")).append(" ");
    text.append(req.header("Content-Type").value_or("-")).append(" ");
    std::string body = co_await req.body().text();
    co_return http::response(text + body);
  });
  return app;
}

/// Runs `use(base_url)` beside a server of this process.
template <class Use>
task<> with_app(Use use) {
  http::app app = make_app();
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string base = "http://" + l.local().to_string();
  http::serve_options options;
  options.shutdown_timeout = 1ms;  // some handlers never end
  co_await any_of(http::serve(app, std::move(l), options), use(base));
}

std::string refused_url() { return "http://127.0.0.1:" + std::to_string(free_port()) + "/"; }

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

CUVEE_TEST_CASE("samples: fetch and scraper explain themselves and refuse nonsense") {
  for (std::string name : {"fetch", "scraper"}) {
    process_result r = co_await run_process(command(sample(name), "--help"), capture::all);
    CHECK(r.status.success());
    CHECK(r.out.starts_with("usage: " + name));
    r = co_await run_process(command(sample(name)), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err == name + ": missing URL...\n");
  }
  command method(sample("fetch"), "-X", "get", "http://127.0.0.1/");
  process_result r = co_await run_process(method, capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "fetch: -X: get is not a method (names are upper case)\n");
}

CUVEE_TEST_CASE("samples: fetch shows bodies, heads and sends what it is told") {
  auto use = [](std::string base) -> task<> {
    command plain(sample("fetch"), base + "/moved", base + "/hello");
    process_result r = co_await run_process(plain, capture::all);
    CHECK(r.status.success());
    CHECK(r.out == "Hello, World!Hello, World!");
    command with_head(sample("fetch"), "-i", base + "/hello");
    r = co_await run_process(with_head, capture::all);
    CHECK(r.out.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(r.out.ends_with("\r\n\r\nHello, World!"));
    command data(sample("fetch"), "-d", "a=1", "-H", "X-Test: yes", base + "/echo");
    r = co_await run_process(data, capture::all);
    CHECK(r.out == "POST yes application/x-www-form-urlencoded a=1");
    command put(sample("fetch"), "-X", "PUT", "-d", "{}", "-H", "Content-Type:text/x",
                base + "/echo");
    r = co_await run_process(put, capture::all);
    CHECK(r.out == "PUT - text/x {}");
    temporary_folder folder;
    std::string name = folder.path() + "/out";
    command to_file(sample("fetch"), "-o", name, base + "/hello");
    r = co_await run_process(to_file, capture::all);
    CHECK(r.status.success());
    CHECK(std::filesystem::file_size(name) == 13);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("samples: Ctrl-C ends a scraper that waits") {
  auto use = [](std::string base) -> task<> {
    process p =
        spawn(command(sample("scraper"), base + "/hello", base + "/never").out(stdio::pipe));
    char text[256];
    co_await p.out().read_some(text);
    p.kill(SIGINT);
    exit_status end = co_await timeout(5s, p.wait());
    CHECK(end == exit_status::exited(130));
  };
  co_await with_app(use);
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("samples: fetch --summary, a line per URL whatever happens to it") {
  auto use = [](std::string base) -> task<> {
    std::string gone = refused_url();
    command c(sample("fetch"), "--summary", "--max-redirects=2", "--max-time=2", "--max-body=20",
              base + "/hello", base + "/gone", base + "/again", gone, base + "/never", "x:y",
              base + "/moved");
    process_result r = co_await run_process(c, capture::all);
    CHECK(r.status == exit_status::exited(1));
    CHECK(r.err.empty());
    CHECK(r.out == std::string("ok 200 13 ") + hello_digest + "\nok 404 13 " + hello_digest +
                       "\nerror get " + base + "/again: more than 2 redirects\nerror get " + gone +
                       ": connection refused (ECONNREFUSED)\nerror get " + base +
                       "/never: total time ran out\nerror parse url \"x:y\": only http and https "
                       "URLs are supported\nok 200 13 " +
                       hello_digest + "\n");
    command large(sample("fetch"), "--max-body", "12", base + "/hello");
    r = co_await run_process(large, capture::all);
    CHECK(r.status == exit_status::exited(1));
    CHECK(r.err == "fetch: get " + base + "/hello: the body is larger than 12 bytes\n");
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("samples: scraper, one line per URL and totals; failures do not stop it") {
  auto use = [](std::string base) -> task<> {
    std::string gone = refused_url();
    command c(sample("scraper"), "--concurrency", "2", "--timeout", "2", base + "/hello", gone,
              base + "/none", base + "/never", base + "/moved");
    process_result r = co_await run_process(c, capture::all);
    CHECK(r.status == exit_status::exited(1));
    auto out = sorted_lines(r.out);
    REQUIRE(out.size() == 3);
    CHECK(out[0].starts_with("Downloaded 2 of 5 URLs, 26 bytes in "));
    CHECK(out[1] == "Downloaded " + base + "/hello, size 13");
    CHECK(out[2] == "Downloaded " + base + "/moved, size 13");
    std::vector<std::string> err = {
        "scraper: get " + base + "/never: total time ran out",
        "scraper: get " + base + "/none: 404 Not Found",
        "scraper: get " + gone + ": connection refused (ECONNREFUSED)",
    };
    std::sort(err.begin(), err.end());
    std::string expected;
    for (const std::string& line : err) expected += line + '\n';
    std::string said;
    for (const std::string& line : sorted_lines(r.err)) said += line + '\n';
    CHECK(said == expected);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("samples: scraper with nginx, tells the sizes that curl tells") {
  auto nginx = co_await start_nginx("/usr/share/doc");
  if (!nginx && skipped("nginx")) co_return;
  if (!std::filesystem::exists("/usr/bin/curl") && skipped("curl")) co_return;
  command scraper(sample("scraper")),
      curl("/usr/bin/curl", "-s", "-w", "Downloaded %{url_effective}, size %{size_download}\\n");
  for (const auto& [name, size] : some_files("/usr/share/doc", 200)) {
    scraper.arg(nginx->url(name));
    curl.arg("-o").arg("/dev/null").arg(nginx->url(name));
  }
  process_result ours = co_await run_process(scraper, capture::all);
  process_result theirs = co_await run_process(curl, capture::all);
  CHECK(ours.status.success());
  CHECK(ours.err.empty());
  auto got = sorted_lines(ours.out);
  got.erase(got.begin());  // the totals: digits come before "http"
  CHECK(got == sorted_lines(theirs.out));
  co_await nginx->stop();
}

CUVEE_TEST_CASE("samples: fetch with httpbin, through redirects and chunks") {
  auto httpbin = co_await start_httpbin();
  if (!httpbin && skipped("httpbin")) co_return;
  command c(sample("fetch"), "--summary", httpbin->url("/redirect/5"),
            httpbin->url("/stream-bytes/5000?seed=1&chunk_size=100"), httpbin->url("/status/500"),
            httpbin->url("/redirect/11"));
  process_result r = co_await run_process(c, capture::all);
  CHECK(r.status == exit_status::exited(1));
  std::istringstream lines(r.out);
  std::string line;
  for (const char* start : {"ok 200 ", "ok 200 5000 ", "ok 500 0 ", "error get "}) {
    std::getline(lines, line);
    CHECK(line.starts_with(start));
  }
  co_await httpbin->stop();
}

TEST_SUITE_END();
