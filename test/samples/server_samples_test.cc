// SPDX-License-Identifier: MIT
// http_hello, http_echo and httpbin as programs: their command lines, and curl, wrk, Node and Python as their
// clients, where these are installed.
#include "peer.h"

#include <cuvee/testing/doctest.h>

#include <nlohmann/json.hpp>

using namespace cuvee;
using namespace peers;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

/// A sample that serves.
struct server {
  process child;
  std::string base;  // http://127.0.0.1:port

  task<exit_status> stop(int signal = SIGINT) {
    child.kill(signal);
    co_return co_await child.wait();
  }
};

task<server> start(command c) {
  process p = spawn(c.arg("--port").arg("0").out(stdio::pipe));
  std::string line;
  char piece[256];
  while (!line.ends_with('\n')) {
    std::size_t n = co_await p.out().read_some(piece);
    if (n == 0) throw std::runtime_error("the sample did not start");
    line.append(piece, n);
  }
  REQUIRE(line.starts_with("listening on http://127.0.0.1:"));
  co_return server{std::move(p), line.substr(13, line.size() - 14)};
}

bool installed(const char* program) {
  return std::filesystem::exists(std::string("/usr/bin/") + program);
}

/// What a program prints; it must succeed.
task<std::string> output_of(command c) {
  std::string text = c.to_string();
  process_result r = co_await run_process(std::move(c), capture::all);
  CAPTURE(text);
  CHECK_MESSAGE(r.status.success(), (r.status.to_string() + ": " + r.err));
  co_return r.out;
}

command curl(std::string_view url) { return command("curl", "-sS", "--max-time", "60", url); }

std::string replaced(std::string text, const std::string& what, std::string_view with) {
  for (std::size_t at; (at = text.find(what)) != text.npos;) text.replace(at, what.size(), with);
  return text;
}

std::string make_file(const temporary_folder& folder, std::size_t size) {
  std::string name = folder.path() + "/upload";
  std::string block(1 << 16, '\0');
  for (std::size_t i = 0; i < block.size(); i++) block[i] = static_cast<char>(i * 131 + i / 251);
  std::ofstream file(name, std::ios::binary);
  for (std::size_t left = size; left > 0;) {
    std::size_t n = std::min(left, block.size());
    block[0]++;  // no two blocks are equal
    file.write(block.data(), static_cast<std::streamsize>(n));
    left -= n;
  }
  return name;
}

template <class... Options>
task<> upload_and_compare(const server& s, std::size_t size, Options... options) {
  temporary_folder folder;
  std::string file = make_file(folder, size), copy = folder.path() + "/copy";
  command c = curl(s.base + "/any/path?x");
  c.arg("-o").arg(copy).arg("-w").arg("%{http_code} %{size_download}");
  (c.arg(options), ...);
  std::string seen = co_await output_of(c.arg("--data-binary").arg("@" + file));
  CHECK(seen == "200 " + std::to_string(size));
  co_await output_of(command("cmp", file, copy));
}

[[maybe_unused]] std::size_t peak_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  return 0;
}

}  // namespace

CUVEE_TEST_CASE("samples: the HTTP servers explain themselves and refuse what they cannot do" *
                doctest::test_suite("slow")) {
  tcp_listener taken = listen(endpoint("127.0.0.1", 0));
  std::string port = std::to_string(taken.local().port());
  for (std::string name : {"http_hello", "http_echo", "httpbin"}) {
    process_result r = co_await run_process(command(sample(name), "--help"), capture::all);
    CHECK(r.status.success());
    CHECK(r.out.starts_with("usage: " + name));
    r = co_await run_process(command(sample(name), "--port", "x"), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err == name + ": --port: x is not a number from 0 to 65535\n");
    for (std::string_view workers : {"1", "2"}) {
      command c(sample(name), "--port", port, "--workers", workers);
      r = co_await run_process(c, capture::all);
      CHECK(r.status == exit_status::exited(1));
      CHECK(r.out.empty());
      CHECK(r.err.find("listen 127.0.0.1:" + port + ": address already in use") != r.err.npos);
      CHECK(std::count(r.err.begin(), r.err.end(), '\n') == 1);
    }
  }
}

CUVEE_TEST_CASE("samples: the HTTP servers end cleanly on SIGINT and SIGTERM, with workers, too") {
  for (std::string_view workers : {"1", "3"}) {
    for (int signal : {SIGINT, SIGTERM}) {
      server s = co_await start(command(sample("http_hello"), "--workers", workers));
      exit_status end = co_await s.stop(signal);
      CHECK(end == exit_status::exited(0));
    }
  }
}

