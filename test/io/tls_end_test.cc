// SPDX-License-Identifier: MIT
// How TLS connections end: in time, in order, cut short.
#include "tls_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace tls_case;
using namespace std::chrono_literals;

namespace {

tls_client_context client_with(duration handshake, duration shutdown) {
  return tls_client_context(
      test_ca::client_options().handshake_timeout(handshake).shutdown_timeout(shutdown));
}

// Passes ciphertext on, both ways, until a side ends or `most` bytes went by.
task<> relay(stream& from, stream& to, std::size_t most) {
  std::string room(4096, '\0');
  while (most != 0) {
    std::size_t n =
        co_await from.read_some(mutable_bytes(room.data(), std::min(most, room.size())));
    if (n == 0) break;
    most -= n;
    co_await to.write(std::string_view(room).substr(0, n));
  }
}

}  // namespace

CUVEE_TEST_CASE("tls: a silent server runs into the handshake timeout") {
  connection plain = co_await connected();
  tls_client_context c = client_with(20ms, 1s);
  std::string why = co_await failure(start_tls(std::move(plain.client), c, "localhost"));
  CHECK(why.starts_with("tls handshake localhost:"));
  CHECK(why.ends_with(": timed out"));
  std::string hello = co_await read_all(plain.server);  // and the socket is closed
  CHECK(hello.size() > 100);
}

CUVEE_TEST_CASE("tls: a silent client runs into the handshake timeout, others go on") {
  connection silent = co_await connected();
  tls_server_context s(test_ca::server_options().handshake_timeout(20ms));
  auto refuse = [&]() -> task<> {
    auto code = co_await failure_code(start_tls(std::move(silent.server), s));
    CHECK(code == std::errc::timed_out);
  };
  auto other = [&]() -> task<> {
    tls_connection c = co_await tls_connected();
    bool same = co_await exchange(c.client, c.server, 1000);
    CHECK(same);
  };
  co_await gather(refuse(), other());
  std::string end = co_await read_all(silent.client);
  CHECK(end.empty());
}

CUVEE_TEST_CASE("tls: a peer that leaves in the midst of the handshake") {
  connection plain = co_await connected();
  auto leave = [&]() -> task<> {
    char byte;
    co_await plain.server.read_some(mutable_bytes(&byte, 1));
    co_await plain.server.shutdown_write();
  };
  auto shake = [&]() -> task<> {
    auto result =
        co_await as_result(start_tls(std::move(plain.client), client_context(), "localhost"));
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::end_of_stream);
  };
  co_await gather(leave(), shake());
}

CUVEE_TEST_CASE("tls: a refused certificate is told to both sides") {
  connection plain = co_await connected();
  tls_client_context strict;
  auto client = [&]() -> task<> {
    auto code = co_await failure_code(start_tls(std::move(plain.client), strict, "localhost"));
    CHECK(code == tls_errc::certificate_unknown_issuer);
  };
  auto server = [&]() -> task<> {
    std::string why = co_await failure(start_tls(std::move(plain.server), server_context()));
    CHECK(why.ends_with(": the peer refused: unknown CA"));
  };
  co_await gather(client(), server());
}

CUVEE_TEST_CASE("tls: a handshake cancelled half-way closes the connection") {
  connection plain = co_await connected();
  auto cut = co_await move_on_after(
      5ms, start_tls(std::move(plain.client), client_context(), "localhost"));
  CHECK_FALSE(cut);
  std::string hello = co_await read_all(plain.server);
  CHECK(hello.size() > 100);
}

CUVEE_TEST_CASE("tls: a handshake cancelled before it starts sends nothing") {
  connection plain = co_await connected();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await start_tls(std::move(plain.client), client_context(), "localhost");
    CHECK(false);
  });
  std::string nothing = co_await read_all(plain.server);
  CHECK(nothing.empty());
}

CUVEE_TEST_CASE("tls: a connection cut without close_notify is truncated") {
  tls_connection outer = co_await tls_connected();
  // The lower TLS layer ends in order, the upper one does not.
  connection plain = co_await connected();
  tls_connection c = co_await secured(std::move(plain.client), std::move(plain.server));
  co_await c.client.write("part");
  std::string part = co_await read_exact(c.server, 4);
  CHECK(part == "part");
  c.client.abort();
  char byte;
  auto code = co_await failure_code(c.server.read_some(mutable_bytes(&byte, 1)));
  CHECK((code == tls_errc::truncated || code == std::errc::connection_reset));
}

