// SPDX-License-Identifier: MIT
// TCP-7 and 9 speak of servers and come with `serve`; TCP-21 needs injected faults; TCP-22 and the
// order and timing of 24 come with happy eyeballs; TCP-18 is in stream_test ("the sender waits").
#include "io_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/stream_block.h"

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const endpoint any_port("127.0.0.1", 0);

bool has_nodelay(tcp_stream& s) {
  int on = 0;
  socklen_t size = sizeof on;
  getsockopt(s.native().descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
  return on != 0;
}

task<> serve_spam(tcp_listener& l, int clients) {
  auto handle = [](tcp_stream s) -> task<> {
    std::string a = co_await read_exact(s, 1 << 20);
    CHECK(a == std::string(1 << 20, 'A'));
    co_await s.write("OK");
    std::string b = co_await read_exact(s, 1 << 20);
    CHECK(b == std::string(1 << 20, 'B'));
    co_await s.write("SPAM");
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < clients; i++) {
      tcp_stream s = co_await l.accept();
      g.spawn(handle, std::move(s));
    }
  });
}

task<> ask_spam(endpoint to) {
  tcp_stream s = co_await connect(to);
  co_await s.write(std::string(1 << 20, 'A'));
  std::string ok = co_await read_exact(s, 2);
  CHECK(ok == "OK");
  co_await s.write(std::string(1 << 20, 'B'));
  std::string spam = co_await read_exact(s, 4);
  CHECK(spam == "SPAM");
}

task<> echo(tcp_stream s) {
  std::string room(4096, '\0');
  while (std::size_t n = co_await s.read_some(room))
    co_await s.write(std::string_view(room.data(), n));
}

// A port on which nobody listens.
std::uint16_t closed_port() {
  tcp_listener l = listen(any_port);
  return l.local().port();
}

}  // namespace

CUVEE_TEST_CASE("tcp: 25 clients send and receive megabytes") {
  tcp_listener l = listen(any_port);
  std::vector<task<>> all;
  all.push_back(serve_spam(l, 25));
  for (int i = 0; i < 25; i++) all.push_back(ask_spam(l.local()));
  co_await gather(std::move(all));
}

CUVEE_TEST_CASE("tcp: accepted and connected sockets have TCP_NODELAY") {
  connection c = co_await connected();
  CHECK(has_nodelay(c.client));
  CHECK(has_nodelay(c.server));
}

CUVEE_TEST_CASE("tcp: each end knows its own address until it is closed, its peer's for ever") {
  connection c = co_await connected();
  endpoint client = c.client.local(), server = c.server.local();
  CHECK(c.client.peer() == server);
  CHECK(c.server.peer() == client);
  co_await c.client.close();
  CHECK(c.client.peer() == server);
  CHECK_THROWS_AS(c.client.local(), error);
  c.server.abort();
  CHECK(c.server.peer() == client);
}

CUVEE_TEST_CASE("tcp: errors name the peer, also after a reset and after a close") {
  for (bool resets_client : {true, false}) {
    connection c = co_await connected();
    tcp_stream& left = resets_client ? c.client : c.server;
    tcp_stream& gone = resets_client ? c.server : c.client;
    std::string peer = left.peer().to_string();
    gone.abort();
    char byte;
    std::string why = co_await failure(left.read_some(mutable_bytes(&byte, 1)));
    CHECK(why == "read " + peer + ": connection reset by peer (ECONNRESET)");
    why = co_await failure(left.write("x"));
    CHECK(why == "write " + peer + ": broken pipe (EPIPE)");
    co_await left.close();
    why = co_await failure(left.write("x"));
    CHECK(why == "write " + peer + ": closed");
  }
}

CUVEE_TEST_CASE("tcp: a closed listener has no address any more") {
  tcp_listener l = listen(any_port);
  std::string text = "local address tcp " + l.local().to_string() + ": closed";
  l.close();
  CHECK_THROWS_WITH_AS(l.local(), text.c_str(), error);
  CHECK_THROWS_WITH_AS(l.locals(), text.c_str(), error);
  co_return;
}

