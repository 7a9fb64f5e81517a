// SPDX-License-Identifier: MIT
// How streams end: closed here, by the peer, half, or by a reset.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

task<> nothing() { co_return; }

task<> write_until_error(tcp_stream& s, std::string block, std::error_code& code, int& writes) {
  while (!code && writes < 100) {
    writes++;
    code = co_await failure_code(s.write(block));
    co_await sleep(5ms);  // the answer of the peer's system takes a moment
  }
}

}  // namespace

CUVEE_TEST_CASE("stream: close wakes a reader with closed; several may wait for it") {
  connection c = co_await connected();
  auto read = [&]() -> task<> {
    char byte;
    auto text = co_await failure(c.client.read_some(mutable_bytes(&byte, 1)));
    CHECK(text.find("read ") == 0);
    CHECK(text.find("closed") != text.npos);
  };
  co_await gather(read(), c.client.close(), c.client.close());
  CHECK_FALSE(c.client.is_open());
  co_await c.client.close();
  c.client.abort();
  co_await c.client.shutdown_write();
}

CUVEE_TEST_CASE("stream: close while a write is in flight ends the write with closed") {
  connection c = co_await connected();
  std::string big(16 << 20, 'x');
  auto write = [&]() -> task<> {
    auto code = co_await failure_code(c.client.write(big));
    CHECK(code == errc::closed);
  };
  auto close = [&]() -> task<> {
    co_await sleep(1ms);
    co_await c.client.close();
  };
  co_await gather(write(), close());
}

CUVEE_TEST_CASE("stream: half close, the other direction goes on; twice is harmless") {
  connection c = co_await connected();
  std::string data = pattern(1 << 20);
  co_await gather(c.client.shutdown_write(), c.client.shutdown_write());
  std::string nothing = co_await read_all(c.server);
  CHECK(nothing.empty());
  auto [none, got] = co_await gather(send_all(c.server, data), read_all(c.client));
  bool same = got == data;
  CHECK(same);
  auto code = co_await failure_code(c.client.write("x"));
  CHECK(code == std::errc::broken_pipe);
}

CUVEE_TEST_CASE("stream: half close cancelled happens all the same") {
  connection c = co_await connected();
  std::string big = pattern(16 << 20);
  auto write = [&]() -> task<> { co_await c.client.write(big); };
  auto half_close = [&]() -> task<> {
    co_await checkpoint();
    auto cut = co_await move_on_after(0ms, c.client.shutdown_write());
    CHECK_FALSE(cut);
  };
  auto [n1, n2, got] = co_await gather(write(), half_close(), read_all(c.server));
  CHECK(got.size() == big.size());
}

CUVEE_TEST_CASE("stream: a peer that is gone, writing ends with an error soon and kills nobody") {
  connection c = co_await connected();
  co_await c.server.close();
  std::error_code code;
  int writes = 0;
  co_await write_until_error(c.client, "x", code, writes);
  bool expected = code == std::errc::broken_pipe || code == std::errc::connection_reset;
  CHECK(expected);
  CHECK(writes <= 3);
  char byte;
  auto read = co_await as_result(c.client.read_some(mutable_bytes(&byte, 1)));
  if (read) CHECK(*read == 0);
  else CHECK(read.error().code() == std::errc::connection_reset);
}

CUVEE_TEST_CASE("stream: a reset at any byte is connection_reset, after the bytes that came") {
  for (std::size_t n = 0; n < 40; n++) {
    connection c = co_await connected();
    co_await c.server.write(std::string(n, 'x'));
    std::string got = co_await read_exact(c.client, n);
    CHECK(got.size() == n);
    std::string name = c.client.peer().to_string();
    c.server.abort();
    char byte;
    auto text = co_await failure(c.client.read_some(mutable_bytes(&byte, 1)));
    CHECK(text.starts_with("read "));
    CHECK(text.ends_with(": connection reset by peer (ECONNRESET)"));
  }
}

CUVEE_TEST_CASE("stream: a reset that comes together with data is no clean end") {
  for (std::size_t size : {1, 100, 4096, 65536, 100'000}) {
    for (bool waiting : {false, true}) {
      connection c = co_await connected();
      std::string got;
      auto read = [&]() -> task<std::error_code> {
        char piece[1000];
        try {
          while (std::size_t n = co_await c.client.read_some(piece)) got.append(piece, n);
        } catch (const error& e) {
          co_return e.code();
        }
        co_return std::error_code();
      };
      auto reset = [&]() -> task<> {
        std::string data = pattern(size);
        co_await c.server.write(data);
        c.server.abort();  // before the reader had a turn
      };
      task<> before = waiting ? nothing() : reset();
      task<> meanwhile = waiting ? reset() : nothing();
      co_await std::move(before);
      auto [code, none] = co_await gather(read(), std::move(meanwhile));
      CHECK(code == std::errc::connection_reset);
      CHECK(pattern(size).starts_with(got));
    }
  }
}

CUVEE_TEST_CASE("stream: an end with data, whichever side closed first, is no reset") {
  for (std::size_t size : {0, 1, 4096, 100'000}) {
    connection c = co_await connected();
    co_await c.client.shutdown_write();
    std::string nothing_came = co_await read_all(c.server);
    CHECK(nothing_came.empty());
    co_await c.server.write(pattern(size));
    co_await c.server.close();
    std::string got = co_await read_all(c.client, 1000);
    CHECK(got == pattern(size));
  }
}

CUVEE_TEST_CASE("stream: dropped while the peer still sends, nothing is left") {
  connection c = co_await connected();
  std::string big(8 << 20, 'x');
  auto write = [&]() -> task<> { co_await failure_code(c.client.write(big)); };
  auto drop = [&]() -> task<> {
    tcp_stream s = std::move(c.server);
    char byte;
    co_await s.read_some(mutable_bytes(&byte, 1));
  };
  co_await gather(write(), drop());
}
