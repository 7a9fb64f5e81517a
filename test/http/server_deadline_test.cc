// SPDX-License-Identifier: MIT
// How long the server waits: for a head, the next request, a body. In virtual time.
#include "server_case.h"

using namespace server_case;

namespace {

constexpr auto quiet = 1ms;  // for the bytes that are on their way through the kernel

http::app small_app() {
  http::app a;
  a.get("/", [] { return "x"; });
  a.post("/", [](http::request& r) -> task<std::string> {
    std::string text = co_await r.body().text();
    co_return std::to_string(text.size());
  });
  return a;
}

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends a byte every `gap` until the server answers or closes; what it says.
task<std::string> drip(client& c, std::string_view bytes, duration gap) {
  for (char byte : bytes) {
    std::string_view one(&byte, 1);
    auto sent = co_await as_result(c.stream().write(one));
    if (!sent) break;
    auto reply = co_await move_on_after(gap, c.until("\r\n"));
    if (reply) co_return *reply;
  }
  co_return "nothing";
}

struct row {
  std::string sent;
  duration lasts;
  int status;  // 0: closed without a word
};

}  // namespace

CUVEE_TEST_CASE("server: silence is ended by the deadline of its phase") {
  http::app a = small_app();
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, [&](endpoint at) -> task<> {
    std::string kept(get);
    const row rows[] = {
        {"", 15s, 0},
        {"GET / HT", 15s, 408},
        {kept, 75s, 200},
        {kept + "GET /", 15s, 408},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + std::string(4000, 'x'),
         5s + 4000s / 240, 408},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + std::string(40000, 'x'),
         30s, 408},
    };
    for (const row& r : rows) {
      duration start = clock.elapsed();
      std::string reply = co_await reply_to(at, r.sent);
      CAPTURE(r.sent.substr(0, 60));
      duration lasted = clock.elapsed() - start;
      CHECK(lasted >= r.lasts);
      CHECK(lasted < r.lasts + 1s);
      std::size_t last = reply.rfind("HTTP/1.1 ");
      CHECK(status_of(last == reply.npos ? "" : reply.substr(last)) == r.status);
    }
  });
}

CUVEE_TEST_CASE("server: the deadline for a head is absolute, a byte every 2 s does not help") {
  http::app a = small_app();
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, [&](endpoint at) -> task<> {
    std::string slow = "GET /" + std::string(100, 'a');
    client fresh = co_await connected(at);
    std::string reply = co_await drip(fresh, slow, 2s);
    CHECK(status_of(reply) == 408);
    CHECK(clock.elapsed() < 16s);
    client kept = co_await connected(at);
    co_await kept.ask(get);
    co_await sleep(60s);  // idle time does not count
    duration start = clock.elapsed();
    std::string second = co_await drip(kept, slow, 2s);
    CHECK(status_of(second) == 408);
    CHECK(clock.elapsed() - start >= 15s);
    CHECK(clock.elapsed() - start < 16s);
  });
}

CUVEE_TEST_CASE("server: an upload below 240 bytes a second is cut, one above is served") {
  http::app a = small_app();
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, [&](endpoint at) -> task<> {
    std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n";
    client slow = co_await connected(at);
    co_await slow.send(head);
    std::string reply = co_await drip(slow, std::string(40, 'x'), 2s);
    CHECK(status_of(reply) == 408);
    CHECK(clock.elapsed() < 8s);
    client steady = co_await connected(at);
    co_await steady.send(head);
    for (int i = 0; i < 10; i++) {
      co_await steady.send(std::string(600, 'x'));
      co_await sleep(2s);
    }
    answer r = co_await steady.next();
    CHECK(r.body == "6000");
  });
}

CUVEE_TEST_CASE("server: a request that takes 300 s to arrive is cut although it is never slow") {
  http::app a = small_app();
  http::serve_options o;
  o.body_bytes_per_second = 0;
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n");
    std::string reply = co_await drip(c, std::string(20, 'x'), 29s);
    CHECK(status_of(reply) == 408);
    CHECK(clock.elapsed() >= 300s);
    CHECK(clock.elapsed() < 321s);
  });
}

CUVEE_TEST_CASE("server: a handler may take as long as it likes") {
  http::app a;
  a.get("/", []() -> task<std::string> {
    co_await sleep(24h);
    co_return "late";
  });
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer r = co_await c.ask(get);
    CHECK(r.body == "late");
    CHECK(clock.elapsed() >= 24h);
  });
}

CUVEE_TEST_CASE("server: deadlines follow the options") {
  http::app a = small_app();
  http::serve_options o;
  o.header_timeout = 2s;
  o.idle_timeout = 3s;
  testing::virtual_clock clock(loop::current(), quiet);
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer r = co_await c.ask(get);
    CHECK(r.has("Keep-Alive: timeout=3"));
    std::string more = co_await c.rest();
    CHECK(more.empty());
    CHECK(clock.elapsed() >= 3s);
    CHECK(clock.elapsed() < 4s);
    std::string reply = co_await reply_to(at, "GET");
    CHECK(status_of(reply) == 408);
    CHECK(clock.elapsed() < 6s);
  });
}

CUVEE_TEST_CASE("server: the limits for a body and for writing do not stand in for each other") {
  http::app a = small_app();
  a.get("/large", [] { return std::string(64 << 20, 'x'); });
  http::serve_options o;
  testing::virtual_clock clock(loop::current(), 5ms);
  for (bool write_is_short : {false, true}) {
    o.body_timeout = write_is_short ? 100s : 3s;
    o.write_timeout = write_is_short ? 3s : 100s;
    o.body_bytes_per_second = 0;
    co_await serving(a, o, [&](endpoint at) -> task<> {
      duration start = clock.elapsed();
      client stalled = co_await connected(at);
      co_await stalled.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
      answer late = co_await stalled.next();
      CHECK(late.status == 408);
      CHECK(clock.elapsed() - start >= o.body_timeout);
      CHECK(clock.elapsed() - start < o.body_timeout + 1s);

      client deaf = co_await connected(at);
      co_await deaf.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
      co_await sleep(o.write_timeout / 2);
      std::string some = co_await deaf.some();  // it is there, and goes on waiting
      CHECK(!some.empty());
      co_await sleep(o.write_timeout * 3);
      auto cut = co_await as_result(deaf.rest());
      CHECK((!cut || cut->size() < (64u << 20)));
    });
  }
}
