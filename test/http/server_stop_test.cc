// SPDX-License-Identifier: MIT
// The end of a server, and what one connection can do to others.
#include "server_case.h"

#include <cuvee/testing/torture.h>

using namespace server_case;

namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

CUVEE_TEST_CASE("server: stopping closes idle connections at once and lets answers finish") {
  http::app a;
  event asked;
  a.get("/", [&]() -> task<std::string> {
    asked.set();
    co_await sleep(10s);
    co_return "after all";
  });
  a.get("/now", [] { return "now"; });
  testing::virtual_clock clock(loop::current(), 1ms);
  http::serve_options o;
  o.port = 0;
  event stop;
  endpoint at;
  auto server = [&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      at = co_await g.start<endpoint>(&http::serve_ready, std::cref(a), o);
      co_await stop.wait();
      g.cancel();
    });
  };
  auto clients = [&]() -> task<> {
    while (at.port() == 0) co_await checkpoint();
    client idle = co_await connected(at), fresh = co_await connected(at),
           busy = co_await connected(at);
    answer now = co_await idle.ask("GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(now.body == "now");
    co_await busy.send(get);
    co_await asked.wait();
    stop.set();
    std::string nothing = co_await idle.rest();
    CHECK(nothing.empty());
    nothing = co_await fresh.rest();
    CHECK(nothing.empty());
    CHECK(clock.elapsed() < 1s);
    auto refused = co_await as_result(connect(at));
    CHECK(!refused);
    answer late = co_await busy.next();
    CHECK(late.body == "after all");
    CHECK(late.has("Connection: close"));
    nothing = co_await busy.rest();
    CHECK(nothing.empty());
  };
  co_await gather(server(), clients());
  CHECK(clock.elapsed() < 15s);
}

CUVEE_TEST_CASE("server: stopping cuts what has not ended by shutdown_timeout, without a report") {
  reports seen;
  http::app a;
  bool unwound = false;
  struct flag {
    bool& set;
    ~flag() { set = true; }
  };
  event asked;
  a.get("/", [&]() -> task<std::string> {
    flag f{unwound};
    asked.set();
    co_await forever();
    co_return "never";
  });
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send(get);
    co_await asked.wait();
  });
  CHECK(clock.elapsed() >= 30s);
  CHECK(clock.elapsed() < 31s);
  CHECK(unwound);
  CHECK(seen.messages.empty());
}

CUVEE_TEST_CASE(
    "server: stopped with 100 clients of which 10 stall, 90 finish, 10 are cut in time") {
  http::app a;
  int asked = 0;
  event all_asked;
  auto arrived = [&] {
    if (++asked == 100) all_asked.set();
  };
  a.get("/", [&]() -> task<std::string> {
    arrived();
    co_await sleep(5s);
    co_return "finished";
  });
  a.get("/stall", [&]() -> task<std::string> {
    arrived();
    co_await forever();
    co_return "never";
  });
  testing::virtual_clock clock(loop::current(), 1ms);
  int finished = 0, cut = 0;
  auto ask = [&](endpoint at, std::string path) -> task<> {
    client c = co_await connected(at);
    co_await c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    auto got = co_await as_result(c.rest());
    bool whole = got && got->ends_with("finished");
    ++(whole ? finished : cut);
  };
  co_await task_group([&](group& clients) -> task<> {
    co_await serving(a, [&](endpoint at) -> task<> {
      for (int i = 0; i < 100; i++) clients.spawn(ask, at, i % 10 == 3 ? "/stall"s : "/"s);
      co_await all_asked.wait();
    });
  });
  CHECK(finished == 90);
  CHECK(cut == 10);
  CHECK(clock.elapsed() >= 30s);
  CHECK(clock.elapsed() < 33s);
}

CUVEE_TEST_CASE("server: an address in use is one error that names it") {
  http::app a;
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  http::serve_options o;
  o.port = l.local().port();
  auto r = co_await as_result(http::serve(a, o));
  REQUIRE(!r);
  CHECK(r.error().what() ==
        "listen " + l.local().to_string() + ": address already in use (EADDRINUSE)");
}

CUVEE_TEST_CASE("server: two servers on one loop do not disturb each other") {
  http::app a, b;
  a.get("/", [] { return "a"; });
  b.get("/", [] { return "b"; });
  co_await serving(a, [&](endpoint at_a) -> task<> {
    co_await serving(b, [&](endpoint at_b) -> task<> {
      client first = co_await connected(at_a), second = co_await connected(at_b);
      answer from_a = co_await first.ask(get), from_b = co_await second.ask(get);
      CHECK(from_a.body == "a");
      CHECK(from_b.body == "b");
    });
  });
}

CUVEE_TEST_CASE("server: a client that resets or stalls at any byte harms nobody") {
  reports seen;
  http::app a;
  a.post("/", [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  a.get("/", [] { return "x"; });
  std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nT: "
      "v\r\n\r\n";
  http::serve_options o;
  o.shutdown_timeout = 1ms;  // for those that stall
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client other = co_await connected(at);
    std::vector<client> stalled;
    for (std::size_t n = 0; n <= request.size(); n++) {
      client resets = co_await connected(at);
      client stalls = co_await connected(at);
      co_await resets.send(request.substr(0, n));
      co_await stalls.send(request.substr(0, n));
      co_await checkpoint();
      resets.stream().abort();
      stalled.push_back(std::move(stalls));
      answer r = co_await other.ask(get);
      CHECK(r.body == "x");
    }
  });
  CHECK(seen.messages.empty());
}

TEST_CASE("server: an exchange can be cancelled at every suspension") {
  http::app a;
  a.get("/", []() -> task<std::string> {
    co_await checkpoint();
    co_return "x";
  });
  a.post("/", [](http::request& r, http::response_writer& out) -> task<> {
    while (auto piece = co_await r.body().next()) co_await out.write(*piece);
  });
  auto report = testing::torture([&]() -> task<> {
    http::serve_options o;
    o.shutdown_timeout = 10ms;
    co_await serving(a, o, [](endpoint at) -> task<> {
      client c = co_await connected(at);
      co_await c.ask(get);
      co_await c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
      co_await c.send("def");
      co_await c.next();
    });
  });
  CHECK(report.suspensions > 10);
  CHECK(report.leaks == "");
}
