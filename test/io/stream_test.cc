// SPDX-License-Identifier: MIT
// STR-2, 3 and read_exact of 5 come with those reads; STR-12 with `serve`.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

task<> nothing() { co_return; }

task<> send_all(tcp_stream& s, const std::string& data) {
  co_await s.write(data);
  co_await s.shutdown_write();
}

task<> write_until_error(tcp_stream& s, std::string block, std::error_code& code, int& writes) {
  while (!code && writes < 100) {
    writes++;
    code = co_await failure_code(s.write(block));
    co_await sleep(5ms);  // the answer of the peer's system takes a moment
  }
}

}  // namespace

CUVEE_TEST_CASE("stream: bytes arrive, then the end of the stream, for ever") {
  connection c = co_await connected();
  co_await c.client.write("hello");
  co_await c.client.shutdown_write();
  char two[2];
  std::size_t n = co_await c.server.read_some(two);
  CHECK(n == 2);
  std::string rest = co_await read_all(c.server);
  CHECK(rest == "llo");
  for (int i = 0; i < 3; i++) {
    n = co_await c.server.read_some(two);
    CHECK(n == 0);
  }
}

CUVEE_TEST_CASE("stream: reading into nothing returns at once") {
  connection c = co_await connected();
  std::size_t n = co_await c.client.read_some(mutable_bytes());
  CHECK(n == 0);
  co_await c.client.write("");
  co_await c.client.write();
}

CUVEE_TEST_CASE("stream: several spans of several types are one write, in order") {
  connection c = co_await connected();
  std::string a = "ab";
  std::vector<std::byte> b = {std::byte{'c'}};
  unsigned char d[] = {'d', 'e'};
  co_await c.client.write(a, b, d, std::string_view("fg"));
  std::string got = co_await read_exact(c.server, 7);
  CHECK(got == "abcdefg");

  std::string big = pattern(3'000'000), small = "x";
  auto writes = [&]() -> task<> { co_await c.client.write(small, big, small, big); };
  auto [none, all] = co_await gather(writes(), read_exact(c.server, 6'000'002));
  bool same = all == small + big + small + big;
  CHECK(same);
}

CUVEE_TEST_CASE("stream: a second reader or writer is refused, the first is unharmed") {
  connection c = co_await connected();
  std::string big = pattern(12'000'000);
  auto first = [&]() -> task<> {
    std::string got = co_await read_all(c.server);
    bool same = got == big;
    CHECK(same);
  };
  event refused;
  auto write = [&]() -> task<> {
    co_await refused.wait();
    co_await send_all(c.client, big);
  };
  auto second = [&]() -> task<> {
    char byte;
    co_await checkpoint();  // the first one waits
    auto read = co_await failure_code(c.server.read_some(mutable_bytes(&byte, 1)));
    CHECK(read == errc::busy);
    refused.set();
    co_await checkpoint();  // the writer has begun
    auto written = co_await failure_code(c.client.write("x"));
    CHECK(written == errc::busy);
  };
  co_await gather(first(), write(), second());
}

CUVEE_TEST_CASE("stream: both directions at once, whatever the size of a read") {
  std::string data = pattern(1 << 20);
  for (std::size_t piece : {4096, 65536, 1 << 20}) {
    connection c = co_await connected();
    auto [none1, none2, at_server, at_client] =
        co_await gather(send_all(c.client, data), send_all(c.server, data),
                        read_all(c.server, piece), read_all(c.client, piece));
    bool same = at_server == data && at_client == data;
    CHECK(same);
  }
}

CUVEE_TEST_CASE("stream: tiny reads see the same bytes") {
  std::string data = pattern(10'000);
  for (std::size_t piece : {1, 7}) {
    connection c = co_await connected();
    auto [none, got] = co_await gather(send_all(c.client, data), read_all(c.server, piece));
    bool same = got == data;
    CHECK(same);
  }
}

CUVEE_TEST_CASE("stream: a cancelled read consumes no byte") {
  connection c = co_await connected();
  std::string got;
  for (int i = 0; i < 500; i++) {
    char byte = static_cast<char>(i);
    char room[16];
    auto reader = [&]() -> task<> {
      std::size_t n = co_await c.server.read_some(room);
      got.append(room, n);
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(reader);
      co_await checkpoint();
      co_await c.client.write(const_bytes(&byte, 1));
      for (int turns = i % 4; turns > 0; turns--) co_await checkpoint();
      h.cancel();
    });
  }
  co_await c.client.shutdown_write();
  std::string rest = co_await read_all(c.server);
  got += rest;
  std::string expected;
  for (int i = 0; i < 500; i++) expected += static_cast<char>(i);
  CHECK(got == expected);
}

