// SPDX-License-Identifier: MIT
// What servers may say, and what the client makes of it.
#include "scripted_server.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace scripted;
using namespace std::string_literals;

namespace {

struct refused {
  const char* name;
  std::string text;
  const char* why;
};

const refused malformed[] = {
    {"nothing", "", "the server closed without a response"},
    {"half a status line", "HTTP/1.1 2", "the response was cut short"},
    {"half a head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "the response was cut short"},
    {"not HTTP", "SSH-2.0-OpenSSH\r\n", "malformed status line"},
    {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "unsupported HTTP version"},
    {"HTTP/0.9 style", "<html>hi</html>", "malformed status line"},
    {"short body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "the body was cut short"},
    {"short chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
     "the body was cut short"},
    {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
     "the body was cut short"},
    {"negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n",
     ""},
    {"length 5x", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nabcde", ""},
    {"length +5", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nabcde", ""},
    {"length beyond 64 bits", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
     ""},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", ""},
    {"length list", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef", ""},
    {"length and chunked",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
    {"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", ""},
    {"NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s, ""},
    {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", ""},
    {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", ""},
    {"folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", ""},
    {"space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", ""},
    {"unasked 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     "switching protocols without being asked"},
    {"fields over 32 KiB", "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n",
     "header fields too large"},
};

std::string repeat(std::string_view text, int n) {
  std::string all;
  while (n-- > 0) all += text;
  return all;
}

}  // namespace

CUVEE_TEST_CASE(
    "client: a malformed response, is an error that names the request; nothing is pooled") {
  for (const refused& r : malformed) {
    CAPTURE(r.name);
    server s({{r.text, then::close}});
    http::client c;
    std::string text;
    auto use = [&]() -> task<> { text = co_await error_of(c.get(s.url())); };
    co_await s.during(use());
    CHECK(text.starts_with("get " + s.url() + ": "));
    CHECK(text.ends_with(r.why));
    CHECK(c.connections() == 0);
    CHECK(s.requests.size() == 1);
  }
}

CUVEE_TEST_CASE("client: the same by response stream, is an error of open or of the body") {
  for (const refused& r : malformed) {
    CAPTURE(r.name);
    server s({{r.text, then::close}});
    http::client c;
    std::string text;
    auto read = [&]() -> task<std::string> {
      auto response = co_await c.open(http::client_request(http::method::get, s.url()));
      co_return co_await response.body().text();
    };
    auto use = [&]() -> task<> { text = co_await error_of(read()); };
    co_await s.during(use());
    CHECK(text.starts_with("get " + s.url() + ": "));
    CHECK(text.ends_with(r.why));
    CHECK(c.connections() == 0);
  }
}

CUVEE_TEST_CASE("client: a reset in the middle, is an error with the system's code") {
  server s({{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", then::reset}});
  std::string text;
  auto use = [&]() -> task<> { text = co_await error_of(http::get(s.url())); };
  co_await s.during(use());
  CHECK(text == "get " + s.url() + ": connection reset by peer (ECONNRESET)");
}

CUVEE_TEST_CASE("client: informational responses, are skipped up to a bound") {
  std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  server s({{"HTTP/1.1 100 Continue\r\n\r\n" + ok("a")},
            {repeat(hint, 10) + ok("b")},
            {repeat(hint, 100), then::close}});
  http::client c;
  std::string text;
  auto use = [&]() -> task<> {
    auto a = co_await c.get(s.url());
    CHECK(a.body() == "a");
    auto b = co_await c.get(s.url());
    CHECK(b.body() == "b");
    text = co_await error_of(c.get(s.url()));
  };
  co_await s.during(use());
  CHECK(s.connections == 1);
  CHECK(text == "get " + s.url() + ": too many informational responses");
}

CUVEE_TEST_CASE("client: a body without a length, ends with the connection") {
  server s({{"HTTP/1.1 200 OK\r\n\r\nall of it", then::close}});
  http::client c;
  auto use = [&]() -> task<> {
    auto page = co_await c.get(s.url());
    CHECK(page.body() == "all of it");
    CHECK(c.connections() == 0);
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("client: HTTP/1.0, is pooled only if it says keep-alive") {
  server s({{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na"},
            {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb"}});
  http::client c;
  auto use = [&]() -> task<> {
    auto a = co_await c.get(s.url());
    CHECK(a.minor_version() == 0);
    CHECK(c.idle_connections() == 1);
    auto b = co_await c.get(s.url());
    CHECK(b.body() == "b");
    CHECK(c.connections() == 0);
  };
  co_await s.during(use());
  CHECK(s.connections == 1);
}

CUVEE_TEST_CASE("client: a body over the limit, is refused however it is framed") {
  std::string chunks = repeat("10\r\n0123456789abcdef\r\n", 10) + "0\r\n\r\n";
  server s({{ok(std::string(101, 'x'))},
            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks},
            {"HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x'), then::close},
            {ok(std::string(100, 'x'))}});
  http::client c;
  std::string why = "get " + s.url() + ": the body is larger than 100 bytes";
  auto limited = [&] { return http::client_request(http::method::get, s.url()).max_body(100); };
  auto use = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      std::string text = co_await error_of(c.fetch(limited()));
      CHECK(text == why);
    }
    auto page = co_await c.fetch(limited());
    CHECK(page.body().size() == 100);
  };
  co_await s.during(use());
  CHECK(s.connections == 4);
}

CUVEE_TEST_CASE("client: a response byte by byte, is the same response") {
  std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: "
      "y\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string target = "http://" + l.local().to_string() + "/";
  auto serve = [&]() -> task<> {
    tcp_stream s = co_await l.accept();
    char buffer[1024];
    co_await s.read_some(buffer);
    for (char& byte : text) {
      co_await s.write(const_bytes(&byte, 1));
      co_await checkpoint();
    }
    co_await forever();
  };
  auto use = [&]() -> task<> {
    auto page = co_await http::get(target);
    CHECK(page.body() == "abcde");
    CHECK(page.header("X").value_or("") == "y");
  };
  co_await any_of(serve(), use());
}
