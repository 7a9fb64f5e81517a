// SPDX-License-Identifier: MIT
// Request bodies: pulled, left, chunked, asked for.
#include "server_case.h"

using namespace server_case;

namespace {

http::app body_app() {
  http::app a;
  a.post("/read",
         [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  a.post("/leave", [] { return "left"; });
  a.post("/first", [](http::request& r) -> task<std::string> {
    auto piece = co_await r.body().next();
    co_return std::string(piece.value_or("nothing").substr(0, 1));
  });
  return a;
}

std::string post(std::string_view path, std::size_t length, std::string_view fields = {}) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(fields) + "\r\n";
}
std::string post_chunked(std::string_view path) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
}
constexpr std::string_view expecting = "Expect: 100-continue\r\n";

}  // namespace

CUVEE_TEST_CASE("server: a body arrives whole, whatever its size") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    for (std::size_t n : {0, 1, 4000, 65535, 65536, 65537, 300'000, 1 << 20}) {
      std::string body(n, '\0');
      for (std::size_t i = 0; i < n; i++) body[i] = static_cast<char>(i * 131 + i / 251);
      answer r = co_await c.ask(post("/read", n) + body);
      CHECK(r.status == 200);
      CHECK(r.body == body);
    }
  });
}

CUVEE_TEST_CASE("server: a small body that the handler leaves is dropped, the connection goes on") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    for (std::string_view path : {"/leave", "/first", "/missing"}) {
      std::string head = post(path, 100'000);
      co_await c.send(head);
      co_await c.send(std::string(100'000, 'x'));
      co_await c.next();
    }
    answer r = co_await c.ask(post("/read", 2) + "ok");
    CHECK(r.body == "ok");
  });
}

CUVEE_TEST_CASE("server: a large body that the handler leaves closes the connection") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(post("/leave", 1 << 20));
    answer r = co_await c.next();  // before anything of the body was sent
    CHECK(r.body == "left");
    std::string body(1 << 20, 'x');
    auto sent = co_await as_result(c.stream().write(body));
    (void)sent;  // the server may have closed meanwhile
    auto more = co_await as_result(c.rest());
    CHECK((!more || more->empty()));
  });
}

CUVEE_TEST_CASE("server: 100 Continue is sent when the handler asks for the body") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(post("/read", 2, expecting));
    answer interim = co_await c.next();
    CHECK(interim.status == 100);
    CHECK(interim.head == "HTTP/1.1 100 Continue\r\n\r\n");
    answer r = co_await c.ask("hi");
    CHECK(r.status == 200);
    CHECK(r.body == "hi");
    answer next = co_await c.ask(post("/read", 1) + "n");
    CHECK(next.body == "n");
  });
}

CUVEE_TEST_CASE("server: no 100 Continue for a client that did not wait for it") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer r = co_await c.ask(post("/read", 2, expecting) + "hi");
    CHECK(r.status == 200);
    CHECK(r.body == "hi");
    answer empty = co_await c.ask(post("/read", 0, expecting));
    CHECK(empty.status == 200);
  });
}

CUVEE_TEST_CASE("server: HTTP/1.0 gets no 100 Continue") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("POST /read HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    co_await sleep(1ms);
    answer r = co_await c.ask("hi");
    CHECK(r.status == 200);
  });
}

CUVEE_TEST_CASE("server: a handler that never asks for the body answers at once, and closes") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string reply = co_await reply_to(at, post("/leave", 100, expecting));
    CHECK(status_of(reply) == 200);
    CHECK(reply.find("\r\nConnection: close\r\n") != reply.npos);
    std::string missing = co_await reply_to(at, post("/missing", 100, expecting));
    CHECK(status_of(missing) == 404);
    CHECK(missing.find("\r\nConnection: close\r\n") != missing.npos);
  });
}

CUVEE_TEST_CASE("server: the next request after trailers parses exactly") {
  http::app a = body_app();
  a.get("/header",
        [](http::request& r) { return std::string(r.header("X-Evil").value_or("none")); });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(post_chunked("/read") +
                    "3;ext=\"v\"\r\nabc\r\n2\r\nde\r\n0\r\nX-Evil: 1\r\nHost: evil\r\n"
                    "Content-Length: 50\r\n\r\n"
                    "GET /header HTTP/1.1\r\nHost: a\r\n\r\n");
    answer body = co_await c.next();
    CHECK(body.body == "abcde");
    answer next = co_await c.next();
    CHECK(next.body == "none");
  });
}

CUVEE_TEST_CASE("server: broken chunk framing is 400 and closed") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    for (std::string_view bad :
         {"x\r\n", "-2\r\nab\r\n", "+2\r\nab\r\n", "0x2\r\nab\r\n", "2\r\nabc\r\n", "2\nab\r\n",
          "2\r\nab\n", " 2\r\nab\r\n", "11111111111111111\r\n", "2;a\nb\r\nab\r\n", "\xb2\r\n",
          "0\r\nX : 1\r\n\r\n", "0\r\nbad\r\n\r\n", "\r\n"}) {
      std::string reply = co_await reply_to(at, post_chunked("/read") + std::string(bad));
      CAPTURE(bad);
      CHECK(status_of(reply) == 400);
      CHECK(reply.find("\r\nConnection: close\r\n") != reply.npos);
    }
  });
}