CUVEE_TEST_CASE("samples: http_hello says hello to curl") {
  if (!installed("curl") && skipped("curl")) co_return;
  server s = co_await start(command(sample("http_hello"), "--workers", "2"));
  std::string text = co_await output_of(curl(s.base + "/").arg("-i"));
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(text.find("\r\nContent-Type: text/plain\r\n") != text.npos);
  CHECK(text.ends_with("\r\n\r\nHello, World!"));
  std::string status = co_await output_of(
      curl(s.base + "/x").arg("-o").arg("/dev/null").arg("-w").arg("%{http_code}"));
  CHECK(status == "404");
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: http_echo sends curl's uploads back" * doctest::test_suite("slow")) {
  if (!installed("curl") && skipped("curl")) co_return;
  server s = co_await start(command(sample("http_echo")));
  co_await upload_and_compare(s, 1 << 20);
  co_await upload_and_compare(s, 1 << 20, "-H", "Transfer-Encoding: chunked");
  co_await upload_and_compare(s, 1 << 20, "-H", "Expect: 100-continue");
  co_await upload_and_compare(s, 1 << 20, "-H", "Expect:", "-X", "PATCH");
  co_await upload_and_compare(s, 0);
  std::string head = co_await output_of(curl(s.base + "/").arg("-I"));
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  command typed = curl(s.base + "/");
  typed.arg("-H")
      .arg("Content-Type: text/x-own")
      .arg("-d")
      .arg("a")
      .arg("-w")
      .arg("%{content_type}");
  std::string type = co_await output_of(typed);
  CHECK(type == "atext/x-own");
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: http_echo refuses bodies beyond --max-body") {
  if (!installed("curl") && skipped("curl")) co_return;
  server s = co_await start(command(sample("http_echo"), "--max-body", "3"));
  std::string fits = co_await output_of(curl(s.base + "/").arg("-d").arg("abc"));
  CHECK(fits == "abc");
  std::string beyond = co_await output_of(curl(s.base + "/").arg("-d").arg("abcd"));
  CHECK(beyond.starts_with("413 "));
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: http_echo streams 100 MiB in little memory" *
                doctest::test_suite("slow")) {
  if (!installed("curl") && skipped("curl")) co_return;
  server s = co_await start(command(sample("http_echo")));
  co_await upload_and_compare(s, 100 << 20);
  co_await upload_and_compare(s, 100 << 20, "-H", "Transfer-Encoding: chunked");
#if !CUVEE_ASAN
  CHECK(peak_kib(s.child.pid()) < 32 * 1024);
#endif
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: httpbin answers curl as Debian's httpbin does" *
                doctest::test_suite("slow")) {
  if (!installed("curl") && skipped("curl")) co_return;
  auto original = co_await start_httpbin();
  if (!original && skipped("httpbin")) co_return;
  server s = co_await start(command(sample("httpbin")));
  std::string base = original->url("");
  using words = std::vector<std::string>;
  const words requests[] = {
      {"/get"},
      {"/get?a=1&b=2&a=3&c"},
      {"/headers", "-H", "x-own: 1", "-H", "X-Own: 2"},
      {"/ip"},
      {"/user-agent", "-A", "me"},
      {"/anything/a/b?q=1", "-X", "PUT", "-d", "x=1&x=2"},
      {"/post", "-d", "a=1&b=2&a=3"},
      {"/post", "-H", "Content-Type: application/json", "-d", "[1]"},
      {"/put", "-X", "PUT", "-H", "Content-Type: text/plain", "-d", "text"},
      {"/patch", "-X", "PATCH", "-H", "Content-Type:", "-d", "\xff\xfe"},
      {"/delete", "-X", "DELETE"},
      {"/delay/0"},
      {"/status/404"},
      {"/status/302"},
      {"/redirect/3"},
      {"/redirect/2", "-L"},
      {"/absolute-redirect/2"},
      {"/absolute-redirect/2", "-L"},
      {"/base64/aGVsbG8gd29ybGQ="},
      {"/bytes/0"},
      {"/stream/2"},
      {"/post"},
      {"/nothing"},
      {"/response-headers?A=1&A=2&B=3"},
  };
  for (const words& request : requests) {
    words options(request.begin() + 1, request.end());
    words status = {"-w", "\n%{http_code} %{redirect_url} %{num_redirects}"};
    command theirs = curl(base + request[0]), ours = curl(s.base + request[0]);
    std::string expected = co_await output_of(theirs.args(options).args(status));
    std::string seen = co_await output_of(ours.args(options).args(status));
    expected = replaced(std::move(expected), base.substr(7), "HOST");
    seen = replaced(std::move(seen), s.base.substr(7), "HOST");
    CAPTURE(request[0]);
    CHECK(seen.substr(seen.rfind('\n')) == expected.substr(expected.rfind('\n')));
    json left = json::parse(expected.substr(0, expected.find('\n')), nullptr, false);
    json right = json::parse(seen.substr(0, seen.find('\n')), nullptr, false);
    if (request[0].starts_with(
            "/response-headers")) {  // its own length, which the host is no part of
      left.erase("Content-Length");
      right.erase("Content-Length");
    }
    bool pages = left.is_discarded() && right.is_discarded();  // these differ in their text
    CHECK((pages || left == right));
  }
  co_await s.stop();
  co_await original->stop();
}

