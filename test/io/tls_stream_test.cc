// SPDX-License-Identifier: MIT
#include "localhost.h"
#include "tls_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace tls_case;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("tls: bytes arrive, then the end of the stream, for ever") {
  testing::keep_fifo();  // what comes at once
  tls_connection c = co_await tls_connected();
  co_await c.client.write("hello");
  co_await c.client.shutdown_write();
  char two[2];
  std::size_t n = co_await c.server.read_some(two);
  CHECK(n > 0);
  std::string rest = co_await read_all(c.server);
  CHECK(std::string(two, n) + rest == "hello");
  for (int i = 0; i < 3; i++) {
    n = co_await c.server.read_some(two);
    CHECK(n == 0);
  }
  co_await c.server.write("the other direction goes on");
  std::string back = co_await read_exact(c.client, 27);
  CHECK(back == "the other direction goes on");
}

CUVEE_TEST_CASE("tls: several spans of several sizes are one write, in order") {
  tls_connection c = co_await tls_connected();
  std::string a = "ab", big = pattern(3'000'000);
  unsigned char d[] = {'d', 'e'};
  auto writes = [&]() -> task<> {
    co_await c.client.write(a, "c", d, std::string_view("fg"));
    co_await c.client.write(a, big, a, big);
    co_await c.client.write("");
    co_await c.client.write();
  };
  auto [none, all] = co_await gather(writes(), read_exact(c.server, 6'000'011));
  bool same = all == "abcdefg" + a + big + a + big;
  CHECK(same);
}

CUVEE_TEST_CASE("tls: both directions at once, whatever the size of a read") {
  std::string data = pattern(1 << 20);
  for (std::size_t piece : {7, 4096, 65536, 1 << 20}) {
    tls_connection c = co_await tls_connected();
    std::string part = piece == 7 ? data.substr(0, 20'000) : data;
    auto [none1, none2, at_server, at_client] =
        co_await gather(send_all(c.client, part), send_all(c.server, part),
                        read_all(c.server, piece), read_all(c.client, piece));
    bool same = at_server == part && at_client == part;
    CHECK(same);
  }
}

CUVEE_TEST_CASE("tls: 25 clients with 1 MiB each way" * doctest::test_suite("slow")) {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  auto one = [&]() -> task<> {
    auto [client, server] = co_await gather(connect(l.local()), l.accept());
    tls_connection c = co_await secured(std::move(client), std::move(server));
    bool same = co_await exchange(c.client, c.server, 1 << 20);
    CHECK(same);
    co_await gather(c.client.close(), c.server.close());
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 25; i++) g.spawn(one);
    co_return;
  });
}

CUVEE_TEST_CASE("tls: TLS inside TLS") {
  for (int i = 0; i < 25; i++) {
    tls_connection outer = co_await tls_connected();
    tls_connection c = co_await secured(std::move(outer.client), std::move(outer.server));
    bool same = co_await exchange(c.client, c.server, i == 0 ? 1 << 20 : 20'000);
    CHECK(same);
    endpoint peer = c.client.peer();
    CHECK(peer.address() == "127.0.0.1");
    co_await gather(c.client.close(), c.server.close());
  }
}

CUVEE_TEST_CASE("tls: start_tls after plain text, on both sides") {
  connection plain = co_await connected();
  co_await plain.client.write("HELLO");
  std::string hello = co_await read_exact(plain.server, 5);
  CHECK(hello == "HELLO");
  tls_connection c = co_await secured(std::move(plain.client), std::move(plain.server));
  bool same = co_await exchange(c.client, c.server, 100 * 1024);
  CHECK(same);
}

CUVEE_TEST_CASE("tls: start_tls loses no byte that was read with the plain text") {
  connection plain = co_await connected();
  auto client = [&]() -> task<tls_stream> {
    co_await plain.client.write("GO");
    co_return co_await start_tls(std::move(plain.client), client_context(), "localhost");
  };
  auto server = [&]() -> task<tls_stream> {
    char byte;
    // The second read leaves "O" and what follows in the window, the ClientHello with it.
    co_await plain.server.read_some(mutable_bytes(&byte, 1));
    co_await sleep(10ms);
    co_await plain.server.read_some(mutable_bytes(&byte, 1));
    CHECK(byte == 'O');
    co_return co_await start_tls(std::move(plain.server), server_context());
  };
  auto [a, b] = co_await gather(client(), server());
  bool same = co_await exchange(a, b, 100 * 1024);
  CHECK(same);
}

CUVEE_TEST_CASE("tls: a second reader or writer is refused, the first is unharmed") {
  tls_connection c = co_await tls_connected();
  const std::string big = pattern(32 << 20);
  char byte, other;
  auto read = [&]() -> task<> { co_await c.client.read_some(mutable_bytes(&byte, 1)); };
  auto write = [&]() -> task<> { co_await send_all(c.client, big); };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(read);
    g.spawn(write);
    co_await sleep(5ms);  // the kernel's buffers are full, and nobody reads
    auto code = co_await failure_code(c.client.read_some(mutable_bytes(&other, 1)));
    CHECK(code == errc::busy);
    code = co_await failure_code(c.client.write("x"));
    CHECK(code == errc::busy);
    co_await c.server.write("!");
    std::string got = co_await read_all(c.server);
    bool same = got == big;
    CHECK(same);
  });
  CHECK(byte == '!');
}

CUVEE_TEST_CASE("tls: a stream with a read under way does not start TLS") {
  connection plain = co_await connected();
  co_await task_group([&](group& g) -> task<> {
    auto read = [&]() -> task<> {
      char byte;
      auto code = co_await failure_code(plain.client.read_some(mutable_bytes(&byte, 1)));
      CHECK(code == errc::closed);
    };
    g.spawn(read);
    co_await checkpoint();
    detail::stream_block& block = plain.client.native();
    (void)block;
    auto code =
        co_await failure_code(start_tls(std::move(plain.client), client_context(), "localhost"));
    CHECK(code == errc::busy);
  });
}

