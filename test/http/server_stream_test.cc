// SPDX-License-Identifier: MIT
// Responses that are sent as they are made, and handlers that throw.
#include "server_case.h"

using namespace server_case;

namespace {

std::string get(std::string_view path, std::string_view version = "1.1") {
  return "GET " + std::string(path) + " HTTP/" + std::string(version) + "\r\nHost: a\r\n\r\n";
}

/// Declares five bytes and sends `text`.
auto declares_five(std::string text) {
  return [text = std::move(text)](http::request&, http::response_writer& out) -> task<> {
    out.content_length(5);
    co_await out.write(text);
  };
}

}  // namespace

CUVEE_TEST_CASE("server: a streamed response is chunked, and the next request is served") {
  http::app a;
  a.get("/", [](http::request&, http::response_writer& out) -> task<> {
    out.status(201).header("X-Made", "here");
    co_await out.write("ab");
    co_await out.write("");  // no last chunk by accident
    co_await out.write(std::string_view("cde"));
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/") + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    std::string all = co_await c.rest();
    std::string type = "Content-Type: application/octet-stream\r\n";
    std::string coding = "Transfer-Encoding: chunked\r\n";
    std::string body = "X-Made: here\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    std::string head = "HTTP/1.1 201 Created\r\n" + type + coding;
    CHECK(steady(all) == head + body + head + "Connection: close\r\n" + body);
  });
}

CUVEE_TEST_CASE("server: a streamed response without content is empty, not chunked") {
  http::app a;
  a.get("/", [](http::request&, http::response_writer&) -> task<> { co_return; });
  a.get("/204", [](http::request&, http::response_writer& out) -> task<> {
    out.status(204);
    co_return;
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer empty = co_await c.ask(get("/"));
    CHECK(empty.has("Content-Length: 0"));
    answer none = co_await c.ask(get("/204"));
    CHECK(none.status == 204);
    CHECK(none.head.find("Content-Length") == std::string::npos);
    answer again = co_await c.ask(get("/"));
    CHECK(again.status == 200);
  });
}

CUVEE_TEST_CASE("server: HTTP/1.0 gets a streamed response up to the end of the connection") {
  http::app a;
  a.get("/", [](http::request&, http::response_writer& out) -> task<> {
    co_await out.write("ab");
    co_await out.write("cd");
  });
  co_await serving(a, [](endpoint at) -> task<> {
    std::string all = co_await reply_to(at, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(all.ends_with("\r\n\r\nabcd"));
    CHECK(all.find("Transfer-Encoding") == all.npos);
    CHECK(all.find("\r\nConnection: close\r\n") != all.npos);
  });
}

CUVEE_TEST_CASE("server: a HEAD request does not get what its handler streams") {
  http::app a;
  a.get("/",
        [](http::request&, http::response_writer& out) -> task<> { co_await out.write("ab"); });
  a.get("/five", declares_five("12345"));
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /five HTTP/1.1\r\nHost: a\r\n\r\n");
    answer chunked = co_await c.next(true);
    CHECK(chunked.has("Transfer-Encoding: chunked"));
    answer declared = co_await c.next(true);
    CHECK(declared.has("Content-Length: 5"));
    answer after = co_await c.ask(get("/five"));
    CHECK(after.body == "12345");
  });
}

CUVEE_TEST_CASE("server: a response shorter than declared ends in a broken connection") {
  http::app a;
  a.get("/", declares_five("123"));
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/"));
    auto all = co_await as_result(c.rest());
    // A reset, or nothing beyond the three bytes; never a clean next response.
    CHECK((!all || all->ends_with("\r\n\r\n123")));
  });
}

CUVEE_TEST_CASE(
    "server: writing more than declared throws, and the client sees a broken connection") {
  reports seen;
  http::app a;
  a.get("/", declares_five("123456"));
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/"));
    auto all = co_await as_result(c.rest());
    CHECK((!all || all->find("123456") == std::string::npos));
  });
  REQUIRE(seen.messages.size() == 1);
  CHECK(seen.messages[0].find("more than the declared length") != std::string::npos);
}