CUVEE_TEST_CASE("samples: httpbin keeps its limits" * doctest::test_suite("slow")) {
  if (!installed("curl") && skipped("curl")) co_return;
  server s = co_await start(command(sample("httpbin")));
  struct row {
    std::string path, seen;
  };
  const row rows[] = {
      {"/bytes/5", "200 5"},
      {"/bytes/1000000", "200 102400"},
      {"/stream-bytes/30000", "200 30000"},
      {"/bytes/x", "404 14"},
      {"/redirect/0", "404 40"},
      {"/base64/x", "400 28"},
      {"/status/100", "400 54"},
      {"/delay/x", "400 50"},
  };
  for (const row& r : rows) {
    command c = curl(s.base + r.path);
    c.arg("-o").arg("/dev/null").arg("-w").arg("%{http_code} %{size_download}");
    std::string seen = co_await output_of(c);
    CAPTURE(r.path);
    CHECK(seen == r.seen);
  }
  std::string lines = co_await output_of(curl(s.base + "/stream/1000"));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 100);
  co_await s.stop();
}

CUVEE_TEST_CASE("samples: Node's fetch talks to http_echo and httpbin" *
                doctest::test_suite("slow")) {
  if (!installed("node") && skipped("node")) co_return;
  server echo = co_await start(command(sample("http_echo")));
  server bin = co_await start(command(sample("httpbin")));
  constexpr std::string_view script = R"(
const [echo, bin] = process.argv.slice(1);
const check = (what, ok) => { if (!ok) throw new Error(what); };
(async () => {
  const got = await (await fetch(bin + '/get?a=1')).json();
  check('args', got.args.a === '1');
  const body = 'x'.repeat(1 << 20);
  const back = await fetch(echo, { method: 'POST', body, headers: { 'content-type': 'a/b' } });
  check('type', back.headers.get('content-type') === 'a/b');
  check('echo', (await back.text()) === body);
  const pieces = new ReadableStream({
    start(c) { for (let i = 0; i < 50; i++) c.enqueue(new Uint8Array(10000).fill(i)); c.close(); },
  });
  const streamed = await fetch(echo, { method: 'PUT', body: pieces, duplex: 'half' });
  check('stream', (await streamed.arrayBuffer()).byteLength === 500000);
  check('redirect', (await fetch(bin + '/redirect/3')).url === bin + '/get');
  check('status', (await fetch(bin + '/status/418')).status === 418);
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => fetch(bin + '/bytes/' + i)));
  for (const [i, r] of many.entries()) check('bytes', (await r.arrayBuffer()).byteLength === i);
  const head = await fetch(bin + '/json', { method: 'HEAD' });
  check('head', head.ok && (await head.text()) === '');
  console.log('all well');
})().catch((e) => { console.error(e); process.exit(1); });
)";
  std::string text = co_await output_of(command("node", "-e", script, echo.base, bin.base));
  CHECK(text == "all well\n");
  co_await echo.stop();
  co_await bin.stop();
}

CUVEE_TEST_CASE("samples: Python's requests talk to http_echo and httpbin" *
                doctest::test_suite("slow")) {
  constexpr const char* package = "/usr/lib/python3/dist-packages/requests";
  if (!std::filesystem::exists(package) && skipped("requests")) co_return;
  server echo = co_await start(command(sample("http_echo")));
  server bin = co_await start(command(sample("httpbin")));
  constexpr std::string_view script = R"(
import requests, sys
echo, bin = sys.argv[1:]
with requests.Session() as s:
    assert s.get(bin + "/get", params={"a": [1, 2]}).json()["args"] == {"a": ["1", "2"]}
    assert s.post(bin + "/post", data={"k": "v"}).json()["form"] == {"k": "v"}
    assert s.post(bin + "/post", json={"k": [1]}).json()["json"] == {"k": [1]}
    assert s.get(bin + "/redirect/3").url == bin + "/get"
    body = bytes(range(256)) * 4096
    assert s.post(echo, data=body).content == body
    assert s.put(echo, data=(body[i:i + 9999] for i in range(0, len(body), 9999))).content == body
    lines = list(s.get(bin + "/stream/7", stream=True).iter_lines())
    assert len(lines) == 7
    assert s.get(bin + "/status/503").status_code == 503
    assert s.head(bin + "/bytes/9").headers["content-length"] == "9"
print("all well")
)";
  command c("/usr/bin/python3", "-c", script, echo.base, bin.base);
  std::string text = co_await output_of(c);
  CHECK(text == "all well\n");
  co_await echo.stop();
  co_await bin.stop();
}

CUVEE_TEST_CASE("samples: wrk finds no error in http_hello" * doctest::test_suite("slow")) {
  if (!installed("wrk") && skipped("wrk")) co_return;
  for (std::string_view workers : {"1", "2"}) {
    server s = co_await start(command(sample("http_hello"), "--workers", workers));
    std::string text = co_await output_of(command("wrk", "-t1", "-c32", "-d1s", s.base + "/"));
    CHECK(text.find("Requests/sec:") != text.npos);
    CHECK(text.find("Socket errors") == text.npos);
    CHECK(text.find("Non-2xx") == text.npos);
    co_await s.stop();
  }
}
