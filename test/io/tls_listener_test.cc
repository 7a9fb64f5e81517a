// SPDX-License-Identifier: MIT
#include "tls_case.h"
#include "until_closed_case.h"

#include <cuvee/core/as_result.h>
#include <cuvee/io/tls_listener.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace tls_case;
using namespace std::chrono_literals;

namespace {

tls_listener listening(tls_listen_options o = {}) {
  return tls_listener(listen(endpoint("127.0.0.1", 0)), server_context(), o);
}

task<tls_stream> client_of(const tls_listener& l) {
  endpoint at = l.local();
  co_return co_await tls_connect(at.address(), at.port(), client_context());
}

}  // namespace

CUVEE_TEST_CASE("tls listener: clients that shake hands slowly hold up nobody") {
  tls_listener l = listening();
  tcp_stream slow1 = co_await connect(l.local());
  tcp_stream slow2 = co_await connect(l.local());
  for (int i = 0; i < 3; i++) {
    auto [client, server] = co_await gather(client_of(l), l.accept());
    bool same = co_await exchange(client, server, 10'000);
    CHECK(same);
  }
}

CUVEE_TEST_CASE("tls listener: failed handshakes are told, and are no failure of accept") {
  tls_listener l = listening();
  std::string why;
  l.on_failed_handshake([&](const error& e) { why = e.what(); });
  tcp_stream stranger = co_await connect(l.local());
  co_await stranger.write("GET / HTTP/1.0\r\n\r\n");
  auto [client, server] = co_await gather(client_of(l), l.accept());
  auto end =
      co_await as_result(read_all(stranger));  // closed, or reset where bytes were left unread
  CHECK((!end || end->empty()));
  CHECK(why.starts_with("tls handshake 127.0.0.1:"));
  CHECK(why.ends_with(": http request"));
}

CUVEE_TEST_CASE("tls listener: a cancelled accept loses no connection") {
  tls_listener l = listening();
  auto none = co_await move_on_after(1ms, l.accept());
  CHECK_FALSE(none);
  tls_stream client = co_await client_of(l);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await l.accept();
    CHECK(false);
  });
  tls_stream server = co_await l.accept();
  bool same = co_await exchange(client, server, 1000);
  CHECK(same);
}

CUVEE_TEST_CASE("tls listener: close tells those who wait, what is ready can still be had") {
  tls_listener l = listening();
  tls_stream client = co_await client_of(l);
  co_await sleep(5ms);
  l.close();
  tls_stream server = co_await l.accept();
  bool same = co_await exchange(client, server, 1000);
  CHECK(same);
  std::string why = co_await failure(l.accept());
  CHECK(why == "accept tls listener: closed");
}

CUVEE_TEST_CASE("tls listener: clients beyond the limit wait in the kernel") {
  tls_listener l = listening({.max_handshakes = 1, .max_waiting = 1});
  std::vector<tls_stream> clients;
  auto connect_all = [&]() -> task<> {
    for (int i = 0; i < 5; i++) clients.push_back(co_await client_of(l));
  };
  auto accept_all = [&]() -> task<> {
    for (int i = 0; i < 5; i++) {
      co_await sleep(2ms);
      tls_stream s = co_await l.accept();
      co_await s.write("!");
    }
  };
  co_await gather(connect_all(), accept_all());
  CHECK(clients.size() == 5);
}

CUVEE_TEST_CASE(
    "tls listener: until_closed ends with a close, at once behind it, and when cancelled") {
  tls_listener l = listening();
  co_await check_until_closed(l);
}

CUVEE_TEST_CASE("tls listener: serve at its limit notices that it is closed, and drains") {
  tls_listener l = listening();
  serve_limits one;
  one.most_connections = 1;
  one.drain = 1ms;
  auto echo = [](tls_stream s) -> task<> { co_await copy(s, s); };
  auto client = [&]() -> task<> {
    tls_stream s = co_await client_of(l);
    co_await s.write("x");
    std::string said = co_await read_exact(s, 1);
    CHECK(said == "x");
    l.close();
    auto rest = co_await as_result(read_all(s));  // the handler is cancelled
    CHECK((!rest || rest->empty()));
  };
  task<> serving = serve(l, echo, one), asking = client();
  co_await gather(std::move(serving), std::move(asking));
}

TEST_CASE("tls listener: torture") {
  auto body = []() -> task<> {
    tls_listener l = listening();
    auto [client, server] = co_await gather(client_of(l), l.accept());
    bool same = co_await exchange(client, server, 100);
    CHECK(same);
  };
  server_context();
  client_context();
  auto report = testing::torture(body);
  CHECK_MESSAGE(report.leaks.empty(), report.leaks);
}
