// SPDX-License-Identifier: MIT
#include "scripted_server.h"

#include <cuvee/http/server.h>
#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace scripted;
using namespace std::chrono_literals;

namespace {

http::app make_app() {
  http::app app;
  app.get("/", [] { return "Hello, World!"; });
  app.get("/big", [] { return std::string(300'000, 'x'); });
  app.post("/echo", [](http::request& req) -> task<http::response> {
    std::string text = co_await req.body().text();
    http::response r(std::move(text));
    if (auto type = req.header("Content-Type")) r.content_type(*type);
    co_return r;
  });
  app.get("/stream", [](http::request&, http::response_writer& out) -> task<> {
    for (int i = 0; i < 20; i++) co_await out.write(std::string(5000, static_cast<char>('a' + i)));
  });
  return app;
}

/// Runs `use(base_url)` beside cuvee's own server.
template <class Use>
task<> with_app(Use use) {
  http::app app = make_app();
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string base = "http://" + l.local().to_string();
  co_await any_of(http::serve(app, std::move(l)), use(base));
}

}  // namespace

CUVEE_TEST_CASE("client: get, gives status, fields, body and URL") {
  auto use = [](std::string base) -> task<> {
    auto page = co_await http::get(base + "/");
    CHECK(page.status() == 200);
    CHECK(page.ok());
    CHECK(page.reason() == "OK");
    CHECK(page.minor_version() == 1);
    CHECK(page.body() == "Hello, World!");
    CHECK(page.header("content-TYPE").value_or("") == "text/plain");
    CHECK(page.headers().get("Content-Length").value_or("") == "13");
    CHECK(!page.header("X-None"));
    CHECK(page.url().to_string() == base + "/");
    auto missing = co_await http::get(base + "/none");
    CHECK(missing.status() == 404);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: requests one after another, share one connection") {
  server s(ok("a"));
  http::client c;
  auto use = [&]() -> task<> {
    for (int i = 0; i < 5; i++) {
      auto page = co_await c.get(s.url());
      CHECK(page.body() == "a");
      CHECK(c.idle_connections() == 1);
    }
  };
  co_await s.during(use());
  CHECK(s.connections == 1);
  CHECK(s.requests.size() == 5);
}

CUVEE_TEST_CASE("client: the request head, has what servers expect and nothing else") {
  server s(ok(""));
  auto use = [&]() -> task<> { co_await http::get(s.url("/a%20b?x=1#part")); };
  co_await s.during(use());
  CHECK(s.requests[0] == "GET /a%20b?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(s.port()) +
                             "\r\nAccept: */*\r\nUser-Agent: cuvee/0.1.0\r\n\r\n");
}

CUVEE_TEST_CASE("client: fields of the caller, replace the defaults and Host") {
  server s(ok(""));
  auto use = [&]() -> task<> {
    http::client_request r(http::method::get, s.url());
    r.header("User-Agent", "me").header("Accept", "text/html").header("Host", "example.org");
    co_await http::fetch(std::move(r));
    http::client_request agent_only(http::method::get, s.url());
    agent_only.header("User-Agent", "me");
    co_await http::fetch(std::move(agent_only));
  };
  co_await s.during(use());
  CHECK(s.requests[0] ==
        "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: me\r\n"
        "Accept: text/html\r\n\r\n");
  CHECK(s.requests[1].ends_with("\r\nAccept: */*\r\nUser-Agent: me\r\n\r\n"));
}

CUVEE_TEST_CASE("client: user name and password of the URL, become basic Authorization") {
  server s(ok(""));
  std::string at = s.url().substr(7);
  auto use = [&]() -> task<> {
    co_await http::get("http://Aladdin:open%20sesame@" + at);
    co_await http::get("http://me@" + at);
  };
  co_await s.during(use());
  CHECK(s.requests[0].find("\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n") !=
        std::string::npos);
  CHECK(s.requests[1].find("\r\nAuthorization: Basic bWU6\r\n") != std::string::npos);
}

CUVEE_TEST_CASE("client: bodies small and large, arrive whole") {
  auto use = [](std::string base) -> task<> {
    for (std::size_t size : {0u, 1u, 4096u, 4097u, 900'000u}) {
      http::client_request r(http::method::post, base + "/echo");
      r.body(std::string(size, 'z')).content_type("text/x-test");
      auto page = co_await http::fetch(std::move(r));
      CHECK(page.status() == 200);
      CHECK(page.body() == std::string(size, 'z'));
      CHECK(page.header("Content-Type").value_or("") == "text/x-test");
    }
    auto big = co_await http::get(base + "/big");
    CHECK(big.body().size() == 300'000);
    auto chunked = co_await http::get(base + "/stream");
    CHECK(chunked.body().size() == 100'000);
    CHECK(http::default_client().idle_connections() == 1);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: open, gives the head first and the body by pieces") {
  auto use = [](std::string base) -> task<> {
    http::client c;
    auto r = co_await c.open(http::client_request(http::method::get, base + "/stream"));
    CHECK(r.status() == 200);
    CHECK(c.idle_connections() == 0);
    std::string all;
    while (auto chunk = co_await r.body().next()) all += *chunk;
    CHECK(all.size() == 100'000);
    CHECK(all.substr(5000, 2) == "bb");
    CHECK(c.idle_connections() == 1);
    auto end = co_await r.body().next();
    CHECK(!end);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: open with a large upload, sends while it receives") {
  auto use = [](std::string base) -> task<> {
    http::client c;
    http::client_request upload(http::method::post, base + "/echo");
    upload.body(std::string(900'000, 'u'));
    auto r = co_await c.open(std::move(upload));
    std::string all = co_await r.body().text();
    CHECK(all.size() == 900'000);
    CHECK(c.idle_connections() == 1);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: a response stream destroyed before its end, closes the connection") {
  auto use = [](std::string base) -> task<> {
    http::client c;
    {
      auto r = co_await c.open(http::client_request(http::method::get, base + "/big"));
      auto chunk = co_await r.body().next();
      CHECK(chunk.has_value());
      CHECK(c.connections() == 1);
    }
    CHECK(c.connections() == 0);
    auto page = co_await c.get(base + "/");
    CHECK(page.body() == "Hello, World!");
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: a response stream, outlives its client") {
  auto use = [](std::string base) -> task<> {
    std::optional<http::client> c(std::in_place);
    auto r = co_await c->open(http::client_request(http::method::get, base + "/stream"));
    c.reset();
    std::string all = co_await r.body().text();
    CHECK(all.size() == 100'000);
  };
  co_await with_app(use);
}

CUVEE_TEST_CASE("client: HEAD, 204 and 304, have no body whatever the fields say") {
  server s({{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
            {"HTTP/1.1 204 No Content\r\n\r\n"},
            {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
            {ok("end")}});
  http::client c;
  auto use = [&]() -> task<> {
    auto head = co_await c.fetch(http::client_request(http::method::head, s.url()));
    CHECK(head.status() == 200);
    CHECK(head.body().empty());
    auto none = co_await c.get(s.url());
    CHECK(none.status() == 204);
    auto same = co_await c.get(s.url());
    CHECK(same.status() == 304);
    auto end = co_await c.get(s.url());
    CHECK(end.body() == "end");
  };
  co_await s.during(use());
  CHECK(s.connections == 1);
}

CUVEE_TEST_CASE("client: POST without a body, says Content-Length 0") {
  server s(ok(""));
  auto use = [&]() -> task<> {
    co_await http::fetch(http::client_request(http::method::post, s.url()));
  };
  co_await s.during(use());
  CHECK(s.requests[0].find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

CUVEE_TEST_CASE(
    "client: an answer before the upload has ended, is given; the connection is closed") {
  // The server reads the head and answers; the rest of the body meets a full pipe.
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string target = "http://" + l.local().to_string() + "/";
  http::client c;
  auto serve = [&]() -> task<> {
    tcp_stream s = co_await l.accept();
    char buffer[256];
    co_await s.read_some(buffer);
    co_await s.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    co_await forever();
  };
  auto use = [&]() -> task<> {
    http::client_request r(http::method::post, target);
    r.body(std::string(20'000'000, 'x'));
    auto page = co_await c.fetch(std::move(r));
    CHECK(page.status() == 413);
    CHECK(page.body() == "no");
    CHECK(c.connections() == 0);
  };
  co_await any_of(serve(), use());
}

CUVEE_TEST_CASE("client: control characters in what the caller gives, never reach the wire") {
  server s(ok(""));
  auto use = [&]() -> task<> {
    std::string in_url = co_await error_of(http::get(s.url("/a\r\nX: y")));
    CHECK(in_url.find("bad URL") + in_url.find("control") != 0);
    CHECK(!in_url.empty());
    std::string in_host;
    http::client_request r(http::method::get, s.url());
    r.header("Host", "a b");
    in_host = co_await error_of(http::fetch(std::move(r)));
    CHECK(in_host.find("malformed host") != std::string::npos);
  };
  co_await s.during(use());
  http::client_request r(http::method::get, "http://127.0.0.1/");
  CHECK_THROWS_AS(r.header("X", "a\r\nY: b"), error);
  CHECK_THROWS_AS(r.header("X\r\nY", "b"), error);
  CHECK_THROWS_AS(r.header("Content-Length", "5"), error);
  CHECK(s.requests.empty());
}

CUVEE_TEST_CASE("client: CONNECT, is refused with the reason") {
  std::string tunnel =
      co_await error_of(http::fetch(http::client_request(http::method::connect, "http://a/")));
  CHECK(tunnel == "connect http://a/: CONNECT makes a tunnel, not a request");
}

CUVEE_TEST_CASE("client: a refused connection, names the URL without the password") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string at = l.local().to_string();
  l.close();
  std::string text = co_await error_of(http::get("http://u:secret@" + at + "/p"));
  CHECK(text == "get http://" + at + "/p: connection refused (ECONNREFUSED)");
}

TEST_CASE("client: kept beyond its loop, lets go of its connections") {
  std::optional<http::client> c(std::in_place);
  {
    loop l;
    l.run([&]() -> task<> {
      server s(ok("x"));
      auto use = [&]() -> task<> { co_await c->get(s.url()); };
      co_await s.during(use());
    });
  }
  CHECK(c->connections() == 0);
}