CUVEE_TEST_CASE("tls: a cancelled read consumes no byte") {
  tls_connection c = co_await tls_connected();
  bool whole = co_await cancelled_reads_lose_nothing(c.client, c.server, 300);
  CHECK(whole);
}

CUVEE_TEST_CASE("tls: a read cancelled before it starts takes no byte that waits") {
  tls_connection c = co_await tls_connected();
  co_await c.client.write("1");
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    char byte;
    co_await c.server.read_some(mutable_bytes(&byte, 1));
    CHECK(false);
  });
  std::string got = co_await read_exact(c.server, 1);
  CHECK(got == "1");
}

CUVEE_TEST_CASE("tls: a write cancelled half-way closes the stream, and its peer sees a cut") {
  tls_connection c = co_await tls_connected();
  std::string big(32 << 20, 'x');
  auto cut = co_await move_on_after(20ms, c.client.write(big));
  CHECK_FALSE(cut);
  CHECK_FALSE(c.client.is_open());
  auto code = co_await failure_code(c.client.write("x"));
  CHECK(code == errc::closed);
  char byte;
  code = co_await failure_code(c.client.read_some(mutable_bytes(&byte, 1)));
  CHECK(code == errc::closed);
  code = co_await failure_code(read_all(c.server));
  CHECK(code == tls_errc::truncated);
}

CUVEE_TEST_CASE("tls: a write cancelled before it starts leaves the stream whole") {
  tls_connection c = co_await tls_connected();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await c.client.write("never");
    CHECK(false);
  });
  bool same = co_await exchange(c.client, c.server, 1000);
  CHECK(same);
}

CUVEE_TEST_CASE("tls: nobody reads, so a writer waits, and memory stays small") {
  tls_connection c = co_await tls_connected();
  std::string big = pattern(32 << 20);
  bool written = false;
  auto write = [&]() -> task<> {
    co_await send_all(c.client, big);
    written = true;
  };
  auto read = [&]() -> task<> {
    co_await sleep(30ms);
    CHECK_FALSE(written);
    std::string got = co_await read_all(c.server);
    bool same = got == big;
    CHECK(same);
  };
  co_await gather(write(), read());
}

CUVEE_TEST_CASE("tls: data and the end that come while nobody reads are there, in order") {
  tls_connection c = co_await tls_connected();
  co_await c.client.write(pattern(200'000));
  co_await c.client.shutdown_write();
  co_await sleep(10ms);
  std::string got = co_await read_all(c.server, 1000);
  bool same = got == pattern(200'000);
  CHECK(same);
}

CUVEE_TEST_CASE("tls: new keys while both sides send") {
  tls_connection c = co_await tls_connected();
  const std::string data = pattern(100'000);
  auto send = [&](tls_stream& s) -> task<> {
    for (int i = 0; i < 20; i++) {
      s.update_keys();
      co_await s.write(data);
    }
    co_await s.shutdown_write();
  };
  std::string all;
  for (int i = 0; i < 20; i++) all += data;
  auto [none1, none2, a, b] =
      co_await gather(send(c.client), send(c.server), read_all(c.client), read_all(c.server));
  bool same = a == all && b == all;
  CHECK(same);
}

CUVEE_TEST_CASE("tls: what was agreed on") {
  tls_connection c = co_await tls_connected();
  tls_info i = c.client.info();
  CHECK(i.protocol == "TLSv1.3");
  REQUIRE(i.peer);
  CHECK(i.peer->subject == "CN=server");
  CHECK(c.server.info().server_name == "localhost");
  endpoint peer = c.client.peer(), local = c.server.local();
  CHECK(peer == local);
}

CUVEE_TEST_CASE("tls: tls_connect checks the host it was given") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::uint16_t port = l.local().port();
  auto serve = [&]() -> task<> {
    for (int i = 0; i < 2; i++) {
      tcp_stream s = co_await l.accept();
      auto ignored = co_await as_result(start_tls(std::move(s), server_context()));
      if (ignored) co_await ignored->close();
    }
  };
  auto client = [&]() -> task<> {
    tls_stream s = co_await tls_connect("127.0.0.1", port, client_context());
    co_await s.close();
    std::string why = co_await failure(tls_connect("127.0.0.1", port));
    CHECK(why == "tls handshake 127.0.0.1:" + std::to_string(port) +
                     ": the certificate's issuer is not trusted (CN=server)");
  };
  co_await gather(serve(), client());
}

CUVEE_TEST_CASE("tls: tls_connect takes the options of connect, a resolver among them" *
                doctest::skip(no_localhost())) {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::uint16_t port = l.local().port();
  resolver names;
  connect_options o;
  o.names = &names;
  o.local = endpoint("127.0.0.2", 0);
  auto serve = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      tcp_stream s = co_await l.accept();
      CHECK(s.peer().address() == "127.0.0.2");
      auto ignored = co_await as_result(start_tls(std::move(s), server_context()));
      if (ignored) co_await ignored->close();
    }
  };
  auto client = [&]() -> task<> {
    for (int i = 0; i < 2; i++) {
      tls_stream s = co_await tls_connect("localhost", port, client_context(), o);
      co_await s.close();
    }
    std::string why = co_await failure(tls_connect("localhost", port, o));
    CHECK(why.ends_with(": the certificate's issuer is not trusted (CN=server)"));
  };
  co_await gather(serve(), client());
  CHECK(names.statistics().asked == 3);
  CHECK(names.statistics().kept == 2);
}