CUVEE_TEST_CASE("server: too many chunk extensions or trailers are 431") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string extended;
    for (int i = 0; i < 20; i++) extended += "1;" + std::string(250, 'e') + "\r\nx\r\n";
    std::string long_trailer = "0\r\nX: " + std::string(9000, 'v') + "\r\n\r\n";
    std::string trailers = "0\r\n";
    for (int i = 0; i < 33; i++) trailers += "X: v\r\n";
    for (const std::string& bad : {extended, long_trailer, trailers}) {
      std::string reply = co_await reply_to(at, post_chunked("/read") + bad);
      CHECK(status_of(reply) == 431);
    }
  });
}

CUVEE_TEST_CASE("server: a body that ends early is 400 for the handler that waits for it") {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string with_length = co_await reply_after_eof(at, post("/read", 10) + "12345");
    CHECK(status_of(with_length) == 400);
    std::string chunked = co_await reply_after_eof(at, post_chunked("/read") + "5\r\n123");
    CHECK(status_of(chunked) == 400);
  });
}

CUVEE_TEST_CASE("server: a body is streamed back as it arrives") {
  testing::keep_fifo();  // a chunk is a piece
  http::app a;
  a.post("/", [](http::request& r, http::response_writer& out) -> task<> {
    while (auto piece = co_await r.body().next()) co_await out.write(*piece);
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(post_chunked("/"));
    std::string seen;
    for (std::string_view word : {"one", "two", "three"}) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", word.size());
      co_await c.send(size + std::string(word) + "\r\n");
      std::string expected = size + std::string(word) + "\r\n";
      while (!seen.ends_with(expected)) seen += co_await c.some();  // before the next is sent
    }
    co_await c.send("0\r\n\r\n");
    while (!seen.ends_with("0\r\n\r\n")) seen += co_await c.some();
    CHECK(seen.find("\r\nTransfer-Encoding: chunked\r\n") != seen.npos);
  });
}

CUVEE_TEST_CASE("server: a handler that does not pull stops the client") {
  http::app a;
  event go;
  a.post("/", [&](http::request& r) -> task<std::string> {
    co_await go.wait();
    std::size_t size = 0;
    while (auto piece = co_await r.body().next()) size += piece->size();
    co_return std::to_string(size);
  });
  http::serve_options o;
  o.limits.body_bytes = 16 << 20;
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(post("/", 16 << 20));
    bool sent = false;
    co_await task_group([&](group& g) -> task<> {
      std::string body(16 << 20, 'x');
      g.spawn([&]() -> task<> {
        co_await c.send(body);
        sent = true;
      });
      for (int i = 0; i < 300; i++) co_await checkpoint();
      CHECK(!sent);
      go.set();
      answer r = co_await c.next();
      CHECK(r.body == std::to_string(16 << 20));
    });
  });
}

CUVEE_TEST_CASE("server: a million one-byte chunks take linear time" *
                doctest::test_suite("slow")) {
  http::app a = body_app();
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    std::string chunks;
    for (int i = 0; i < 1'000'000; i++) chunks += "1\r\nx\r\n";
    co_await c.send(post_chunked("/read"));
    co_await c.send(chunks);
    answer r = co_await c.ask("0\r\n\r\n");
    CHECK(r.body.size() == 1'000'000);
  });
}

CUVEE_TEST_CASE("server: text with a limit of its own fails beyond it") {
  http::app a;
  a.post("/", [](http::request& r) -> task<std::string> {
    auto text = co_await as_result(r.body().text(5));
    bool limited = !text && text.error().code() == errc::limit_exceeded;
    co_return limited ? "limited" : *text;
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer fits = co_await c.ask(post("/", 5) + "12345");
    CHECK(fits.body == "12345");
    answer beyond = co_await c.ask(post("/", 6) + "123456");
    CHECK(beyond.body == "limited");
  });
}

CUVEE_TEST_CASE("server: a route's own body limit holds instead of the server's, for it alone") {
  http::app a;
  auto size = [](http::request& r) -> task<std::string> {
    std::string text = co_await r.body().text();
    co_return std::to_string(text.size());
  };
  a.post("/", size);
  a.post("/more", size).max_body(1000);
  a.put("/more", size);
  a.post("/less", size).max_body(10);
  a.fallback(size).max_body(200);
  http::serve_options o;
  o.limits.body_bytes = 100;
  struct row {
    std::string_view start;
    std::size_t fits;
  };
  const row rows[] = {{"POST / ", 100},
                      {"POST /more ", 1000},
                      {"PUT /more ", 100},
                      {"POST /less ", 10},
                      {"POST /x ", 200}};
  co_await serving(a, o, [&](endpoint at) -> task<> {
    for (const row& r : rows) {
      std::string head = std::string(r.start) + "HTTP/1.1\r\nHost: a\r\n";
      for (bool over : {false, true}) {
        std::size_t n = r.fits + (over ? 1 : 0);
        std::string body(n, 'x'), length = std::to_string(n);
        char hex[24];
        std::snprintf(hex, sizeof hex, "%zx\r\n", n);
        client declared = co_await connected(at), chunked = co_await connected(at);
        std::string request = head + "Content-Length: " + length + "\r\n\r\n" + body;
        answer first = co_await declared.ask(request);
        request = head + "Transfer-Encoding: chunked\r\n\r\n" + hex + body + "\r\n0\r\n\r\n";
        answer second = co_await chunked.ask(request);
        CAPTURE(request.substr(0, 20));
        CHECK(first.status == (over ? 413 : 200));
        CHECK(second.status == (over ? 413 : 200));
        if (!over) CHECK(first.body == length);
      }
    }
  });
}