CUVEE_TEST_CASE("tls: an end of the connection below is an error, or the end by option") {
  for (truncated_end meaning : {truncated_end::error, truncated_end::end_of_stream}) {
    connection left = co_await connected(), right = co_await connected();
    tls_server_context s(test_ca::server_options().on_truncated_end(meaning));
    event seen;
    auto cut = [&]() -> task<> {  // one who passes bytes on, and ends early
      auto both = [&]() -> task<> {
        co_await any_of(relay(left.server, right.client, 1 << 20),
                        relay(right.client, left.server, 1 << 20));
      };
      co_await any_of(both(), seen.wait());
      co_await right.client.shutdown_write();
    };
    auto ends = [&]() -> task<> {
      tls_connection c =
          co_await secured(std::move(left.client), std::move(right.server), client_context(), s);
      co_await c.client.write("some");
      std::string some = co_await read_exact(c.server, 4);
      CHECK(some == "some");
      seen.set();
      char byte;
      auto end = co_await as_result(c.server.read_some(mutable_bytes(&byte, 1)));
      CHECK(end.has_value() == (meaning == truncated_end::end_of_stream));
      if (!end) CHECK(end.error().code() == tls_errc::truncated);
    };
    co_await gather(cut(), ends());
  }
}

CUVEE_TEST_CASE("tls: close tells the peer and waits for its answer") {
  tls_connection c = co_await tls_connected();
  auto server = [&]() -> task<> {
    std::string all = co_await read_all(c.server);
    CHECK(all == "last words");
    co_await c.server.close();
  };
  auto client = [&]() -> task<> {
    co_await c.client.write("last words");
    co_await c.client.close();
    CHECK_FALSE(c.client.is_open());
    co_await c.client.close();  // again is harmless
  };
  co_await gather(server(), client());
}

CUVEE_TEST_CASE("tls: a peer that does not read is left at the timeout of shutdown_write") {
  tls_client_context context = client_with(10s, 20ms);
  tls_connection c = co_await tls_connected(context);
  const std::string big(16'000'000, 'x');
  auto write = [&]() -> task<std::string> { co_return co_await failure(c.client.write(big)); };
  auto end = [&]() -> task<std::string> {
    co_await checkpoint();
    co_return co_await failure(c.client.shutdown_write());
  };
  auto [written, ended] = co_await gather(write(), end());
  CHECK(ended.starts_with("shut down localhost:"));
  CHECK(ended.ends_with(": shutdown timed out"));
  CHECK_FALSE(written.empty());
  CHECK_FALSE(c.client.is_open());
}

CUVEE_TEST_CASE("tls: once the end of the output is out, shutdown_timeout has no say") {
  tls_client_context context = client_with(10s, 20ms);
  tls_connection c = co_await tls_connected(context);
  co_await c.client.shutdown_write();
  auto cut = co_await move_on_after(60ms, read_all(c.client));
  CHECK_FALSE(cut);
  co_await c.server.write("late");
  std::string got = co_await read_exact(c.client, 4);
  CHECK(got == "late");
}

CUVEE_TEST_CASE("tls: a peer that never answers close_notify is left at the timeout") {
  tls_client_context context = client_with(10s, 20ms);
  auto one = [&]() -> task<> {
    tls_connection c = co_await tls_connected(context);
    std::string why = co_await failure(c.client.close());
    CHECK(why.starts_with("close localhost:"));
    CHECK(why.ends_with(": shutdown timed out"));
    CHECK_FALSE(c.client.is_open());
    std::string end = co_await read_all(c.server);  // it was told
    CHECK(end.empty());
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 25; i++) g.spawn(one);
    co_return;
  });
}

CUVEE_TEST_CASE("tls: close does not wait while the peer goes on and on") {
  tls_connection c = co_await tls_connected();
  auto server = [&]() -> task<> {
    std::string block = pattern(100'000);
    std::error_code code;
    while (!code) code = co_await failure_code(c.server.write(block));
  };
  auto client = [&]() -> task<> {
    co_await sleep(5ms);
    co_await c.client.close();
  };
  co_await gather(server(), client());
}

CUVEE_TEST_CASE("tls: abort and destruction wait for nobody") {
  stopwatch watch;
  for (int i = 0; i < 5; i++) {
    tls_connection c = co_await tls_connected();
    if (i % 2 == 0) c.client.abort();
  }
  CHECK(watch.elapsed() < 4s);  // the shutdown timeout is 5 s
}

CUVEE_TEST_CASE("tls: a read that waits when the stream is closed ends") {
  tls_connection c = co_await tls_connected();
  co_await task_group([&](group& g) -> task<> {
    auto read = [&]() -> task<> {
      char byte;
      auto code = co_await failure_code(c.client.read_some(mutable_bytes(&byte, 1)));
      CHECK(code == errc::closed);
    };
    g.spawn(read);
    co_await checkpoint();
    auto answer = [&]() -> task<> {
      co_await read_all(c.server);
      co_await c.server.close();
    };
    co_await gather(c.client.close(), answer());
  });
}

TEST_CASE("tls: torture over a handshake, a write, a read and a close") {
  auto body = []() -> task<> {
    tls_connection c = co_await tls_connected();
    bool same = co_await exchange(c.client, c.server, 3000);
    CHECK(same);
    co_await gather(c.client.close(), c.server.close());
  };
  server_context();
  client_context();
  auto report = testing::torture(body);
  CHECK_MESSAGE(report.leaks.empty(), report.leaks);
  CHECK(report.suspensions > 5);
  auto stopped = testing::torture_stop(body);
  CHECK_MESSAGE(stopped.leaks.empty(), stopped.leaks);
}