CUVEE_TEST_CASE("tcp: listeners of both families share a port; two with reuse_port do") {
  tcp_listener v4 = listen(endpoint("0.0.0.0", 0));
  tcp_listener v6 = listen(endpoint("::", v4.local().port()));
  CHECK(v6.local().port() == v4.local().port());

  listen_options shared;
  shared.reuse_port = true;
  tcp_listener one = listen(any_port, shared);
  tcp_listener two = listen(one.local(), shared);
  CHECK(two.local() == one.local());
  co_return;
}

CUVEE_TEST_CASE("tcp: an occupied port is an error that names it") {
  tcp_listener l = listen(any_port);
  std::string at = l.local().to_string();
  CHECK_THROWS_WITH_AS(listen(l.local()),
                       ("listen " + at + ": address already in use (EADDRINUSE)").c_str(), error);
  auto text = co_await failure(listen("192.0.2.1", 80));
  CHECK(text == "listen 192.0.2.1:80: cannot assign requested address (EADDRNOTAVAIL)");
  text = co_await failure(listen("no-such-host.invalid", 80));
  CHECK(text.starts_with("resolve no-such-host.invalid: "));
}

CUVEE_TEST_CASE("tcp: a port that was just used can be listened on again") {
  std::uint16_t port = 0;
  {
    tcp_listener l = listen(any_port);
    port = l.local().port();
    auto [client, server] = co_await gather(connect(l.local()), l.accept());
    co_await server.close();  // this side waits in TIME_WAIT
    co_await read_all(client);
  }
  co_await sleep(1ms);
  tcp_listener again = listen(endpoint("127.0.0.1", port));
  CHECK(again.local().port() == port);
}

CUVEE_TEST_CASE("tcp: connecting to a closed port is refused, naming the address") {
  endpoint to("127.0.0.1", closed_port());
  auto text = co_await failure(connect(to));
  CHECK(text == "connect " + to.to_string() + ": connection refused (ECONNREFUSED)");
}

CUVEE_TEST_CASE("tcp: a name is tried address by address, every failure is kept" *
                doctest::skip(no_localhost())) {
  std::vector<endpoint> addresses = co_await resolve("localhost", closed_port());
  std::exception_ptr failed;
  try {
    co_await connect("localhost", addresses[0].port());
  } catch (const error& e) {
    failed = std::current_exception();
    CHECK(e.code() == std::errc::connection_refused);
  }
  REQUIRE(failed);
  CHECK(suppressed(failed).size() == addresses.size() - 1);

  tcp_listener l = listen(any_port);
  auto [client, server] = co_await gather(connect("localhost", l.local().port()), l.accept());
  CHECK(client.peer() == l.local());
}

CUVEE_TEST_CASE("tcp: a connect that nobody answers is cut by a timeout, its socket is closed") {
  testing::virtual_clock clock(loop::current(), 2ms);
  listen_options small;
  small.backlog = 1;
  tcp_listener l = listen(any_port, small);
  std::vector<tcp_stream> waiting;
  bool timed_out = false;
  for (int i = 0; i < 8 && !timed_out; i++) {  // until the queue is full and SYNs are dropped
    auto s = co_await move_on_after(200ms, connect(l.local()));
    if (s) waiting.push_back(std::move(*s));
    else timed_out = true;
  }
  CHECK(timed_out);
}

CUVEE_TEST_CASE("tcp: a connect cancelled before and during leaves no socket") {
  tcp_listener l = listen(any_port);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await connect(l.local());
  });
  for (int i = 0; i < 100; i++) {
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> { co_await connect(l.local()); });
      for (int turns = i % 3; turns >= 0; turns--) co_await checkpoint();
      h.cancel();
    });
    connection c = co_await connected();  // may get the number of the one closed
    co_await c.client.write("mine");
    std::string got = co_await read_exact(c.server, 4);
    CHECK(got == "mine");
  }
}

CUVEE_TEST_CASE("tcp: those who wait in accept are served in order") {
  tcp_listener l = listen(any_port);
  std::string came, order;
  auto wait = [&](char name) -> task<> {
    came += name;
    tcp_stream s = co_await l.accept();
    order += name;
  };
  auto join = [&]() -> task<> {
    co_await checkpoint();
    for (int i = 0; i < 3; i++) {
      tcp_stream s = co_await connect(l.local());
      co_await read_all(s);
    }
  };
  co_await gather(wait('a'), wait('b'), wait('c'), join());
  CHECK(order == came);
}

