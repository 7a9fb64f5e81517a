// SPDX-License-Identifier: MIT
// The end of a connection on which the client still sends: closing at once would make the kernel answer with
// a reset, which destroys what the client has not read yet.
#include "server_case.h"

using namespace server_case;

namespace {

constexpr std::string_view post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";

http::app upload_app() {
  http::app a;
  a.post("/", [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  return a;
}

std::string upload(std::size_t size) {
  return std::string(post) + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
}

bool whole(std::string_view reply, int status, std::string_view end) {
  return status_of(reply) == status && reply.ends_with(end);
}

}  // namespace

CUVEE_TEST_CASE("server: a client that sends all of a refused body first reads its 413 in full") {
  http::app a = upload_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string chunked =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n" +
        std::string(0x400000, 'x') + "\r\n0\r\n\r\n";
    for (const std::string& request : {upload(4 << 20), chunked}) {
      client c = co_await connected(at);
      co_await c.send(request);
      co_await sleep(5ms);
      std::string reply = co_await c.rest();
      CHECK(whole(reply, 413, "\n"));
    }
  });
}

CUVEE_TEST_CASE("server: a client that sends on after its 408 or 431 reads it all the same") {
  http::app a = upload_app();
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await serving(a, [](endpoint at) -> task<> {
    client late = co_await connected(at);
    co_await late.send("POST / HT");
    co_await sleep(15500ms);
    co_await late.send(std::string(100'000, 'y'));
    co_await sleep(1s);
    std::string reply = co_await late.rest();
    CHECK(whole(reply, 408, "too long\n"));

    client stalled = co_await connected(at);
    co_await stalled.send(upload(100'000).substr(0, 50'000));
    co_await sleep(30500ms);
    co_await stalled.send(std::string(50'000, 'y'));
    co_await sleep(1s);
    reply = co_await stalled.rest();
    CHECK(whole(reply, 408, "too long\n"));

    client refused = co_await connected(at);
    co_await refused.send("GET / HTTP/1.1\r\nX: " + std::string(500'000, 'y'));
    co_await sleep(1s);
    reply = co_await refused.rest();
    CHECK(whole(reply, 431, "\n"));
  });
}

CUVEE_TEST_CASE("server: a client that never stops sending is cut after linger_timeout") {
  http::app a = upload_app();
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("nonsense\r\n\r\n");
    for (bool open = true; open;) {
      auto sent = co_await as_result(c.stream().write("x"sv));
      open = sent.has_value();
      co_await sleep(100ms);
      REQUIRE(clock.elapsed() < 5s);
    }
    CHECK(clock.elapsed() > 2s);
  });
}

CUVEE_TEST_CASE("server: a client that sends more than linger_bytes is cut at once") {
  http::app a = upload_app();
  http::serve_options o;
  o.linger_bytes = 100'000;
  o.linger_timeout = 1h;
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await serving(a, o, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    std::string large = upload(64 << 20);
    auto sent = co_await as_result(c.stream().write(large));
    CHECK(!sent);
    CHECK(clock.elapsed() < 1h);
  });
}

CUVEE_TEST_CASE("server: stopping answers in full a client whose body nobody has read") {
  http::app a;
  event asked, go;
  a.post("/", [&]() -> task<std::string> {
    asked.set();
    co_await go.wait();
    co_return "after all";
  });
  http::serve_options o;
  o.port = 0;
  co_await task_group([&](group& g) -> task<> {
    endpoint at = co_await g.start<endpoint>(&http::serve_ready, std::cref(a), o);
    auto user = [&]() -> task<> {
      client c = co_await connected(at);
      co_await c.send(upload(300'000));
      co_await asked.wait();
      g.cancel();
      go.set();
      co_await sleep(20ms);
      std::string reply = co_await c.rest();
      CHECK(whole(reply, 200, "after all"));
    };
    auto held = user();
    co_await shield(std::move(held));
  });
}

CUVEE_TEST_CASE("server: an idle connection has nothing to lose and is closed without lingering") {
  http::app a;
  a.get("/", [] { return "x"; });
  http::serve_options o;
  o.linger_timeout = 1h;
  testing::virtual_clock clock(loop::current(), 1ms);
  std::optional<client> kept;
  co_await serving(a, o, [&](endpoint at) -> task<> {
    kept = co_await connected(at);
    co_await kept->ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await sleep(1s);
  });
  CHECK(clock.elapsed() < 10s);
}