CUVEE_TEST_CASE("server: a handler that writes waits for a client that does not read") {
  std::size_t written = 0;
  http::app a;
  a.get("/", [&](http::request&, http::response_writer& out) -> task<> {
    std::string piece(4096, 'x');
    for (; written < 64 << 20; written += piece.size()) co_await out.write(piece);
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/"));
    for (std::size_t before = 1; before != written;) {
      before = written;
      for (int i = 0; i < 50; i++) co_await checkpoint();
    }
    CHECK(written < 32 << 20);  // what the kernel takes, and 64 KiB
    std::size_t stalled = written;
    for (int i = 0; i < 1000; i++) co_await c.some();
    CHECK(written > stalled);
    c.stream().abort();
  });
}

CUVEE_TEST_CASE("server: a client that takes nothing for 30 s is cut off") {
  std::string failure;
  http::app a;
  a.get("/", [&](http::request&, http::response_writer& out) -> task<> {
    std::string piece(16 * 1024, 'x');
    try {
      for (int i = 0; i < 8192; i++) co_await out.write(piece);
    } catch (const error& e) {
      failure = e.operation();
      throw;
    }
  });
  reports seen;
  testing::virtual_clock clock(loop::current(), 2ms);
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/"));
    co_await sleep(29s);
    CHECK(failure.empty());
    // 2 s, but an acknowledgement that the kernel delays is progress and gives 30 s more.
    for (int i = 0; i < 10 && failure.empty(); i++) co_await sleep(i == 0 ? 2s : 30s);
    CHECK(!failure.empty());
    auto all = co_await as_result(c.rest());
    CHECK((!all || !all->ends_with("0\r\n\r\n")));
  });
  CHECK(seen.messages.empty());
}

CUVEE_TEST_CASE("server: http_error is the response; anything else is reported and a bare 500") {
  reports seen;
  http::app a;
  a.get("/gone", []() -> std::string { throw http::http_error(410, "moved away"); });
  a.get("/teapot", []() -> task<std::string> {
    co_await checkpoint();
    throw http::http_error(418);
  });
  a.get("/secret", []() -> std::string { throw std::runtime_error("the password is x"); });
  a.get("/late", []() -> task<std::string> {
    co_await checkpoint();
    throw 42;
  });
  a.get("/streamed", [](http::request&, http::response_writer&) -> task<> {
    throw error(std::make_error_code(std::errc::no_such_file_or_directory), "open", "data");
    co_return;
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer gone = co_await c.ask(get("/gone"));
    CHECK(gone.status == 410);
    CHECK(gone.body == "410 Gone: moved away\n");
    answer teapot = co_await c.ask(get("/teapot"));
    CHECK(teapot.status == 418);
    for (std::string_view path : {"/secret", "/late", "/streamed"}) {
      answer r = co_await c.ask(get(path));
      CHECK(r.status == 500);
      CHECK(r.body == "500 Internal Server Error\n");
    }
    answer still = co_await c.ask(get("/gone"));
    CHECK(still.status == 410);
  });
  REQUIRE(seen.messages.size() == 3);
  CHECK(seen.messages[0] == "exception in the handler of GET /secret: the password is x");
  CHECK(seen.messages[2].find("open data") != std::string::npos);
}

CUVEE_TEST_CASE("server: a handler that throws in mid-stream breaks its connection, not others") {
  reports seen;
  http::app a;
  a.get("/", [](http::request&, http::response_writer& out) -> task<> {
    co_await out.write("some");
    throw std::runtime_error("no more");
  });
  a.get("/fine", [] { return "fine"; });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at), other = co_await connected(at);
    co_await other.ask(get("/fine"));
    co_await c.send(get("/"));
    auto all = co_await as_result(c.rest());
    CHECK((!all || !all->ends_with("0\r\n\r\n")));
    answer r = co_await other.ask(get("/fine"));
    CHECK(r.body == "fine");
  });
  REQUIRE(seen.messages.size() == 1);
  CHECK(seen.messages[0] == "exception in the handler of GET /: no more");
}

CUVEE_TEST_CASE("server: a handler notices that the client is gone") {
  http::app a;
  bool seen = false;
  event asked, done;
  a.get("/", [&](http::request& r) -> task<std::string> {
    asked.set();
    while (!r.disconnected()) co_await sleep(1ms);
    seen = true;
    done.set();
    co_return "nobody reads this";
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get("/"));
    co_await asked.wait();
    c.stream().abort();
    co_await timeout(5s, done.wait());
  });
  CHECK(seen);
}