CUVEE_TEST_CASE("stream: a read cancelled on an idle socket, the next one gets what comes") {
  connection c = co_await connected();
  char byte = 0;
  mutable_bytes room(&byte, 1);
  auto cut = co_await move_on_after(1ms, c.server.read_some(room));
  CHECK_FALSE(cut);
  co_await c.client.write("1");
  std::size_t n = co_await c.server.read_some(room);
  CHECK(n == 1);
  CHECK(byte == '1');
}

CUVEE_TEST_CASE("stream: a read cancelled before it starts takes no byte that waits") {
  connection c = co_await connected();
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

CUVEE_TEST_CASE("stream: a write cancelled half-way closes the stream") {
  connection c = co_await connected();
  std::string big(16 << 20, 'x');
  auto cut = co_await move_on_after(5ms, c.client.write(big));
  CHECK_FALSE(cut);
  CHECK_FALSE(c.client.is_open());
  auto code = co_await failure_code(c.client.write("x"));
  CHECK(code == errc::closed);
  char byte;
  code = co_await failure_code(c.client.read_some(mutable_bytes(&byte, 1)));
  CHECK(code == errc::closed);
}

CUVEE_TEST_CASE("stream: a write cancelled before it starts leaves the stream whole") {
  connection c = co_await connected();
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await c.client.write("lost");
  });
  CHECK(c.client.is_open());
  co_await c.client.write("kept");
  std::string got = co_await read_exact(c.server, 4);
  CHECK(got == "kept");
}

CUVEE_TEST_CASE("stream: the sender waits while nobody reads") {
  connection c = co_await connected();
  std::string big(16 << 20, 'x');
  bool done = false;
  auto write = [&]() -> task<> {
    co_await c.client.write(big);
    done = true;
  };
  auto watch = [&]() -> task<> {
    char byte;
    co_await c.server.read_some(mutable_bytes(&byte, 1));  // arms reading
    co_await sleep(10ms);
    CHECK_FALSE(done);
    std::string rest = co_await read_exact(c.server, big.size() - 1);
    CHECK(rest.size() == big.size() - 1);
  };
  co_await gather(write(), watch());
  CHECK(done);
}

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

TEST_CASE("stream: an exchange cancelled at every suspension, nothing is left") {
  std::string data = pattern(1 << 18);
  auto report = testing::torture([&]() -> task<> {
    connection c = co_await connected();
    auto [n1, n2, a, b] = co_await gather(send_all(c.client, data), send_all(c.server, data),
                                          read_all(c.server), read_all(c.client));
    CHECK(a.size() + b.size() == 2 * data.size());
    co_await c.client.close();
  });
  CHECK(report.suspensions > 4);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("stream: 64 MiB to a peer that reads 1 MiB and resets, the writer fails") {
  connection c = co_await connected();
  std::string big(64 << 20, 'x');
  auto write = [&]() -> task<> {
    auto code = co_await failure_code(c.client.write(big));
    bool expected = code == std::errc::broken_pipe || code == std::errc::connection_reset;
    CHECK(expected);
  };
  auto reset = [&]() -> task<> {
    std::string some = co_await read_exact(c.server, 1 << 20);
    c.server.abort();
  };
  co_await gather(write(), reset());
}

CUVEE_TEST_CASE("stream: 10,000 writes of 102,400 bytes arrive in order") {
  connection c = co_await connected();
  std::string block = pattern(102'400);
  auto write = [&]() -> task<> {
    for (int i = 0; i < 10'000; i++) {
      block[0] = static_cast<char>(i);
      co_await c.client.write(block);
    }
  };
  int wrong = 0;
  auto read = [&]() -> task<> {
    std::string got(block.size(), '\0');
    for (int i = 0; i < 10'000; i++) {
      std::size_t filled = 0;
      while (filled < got.size()) {
        mutable_bytes rest(got.data() + filled, got.size() - filled);
        std::size_t n = co_await c.server.read_some(rest);
        filled += n;
      }
      wrong += got[0] != static_cast<char>(i) || got.compare(1, 5000, block, 1, 5000) != 0;
    }
  };
  co_await gather(write(), read());
  CHECK(wrong == 0);
}

TEST_SUITE_END();
