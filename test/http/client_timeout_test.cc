// SPDX-License-Identifier: MIT
#include "scripted_server.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scripted;
using namespace std::chrono_literals;

namespace {

struct stall {
  const char* text;
  const char* why;
  duration http::client_options::* limit;  // the others are never reached
};

template <class Set>
http::client with_option(Set set) {
  http::client_options o;
  set(o);
  return http::client(o);
}

}  // namespace

CUVEE_TEST_CASE("client timeouts: a stall, says where and closes the connection") {
  auto head = &http::client_options::header_timeout, body = &http::client_options::read_timeout;
  const stall stalls[] = {
      {"", "waiting for the response timed out", head},
      {"HTTP/1.1 200 OK\r\nContent-", "waiting for the response timed out", head},
      {"HTTP/1.1 100 Continue\r\n\r\n", "waiting for the response timed out", head},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "reading the body timed out", body},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n", "reading the body timed out",
       body},
      {"HTTP/1.1 200 OK\r\n\r\nabc", "reading the body timed out", body},
  };
  for (const stall& e : stalls) {
    CAPTURE(e.text);
    server s({{e.text, then::stall}});
    http::client c = with_option([&](http::client_options& o) { o.*e.limit = 3ms; });
    std::string text;
    auto use = [&]() -> task<> { text = co_await error_of(c.get(s.url())); };
    co_await s.during(use());
    CHECK(text == "get " + s.url() + ": " + e.why);
    CHECK(c.connections() == 0);
  }
}

CUVEE_TEST_CASE("client timeouts: the total time, holds over everything") {
  server s({{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then::stall}});
  http::client c = with_option([](http::client_options& o) { o.total_timeout = 3ms; });
  std::string text;
  std::error_code code;
  auto get = [&]() -> task<> {
    try {
      co_await c.get(s.url());
    } catch (const timeout_error& e) {
      text = e.what();
      code = e.code();
    }
  };
  co_await s.during(get());
  CHECK(text == "get " + s.url() + ": total time ran out");
  CHECK(code == std::errc::timed_out);
}

CUVEE_TEST_CASE("client timeouts: waiting for a connection and connecting, have their own") {
  server s({{"", then::stall}});
  http::client c = with_option([](http::client_options& o) {
    o.max_connections_per_host = 1;
    o.pool_timeout = 3ms;
  });
  auto first = [&]() -> task<> { co_await c.get(s.url()); };
  auto second = [&]() -> task<> {
    co_await checkpoint();  // the first one has the connection
    std::string text = co_await error_of(c.get(s.url()));
    CHECK(text == "get " + s.url() + ": waiting for a free connection timed out");
  };
  auto use = [&]() -> task<> { co_await any_of(first(), second()); };
  co_await s.during(use());

  http::client hasty = with_option([](http::client_options& o) { o.connect_timeout = 0ms; });
  std::string text = co_await error_of(hasty.get(s.url()));
  CHECK(text == "get " + s.url() + ": connecting timed out");
  CHECK(hasty.connections() == 0);
}

CUVEE_TEST_CASE("client timeouts: a slow reader of a response stream, is not the server's fault") {
  server s(ok(std::string(100'000, 'x')));
  testing::virtual_clock clock(loop::current(), 1ms);
  http::client c = with_option([](http::client_options& o) { o.read_timeout = 5s; });
  auto use = [&]() -> task<> {
    auto r = co_await c.open(http::client_request(http::method::get, s.url()));
    std::size_t size = 0;
    while (auto chunk = co_await r.body().next()) {
      size += chunk->size();
      co_await sleep(8s);
    }
    CHECK(size == 100'000);
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("client cancel: before the start, does nothing at all") {
  server s(ok("a"));
  http::client c;
  auto use = [&]() -> task<> {
    co_await move_on_after(0s, [&]() -> task<> {
      co_await task_group([&](group& g) -> task<> {
        auto h = g.spawn([&]() -> task<> { co_await c.get(s.url()); });
        h.cancel();
        co_return;
      });
    }());
  };
  co_await s.during(use());
  CHECK(s.requests.empty());
  CHECK(c.connections() == 0);
}

CUVEE_TEST_CASE(
    "client cancel: during the exchange, closes the connection and the next get is right") {
  server s(
      {{ok("one")}, {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", then::stall}, {ok("two")}});
  http::client c;
  auto use = [&]() -> task<> {
    co_await c.get(s.url());
    auto cut = co_await move_on_after(3ms, c.get(s.url()));
    CHECK(!cut);
    CHECK(c.connections() == 0);
    auto page = co_await c.get(s.url());
    CHECK(page.body() == "two");
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("client cancel: while waiting for a connection, leaves the queue") {
  server s({{"", then::stall}, {ok("b")}});
  http::client c = with_option([](http::client_options& o) { o.max_connections_per_host = 1; });
  auto use = [&]() -> task<> {
    auto both = [&]() -> task<> {
      auto one = [&]() -> task<> { co_await c.get(s.url()); };
      co_await gather(one(), one(), one());
    };
    co_await task_group([&](group& g) -> task<> {
      g.spawn(both);
      while (s.requests.empty()) co_await sleep(1ms);
      g.cancel();
    });
    auto page = co_await c.get(s.url());
    CHECK(page.body() == "b");
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("client cancel: of a chunk read, loses no byte") {
  testing::keep_fifo();  // the first part at once
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  event more;
  auto serve = [&]() -> task<> {
    tcp_stream s = co_await l.accept();
    char buffer[1024];
    co_await s.read_some(buffer);
    co_await s.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    co_await more.wait();
    co_await s.write("def");
    co_await forever();
  };
  auto use = [&]() -> task<> {
    http::client c;
    auto r = co_await c.open(
        http::client_request(http::method::get, "http://" + l.local().to_string() + "/"));
    std::string all;
    auto first = co_await r.body().next();
    all += first.value_or("");
    auto cut = co_await move_on_after(2ms, r.body().next());
    CHECK(!cut);
    more.set();
    std::string rest = co_await r.body().text();
    CHECK(all + rest == "abcdef");
  };
  co_await any_of(serve(), use());
}

TEST_CASE("client torture: redirects, pool, chunks and uploads, cancelled at every suspension" *
          doctest::test_suite("slow")) {
  auto body = []() -> task<> {
    server s({{moved(302, "/b")},
              {ok("first")},
              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
              {ok(std::string(70'000, 'x'))},
              {"", then::close},
              {"HTTP/1.1 200 OK\r\n\r\nto the end", then::close},
              {ok("upload")}});
    http::client_options o;
    o.max_connections_per_host = 1;
    http::client c(o);
    auto use = [&]() -> task<> {
      auto one = [&]() -> task<> { co_await c.get(s.url()); };
      co_await gather(one(), one());
      auto r = co_await c.open(http::client_request(http::method::get, s.url()));
      while (auto chunk = co_await r.body().next()) {
      }
      co_await c.get(s.url());
      co_await c.get(s.url());
      http::client_request upload(http::method::put, s.url());
      upload.body(std::string(3'000'000, 'u'));
      co_await c.fetch(std::move(upload));
    };
    co_await s.during(use());
  };
  testing::torture_report r = testing::torture(body);
  CHECK(r.leaks == "");
  CHECK(r.suspensions > 20);
  CHECK(r.cancelled + r.completed > 0);
}
