// SPDX-License-Identifier: MIT
// Misuse and rare meetings that a review found: each once broke the connection's framing or hung.
#include "server_case.h"

using namespace server_case;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string caught(const error& e) { return e.code().message(); }

}  // namespace

CUVEE_TEST_CASE("server: a cancelled write of a small piece leaves the framing whole") {
  http::app a;
  a.get("/", [](http::request&, http::response_writer& out) -> task<> {
    std::string piece(4000, 'x');
    // Far more than a client that does not read lets through: a write must wait, and is cut.
    for (bool cut = false; !cut;) {
      auto written = co_await move_on_after(1ms, out.write(piece));
      cut = !written;
    }
    auto more = co_await move_on_after(0ms, out.write("end"));
    (void)more;
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get);
    co_await sleep(20ms);
    answer all = co_await c.next();
    CHECK(all.body.size() % 4000 == 3);
    CHECK(all.body.ends_with("xend"));
  });
}

CUVEE_TEST_CASE("server: two writers of one response, the second is busy") {
  http::app a;
  event asked;
  std::string second;
  a.get("/", [&](http::request&, http::response_writer& out) -> task<> {
    std::string large(4 << 20, 'x');
    auto other = [&]() -> task<> {
      co_await checkpoint();  // the large one has begun, and nobody reads yet
      try {
        co_await out.write("between");
      } catch (const error& e) {
        second = caught(e);
      }
      asked.set();
    };
    co_await gather(out.write(large), other());
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get);
    co_await asked.wait();
    answer all = co_await c.next();
    CHECK(all.body == std::string(4 << 20, 'x'));
  });
  CHECK(second == "another operation is pending");
}

CUVEE_TEST_CASE("server: writing after the end is an error and sends nothing") {
  http::app a;
  std::string late;
  a.get("/", [&](http::request&, http::response_writer& out) -> task<> {
    co_await out.write("all");
    out.finish();
    try {
      co_await out.write("more");
    } catch (const error& e) {
      late = caught(e);
    }
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer first = co_await c.ask(get);
    answer second = co_await c.ask(get);
    CHECK(first.body == "all");
    CHECK(second.body == "all");
  });
  CHECK(late == "closed");
}

CUVEE_TEST_CASE("server: 100 Continue never stands inside an answer that has begun") {
  testing::keep_fifo();  // a body of one piece
  http::app a;
  a.post("/", [](http::request& req, http::response_writer& out) -> task<> {
    co_await out.write("first;");
    auto piece = co_await req.body().next();
    co_await out.write(piece ? *piece : "none");
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    std::string begun;
    while (begun.find("first;") == begun.npos) begun += co_await c.some();
    co_await c.send("ok");
    std::string all = begun + co_await c.rest();
    CHECK(all.find("100 Continue") == all.npos);
    CHECK(all.ends_with("6\r\nfirst;\r\n2\r\nok\r\n0\r\n\r\n"));
  });
}

CUVEE_TEST_CASE("server: an answer queued in the turn of the stop is sent") {
  http::app a;
  event stop;
  a.get("/", [&] {
    stop.set();
    return "stopping";
  });
  http::serve_options o;
  o.port = 0;
  co_await task_group([&](group& g) -> task<> {
    endpoint at = co_await g.start<endpoint>(&http::serve_ready, std::cref(a), o);
    g.spawn([&]() -> task<> {
      co_await stop.wait();
      g.cancel();
    });
    auto reply = shield(reply_to(at, get));
    std::string all = co_await std::move(reply);
    CHECK(all.ends_with("stopping"));
  });
}

// In real time: the kernel delays acknowledgements, and a virtual clock would jump over them.
CUVEE_TEST_CASE("server: a slow but steady reader is not cut by the write limit" *
                doctest::test_suite("slow")) {
  constexpr std::size_t whole = 32 << 20;
  http::app a;
  a.get("/", [] { return std::string(whole, 'x'); });
  http::serve_options o;
  o.write_timeout = 400ms;
  time_point start = loop::current().now();
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get);
    std::vector<char> piece(512 << 10);
    std::size_t size = 0;
    while (size < whole) {
      std::size_t n = co_await c.stream().read_some(piece);
      if (n == 0) break;
      size += n;
      co_await sleep(20ms);
    }
    CHECK(size >= whole);
  });
  CHECK(loop::current().now() - start > 800ms);
}

CUVEE_TEST_CASE("server: the handler's own time does not count against the upload's rate") {
  testing::keep_fifo();  // a body of two pieces
  http::app a;
  a.post("/", [](http::request& req) -> task<std::string> {
    auto first = co_await req.body().next();
    std::string all(first.value_or("none"));
    co_await sleep(20s);
    auto second = co_await req.body().next();
    all += second.value_or("none");
    co_return all;
  });
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    co_await sleep(21s);
    co_await c.send("cd");
    answer done = co_await c.next();
    CHECK(done.status == 200);
    CHECK(done.body == "abcd");
  });
}

CUVEE_TEST_CASE("server: a second pull while one is pending is busy") {
  testing::keep_fifo();  // a body of one piece
  http::app a;
  event asked;
  std::string second;
  a.post("/", [&](http::request& req) -> task<std::string> {
    std::string got;
    auto pull = [&]() -> task<> {
      auto piece = co_await req.body().next();
      got = piece.value_or("none");
    };
    auto pull_too = [&]() -> task<> {
      co_await checkpoint();  // the first one has begun
      try {
        auto piece = co_await req.body().next();
        second = piece.value_or("none");
      } catch (const error& e) {
        second = caught(e);
      }
      asked.set();
    };
    co_await gather(pull(), pull_too());
    co_return got;
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    co_await asked.wait();
    co_await c.send("ok");
    answer done = co_await c.next();
    CHECK(done.body == "ok");
  });
  CHECK(second == "another operation is pending");
}
