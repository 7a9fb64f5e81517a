// SPDX-License-Identifier: MIT
// What a request costs in memory. Under ASan frames are not pooled, so nothing is counted there.
#include "server_case.h"

#include "heap.h"

using namespace server_case;

CUVEE_TEST_CASE("server: memory that one connection cannot get ends it, not the server") {
  reports seen;
  http::app a;
  a.get("/", [] { return "x"; });
  http::serve_options o;
  o.limits.header_bytes = 64'000;
  co_await serving(a, o, [&](endpoint at) -> task<> {
    std::string small = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    std::string large = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'y') + "\r\n\r\n";
    client other = co_await connected(at), hungry = co_await connected(at);
    answer before = co_await other.ask(small);
    CHECK(before.body == "x");
    // What a head of that size needs; the buffers of streams are of other sizes.
    heap::refuses = [](std::size_t size) { return size > 20'000 && size < 60'000; };
    auto sent = co_await as_result(hungry.stream().write(large));
    char byte;
    auto reply = co_await as_result(hungry.stream().read_some(mutable_bytes(&byte, 1)));
    heap::refuses = nullptr;
    CHECK((!reply || *reply == 0));
    answer after = co_await other.ask(small);
    CHECK(after.body == "x");
    client late = co_await connected(at);
    answer fresh = co_await late.ask(large);
    CHECK(fresh.body == "x");
  });
  REQUIRE(seen.messages.size() == 1);
  CHECK(seen.messages[0] == "http connection: std::bad_alloc");
}

CUVEE_TEST_CASE(
    "server: memory that a large answer cannot get leaves no second answer behind its head") {
  reports seen;
  http::app a;
  const std::string text(2'000'000, 'x');
  a.get("/", [&]() -> const std::string& { return text; });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    heap::refuses = [](std::size_t size) { return size > 1'900'000; };
    auto sent = co_await as_result(
        c.stream().write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"sv));
    std::string all;
    char piece[4096];
    for (std::size_t n = 1; n != 0;) {
      auto got = co_await as_result(c.stream().read_some(piece));
      n = got ? *got : 0;
      all.append(piece, n);
    }
    heap::refuses = nullptr;
    std::size_t first = all.find("HTTP/1.1 ");
    CHECK((first == all.npos || all.find("HTTP/1.1 ", first + 1) == all.npos));
  });
  REQUIRE(seen.messages.size() == 1);
  CHECK(seen.messages[0] == "exception in the handler of GET /: std::bad_alloc");
}

CUVEE_TEST_CASE("server: memory that trailers cannot get ends the connection, not the process") {
  reports seen;
  http::app a;
  a.post("/", [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  http::serve_options o;
  o.limits.trailer_bytes = 64'000;
  co_await serving(a, o, [](endpoint at) -> task<> {
    client c = co_await connected(at), other = co_await connected(at);
    co_await c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    co_await other.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");  // by then the body is awaited
    std::string trailers = "0\r\nX: " + std::string(30'000, 'y') + "\r\n\r\n";
    heap::refuses = [](std::size_t size) { return size > 20'000 && size < 60'000; };
    auto sent = co_await as_result(c.stream().write(trailers));
    char byte;
    auto reply = co_await as_result(c.stream().read_some(mutable_bytes(&byte, 1)));
    heap::refuses = nullptr;
    CHECK((!reply || *reply == 0));
    answer after = co_await other.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(after.status == 405);
  });
}

#if !CUVEE_ASAN

namespace {

/// Sends `request` 200 times after 50 others. Returns: allocations of the process in that time; the client
/// needs none.
task<std::size_t> steady_state(endpoint at, std::string_view request, std::size_t reply_bytes) {
  tcp_stream s = co_await connect(at);
  char reply[4096];
  std::size_t before = 0;
  for (int i = 0; i < 250; i++) {
    if (i == 50) before = heap::allocations;
    co_await s.write(request);
    std::size_t left = reply_bytes;
    while (left > 0) {
      std::size_t n = co_await s.read_some(reply);
      left -= std::min(n, left);
      if (n == 0) co_return 1'000'000;
    }
  }
  co_return heap::allocations - before;
}

task<std::size_t> size_of_reply(endpoint at, std::string_view request) {
  client c = co_await connected(at);
  co_await c.send(request);
  answer r = co_await c.next();
  co_return r.head.size() + r.body.size();
}

std::size_t resident_bytes() {
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  unsigned long total = 0, resident = 0;
  int n = std::fscanf(f, "%lu %lu", &total, &resident);
  std::fclose(f);
  return n == 2 ? resident * 4096 : 0;
}

}  // namespace

CUVEE_TEST_CASE("server: a keep-alive request allocates nothing") {
  testing::keep_fifo();  // what comes at once
  http::app a;
  a.get("/", [] { return "Hello, World!"; });
  a.get("/task", []() -> task<http::response> { co_return http::response("short"); });
  a.get("/users/{id}", [](http::request& r) { return r.param("id"); });
  a.post("/body", [](http::request& r) -> task<http::response> {
    auto piece = co_await r.body().next();
    co_return http::response(*piece);
  });
  co_await serving(a, [](endpoint at) -> task<> {
    for (std::string_view request :
         {"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
          "GET /task HTTP/1.1\r\nHost: a\r\n\r\n", "GET /users/7 HTTP/1.1\r\nHost: a\r\n\r\n",
          "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
          "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"}) {
      bool head = request.starts_with("HEAD");
      std::size_t size = 0;
      if (!head) size = co_await size_of_reply(at, request);
      if (head) size = co_await size_of_reply(at, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") - 13;
      std::size_t n = co_await steady_state(at, request, size);
      CAPTURE(request);
      CHECK(n == 0);
    }
  });
}

CUVEE_TEST_CASE("server: 100,000 pipelined requests are served in bounded memory" *
                doctest::test_suite("slow")) {
  http::app a;
  std::size_t calls = 0;
  a.get("/", [&] {
    calls++;
    return "x";
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    std::string requests;
    for (int i = 0; i < 100'000; i++) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    co_await c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::size_t before = resident_bytes();
    co_await task_group([&](group& g) -> task<> {
      g.spawn([&]() -> task<> { co_await c.send(requests); });
      for (int i = 0; i < 100'000; i++) co_await c.next();
    });
    CHECK(calls == 100'001);
    CHECK(resident_bytes() < before + (4 << 20));
  });
}

#endif
