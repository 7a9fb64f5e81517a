// SPDX-License-Identifier: MIT
#include "scripted_server.h"

#include <cuvee/io/resolver.h>

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scripted;
using namespace std::chrono_literals;

namespace {

http::client_options narrow(std::size_t in_all, std::size_t per_host) {
  http::client_options o;
  o.max_connections = in_all;
  o.max_connections_per_host = per_host;
  return o;
}

/// Lets the loop see what the kernel has.
task<> settle() {
  for (int i = 0; i < 20; i++) co_await sleep(100us);
}

}  // namespace

CUVEE_TEST_CASE("pool: bytes nobody asked for on an idle connection, evict it") {
  // In one piece with the response, and later.
  server with({{ok("a") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, {ok("b")}});
  http::client c;
  auto use = [&]() -> task<> {
    auto a = co_await c.get(with.url());
    CHECK(a.body() == "a");
    CHECK(c.connections() == 0);
    auto b = co_await c.get(with.url());
    CHECK(b.body() == "b");
  };
  co_await with.during(use());
  CHECK(with.connections == 2);

  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string target = "http://" + l.local().to_string() + "/";
  auto serve = [&]() -> task<> {
    tcp_stream s = co_await l.accept();
    char buffer[1024];
    co_await s.read_some(buffer);
    co_await s.write(ok("a"));
    co_await settle();
    co_await s.write("x");
    co_await forever();
  };
  http::client d;
  auto use_later = [&]() -> task<> {
    co_await d.get(target);
    CHECK(d.idle_connections() == 1);
    while (d.connections() != 0) co_await sleep(100us);
  };
  co_await any_of(serve(), use_later());
}

CUVEE_TEST_CASE("pool: the end of an idle connection, evicts it") {
  server s({{ok("a"), then::close}, {ok("b")}});
  http::client c;
  auto use = [&]() -> task<> {
    co_await c.get(s.url());
    while (c.connections() != 0) co_await sleep(100us);
    auto b = co_await c.get(s.url());
    CHECK(b.body() == "b");
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("pool: a stale connection, is replaced once for idempotent requests") {
  for (http::method m : {http::method::get, http::method::put, http::method::post}) {
    // The second request is read and then the connection closed: as if both had crossed.
    server s({{ok("a")}, {"", then::close}, {ok("b")}});
    http::client c;
    std::string text;
    auto use = [&]() -> task<> {
      co_await c.get(s.url());
      text = co_await error_of(c.fetch(http::client_request(m, s.url()).body("x")));
    };
    co_await s.during(use());
    bool repeats = m != http::method::post;
    CHECK(text.empty() == repeats);
    CHECK(s.requests.size() == (repeats ? 3u : 2u));
    CHECK(c.connections() == (repeats ? 1u : 0u));
  }
}

CUVEE_TEST_CASE("pool: a repeated request, is not repeated again, nor one that was answered") {
  server never({{ok("a")}, {"", then::close}});
  server half({{ok("a")}, {"HTTP/1.1 20", then::close}});
  for (server* s : {&never, &half}) {
    http::client c;
    std::string text;
    auto use = [&]() -> task<> {
      co_await c.get(s->url());
      text = co_await error_of(c.get(s->url()));
    };
    co_await s->during(use());
    CHECK(!text.empty());
    CHECK(s->requests.size() == (s == &never ? 3u : 2u));
  }
}

CUVEE_TEST_CASE("pool: a fresh connection that ends without an answer, is an error at once") {
  server s({{"", then::close}});
  std::string text;
  auto use = [&]() -> task<> { text = co_await error_of(http::get(s.url())); };
  co_await s.during(use());
  CHECK(text == "get " + s.url() + ": the server closed without a response");
  CHECK(s.requests.size() == 1);
}

CUVEE_TEST_CASE("pool: more requests than connections, wait their turn") {
  for (std::size_t limit : {1u, 2u, 3u}) {
    server s(ok("a"));
    http::client c(narrow(10, limit));
    int done = 0;
    auto one = [&]() -> task<> {
      auto page = co_await c.get(s.url());
      done += page.body() == "a";
      CHECK(c.connections() <= limit);
    };
    auto use = [&]() -> task<> {
      co_await task_group([&](group& g) -> task<> {
        for (int i = 0; i < 20; i++) g.spawn(one);
        co_return;
      });
    };
    co_await s.during(use());
    CHECK(done == 20);
    CHECK(s.connections == static_cast<int>(limit));
  }
}

CUVEE_TEST_CASE("pool: the limit in all, holds over several hosts and starves none") {
  server a(ok("a")), b(ok("b")), d(ok("d"));
  http::client c(narrow(2, 2));
  int done = 0;
  auto one = [&](server* s) -> task<> {
    auto page = co_await c.get(s->url());
    done += page.ok();
    CHECK(c.connections() <= 2);
  };
  auto use = [&]() -> task<> {
    co_await task_group([&](group& g) -> task<> {
      for (int i = 0; i < 8; i++)
        for (server* s : {&a, &b, &d}) g.spawn(one, s);
      co_return;
    });
  };
  co_await a.during(b.during(d.during(use())));
  CHECK(done == 24);
}

CUVEE_TEST_CASE("pool: an idle connection of another host, makes room") {
  server a(ok("a")), b(ok("b"));
  http::client c(narrow(1, 1));
  auto use = [&]() -> task<> {
    co_await c.get(a.url());
    auto page = co_await c.get(b.url());
    CHECK(page.body() == "b");
    CHECK(c.connections() == 1);
  };
  co_await a.during(b.during(use()));
}

CUVEE_TEST_CASE("pool: idle connections, close after 15 s or what Keep-Alive says") {
  struct expected {
    const char* fields;
    duration lives;
  };
  const expected rules[] = {
      {"", 15s},
      {"Keep-Alive: timeout=5, max=100\r\n", 3s},
      {"Keep-Alive: timeout=600\r\n", 120s},
      {"Keep-Alive: timeout=2\r\n", 0s},
      {"Keep-Alive: timeout=x\r\n", 15s},
  };
  for (const expected& e : rules) {
    CAPTURE(e.fields);
    server s(ok("a", e.fields));
    http::client c;
    auto use = [&]() -> task<> {
      co_await c.get(s.url());
      testing::virtual_clock clock;
      while (c.connections() != 0) co_await sleep(500ms);
      CHECK(clock.elapsed() >= e.lives);
      CHECK(clock.elapsed() <= e.lives + 1s);
    };
    co_await s.during(use());
  }
}

CUVEE_TEST_CASE("pool: the connection used last, is used first") {
  server s(ok("a"));
  http::client c;
  auto get = [&]() -> task<> { co_await c.get(s.url()); };
  auto use = [&]() -> task<> {
    co_await gather(get(), get(), get());
    CHECK(c.idle_connections() == 3);
    testing::virtual_clock clock;
    for (int i = 0; i < 20; i++) {
      co_await sleep(1s);
      co_await c.get(s.url());
    }
    CHECK(c.idle_connections() == 1);
    while (c.connections() != 0) co_await sleep(1s);
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("pool: hosts are looked up by the resolver of the options") {
  resolver_options keep;
  keep.failure_ttl = 1h;
  resolver names(keep);
  http::client_options o;
  o.names = &names;
  http::client c(o);
  std::string host = std::string(64, 'x') + ".invalid";  // a label too long to be asked for
  for (int i = 0; i < 2; i++) {
    auto page = co_await as_result(c.get("http://" + host + "/"));
    REQUIRE_FALSE(page);
    CHECK(page.error().code().category().name() == std::string("lookup"));
  }
  CHECK(names.statistics().asked == 2);
  CHECK(names.statistics().kept == 1);
}
