// SPDX-License-Identifier: MIT
// Several requests on one connection: order, reuse, fairness.
#include "server_case.h"

using namespace server_case;

namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view get_and_close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string repeated(std::string_view text, int n) {
  std::string all;
  for (int i = 0; i < n; i++) all += text;
  return all;
}

/// `/plain` answers at once, `/late` after ten turns, `/streamed` in pieces.
http::app mixed_app() {
  http::app a;
  a.get("/plain", [] { return "plain"; });
  a.get("/late", []() -> task<std::string> {
    for (int i = 0; i < 10; i++) co_await checkpoint();
    co_return "late";
  });
  a.get("/streamed", [](http::request&, http::response_writer& out) -> task<> {
    co_await out.write("str");
    co_await checkpoint();
    co_await out.write("eamed");
  });
  return a;
}

}  // namespace

CUVEE_TEST_CASE("server: HTTP/1.1 keeps the connection unless told to close it") {
  http::app a;
  a.get("/", [] { return "x"; });
  co_await talking(a, [](client& c) -> task<> {
    answer first = co_await c.ask(get);
    CHECK(first.has("Keep-Alive: timeout=75"));
    CHECK(first.head.find("Connection:") == std::string::npos);
    answer last = co_await c.ask(get_and_close);
    CHECK(last.has("Connection: close"));
    CHECK(last.head.find("Keep-Alive") == std::string::npos);
    std::string more = co_await c.rest();
    CHECK(more.empty());
  });
}

CUVEE_TEST_CASE("server: HTTP/1.0 closes the connection unless asked to keep it") {
  http::app a;
  a.get("/", [] { return "x"; });
  co_await serving(a, [](endpoint at) -> task<> {
    std::string closed = co_await reply_to(at, "GET / HTTP/1.0\r\n\r\n");
    CHECK(closed.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(closed.find("\r\nConnection: close\r\n") != closed.npos);
    client c = co_await connected(at);
    answer kept = co_await c.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(kept.has("Connection: keep-alive"));
    answer again = co_await c.ask("GET / HTTP/1.0\r\n\r\n");
    CHECK(again.body == "x");
  });
}

CUVEE_TEST_CASE("server: pipelined requests are answered in order, whatever their handlers") {
  http::app a = mixed_app();
  co_await talking(a, [](client& c) -> task<> {
    std::vector<std::string> paths = {"late", "plain", "streamed", "late", "streamed", "plain"};
    std::string requests;
    for (const std::string& p : paths) requests += "GET /" + p + " HTTP/1.1\r\nHost: a\r\n\r\n";
    co_await c.send(requests);
    for (const std::string& p : paths) {
      answer r = co_await c.next();
      CHECK(r.body == p);
    }
  });
}

CUVEE_TEST_CASE("server: an error is answered after the responses still owed") {
  http::app a = mixed_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string good = "GET /late HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::string bad : {"\r\n\r\n\r\n\r\nbad\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                            "POST / HTTP/1.1\r\n"
                            "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
      client c = co_await connected(at);
      co_await c.send(good + good + bad);
      answer first = co_await c.next(), second = co_await c.next();
      CHECK(first.body == "late");
      CHECK(second.body == "late");
      std::string error = co_await c.rest();
      CHECK(status_of(error) >= 400);
      CHECK(error.find("\r\nConnection: close\r\n") != error.npos);
    }
  });
}

CUVEE_TEST_CASE("server: what follows a request to close is not looked at") {
  http::app a;
  int calls = 0;
  a.get("/", [&calls] {
    calls++;
    return "x";
  });
  co_await serving(a, [](endpoint at) -> task<> {
    std::string reply =
        co_await reply_to(at, std::string(get_and_close) + std::string(get) + "garbage");
    CHECK(reply.find("HTTP/1.1", 1) == reply.npos);
  });
  CHECK(calls == 1);
}

CUVEE_TEST_CASE("server: blank lines before a request are skipped") {
  http::app a;
  a.get("/", [] { return "x"; });
  co_await talking(a, [](client& c) -> task<> {
    answer r = co_await c.ask("\r\n" + std::string(get));
    CHECK(r.status == 200);
    answer next = co_await c.ask("\r\n" + std::string(get));
    CHECK(next.status == 200);
  });
}

CUVEE_TEST_CASE("server: a pipelining client gives other tasks their turn after 32 requests") {
  http::app a;
  std::string order;
  a.get("/", [&] {
    order += 'a';
    return "x";
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client busy = co_await connected(at);
    std::string many = repeated(get, 1000);
    co_await task_group([&](group& g) -> task<> {
      g.spawn([&]() -> task<> {
        for (;;) {
          co_await checkpoint();
          order += '.';
        }
      });
      co_await busy.send(many);
      for (int i = 0; i < 1000; i++) co_await busy.next();
      g.cancel();
    });
    CHECK(order.find(std::string(32, 'a')) != std::string::npos);
    CHECK(order.find(std::string(33, 'a')) == std::string::npos);
  });
}

CUVEE_TEST_CASE("server: a client that pipelines without reading is stopped, then served whole") {
  http::app a;
  std::size_t calls = 0;
  std::string text(8000, 'x');
  a.get("/", [&]() -> std::string_view {
    calls++;
    return text;
  });
  co_await talking(a, [&](client& c) -> task<> {
    constexpr std::size_t count = 2000;  // 16 MB of answers: more than the kernel takes
    std::string requests = repeated(get, int{count});
    co_await task_group([&](group& g) -> task<> {
      g.spawn([&]() -> task<> { co_await c.send(requests); });
      for (std::size_t before = 1; before != calls;) {  // until the server makes no progress
        before = calls;
        for (int i = 0; i < 50; i++) co_await checkpoint();
      }
      CHECK(calls < count);
      for (std::size_t i = 0; i < count; i++) {
        answer r = co_await c.next();
        CHECK(r.body.size() == text.size());
      }
    });
    CHECK(calls == count);
  });
}

CUVEE_TEST_CASE("server: an answer of any size is whole, and the next request is served") {
  http::app a;
  a.get("/{n}", [](http::request& r) { return std::string(std::stoul(r.param("n")), 'x'); });
  co_await talking(a, [](client& c) -> task<> {
    for (std::size_t n : {0, 1, 4095, 8192, 8193, 16000, 16384, 65536, 1'000'000}) {
      answer r = co_await c.ask("GET /" + std::to_string(n) + " HTTP/1.1\r\nHost: a\r\n\r\n");
      CHECK(r.body == std::string(n, 'x'));
    }
  });
}