CUVEE_TEST_CASE("tcp: a cancelled accept loses no connection") {
  tcp_listener l = listen(any_port);
  auto cut = co_await move_on_after(1ms, l.accept());
  CHECK_FALSE(cut);
  for (int i = 0; i < 50; i++) {
    auto [client, none] = co_await gather(connect(l.local()), checkpoint());
    std::optional<tcp_stream> server;
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> {
        tcp_stream s = co_await l.accept();
        server.emplace(std::move(s));
      });
      for (int turns = i % 4; turns > 0; turns--) co_await checkpoint();
      h.cancel();
    });
    if (!server) {
      tcp_stream s = co_await l.accept();
      server.emplace(std::move(s));
    }
    CHECK(server->peer() == client.local());
  }
}

CUVEE_TEST_CASE("tcp: closing a listener wakes its waiters and refuses new connections") {
  tcp_listener l = listen(any_port);
  endpoint at = l.local();
  auto wait = [&]() -> task<> {
    auto text = co_await failure(l.accept());
    CHECK(text == "accept tcp " + at.to_string() + ": closed");
  };
  auto close = [&]() -> task<> {
    co_await checkpoint();
    l.close();
    l.close();
  };
  co_await gather(wait(), wait(), close());
  auto late = co_await failure_code(l.accept());
  CHECK(late == errc::closed);
  auto code = co_await failure_code(connect(at));
  CHECK(code == std::errc::connection_refused);
}

CUVEE_TEST_CASE("tcp: abort right after accept is safe, the peer sees a reset") {
  tcp_listener l = listen(any_port);
  for (int i = 0; i < 10; i++) {
    auto [client, server] = co_await gather(connect(l.local()), l.accept());
    server.abort();
    auto read = [&]() -> task<> { co_await read_all(client); };
    auto code = co_await failure_code(read());
    CHECK(code == std::errc::connection_reset);
  }
}

CUVEE_TEST_CASE("tcp: a listener dropped with connections in its queue leaves nothing") {
  tcp_listener l = listen(any_port);
  tcp_stream a = co_await connect(l.local());
  tcp_stream b = co_await connect(l.local());
  tcp_listener moved = std::move(l);
  tcp_stream first = co_await moved.accept();
  CHECK(first.peer() == a.local());
}

TEST_CASE("tcp: connect and accept cancelled at every suspension, nothing is left" *
          doctest::skip(no_localhost())) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    auto report = testing::torture([&]() -> task<> {
      tcp_listener l = co_await listen("127.0.0.1", 0);
      auto [client, server] = co_await gather(connect(host, l.local().port()), l.accept());
      co_await client.write("x");
      std::string got = co_await read_exact(server, 1);
      CHECK(got == "x");
    });
    CHECK(report.suspensions > 2);
    CHECK(report.cancelled > 0);
    CHECK(report.leaks == "");
  }
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("tcp: a fast client is not held up by 100 slow ones") {
  tcp_listener l = listen(any_port);
  std::size_t of_others = 0;
  auto slow = [&]() -> task<> {
    tcp_stream s = co_await connect(l.local());
    for (;;) {
      co_await s.write("x");
      std::string x = co_await read_exact(s, 1);
      of_others++;
      co_await sleep(5ms);
    }
  };
  auto serve = [&](group& g) -> task<> {
    for (;;) {
      tcp_stream s = co_await l.accept();
      g.spawn(echo, std::move(s));
    }
  };
  // Counted in what the others do meanwhile, not in time, which a busy machine takes away.
  std::vector<std::size_t> delays;
  co_await task_group([&](group& g) -> task<> {
    g.spawn(serve, std::ref(g));
    for (int i = 0; i < 100; i++) g.spawn(slow);
    tcp_stream s = co_await connect(l.local());
    for (int i = 0; i < 1000; i++) {
      std::size_t before = of_others;
      co_await s.write("ping");
      std::string pong = co_await read_exact(s, 4);
      delays.push_back(of_others - before);
    }
    g.cancel();
  });
  std::sort(delays.begin(), delays.end());
  CHECK(delays[delays.size() * 99 / 100] <= 200);
}

TEST_SUITE_END();
