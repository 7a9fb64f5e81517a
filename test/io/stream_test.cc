// SPDX-License-Identifier: MIT
// STR-2, 3 and read_exact of 5 come with those reads; STR-12 with `serve`.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("stream: bytes arrive, then the end of the stream, for ever") {
  connection c = co_await connected();
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
  bool whole = co_await cancelled_reads_lose_nothing(c.client, c.server, 500);
  CHECK(whole);
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
