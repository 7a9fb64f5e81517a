// SPDX-License-Identifier: MIT
// What streams within the process promise beyond the conformance suite.
#include "io_case.h"

#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <optional>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("memory stream: what fits is written at once, the rest waits for a reader") {
  memory_stream_options ten;
  ten.capacity_bytes = 10;
  auto [a, b] = memory_stream_pair(ten);
  co_await a.write("0123456789");
  auto cut = co_await move_on_after(0ms, b.write("0123456789x"));
  CHECK_FALSE(cut);
  CHECK_FALSE(b.is_open());
  std::string got = co_await read_all(a);
  CHECK(got == "0123456789");
}

CUVEE_TEST_CASE("memory stream: bytes come in the pieces that were asked for") {
  memory_stream_options byte_by_byte;
  byte_by_byte.piece_bytes = 1;
  auto [a, b] = memory_stream_pair(byte_by_byte);
  co_await a.write("xyz");
  char room[10];
  for (int i = 0; i < 3; i++) {
    std::size_t n = co_await b.read_some(room);
    CHECK(n == 1);
  }
  byte_by_byte.piece_bytes = 0;
  CHECK_THROWS_WITH(static_cast<void>(memory_stream_pair(byte_by_byte)),
                    "make memory stream: pieces of 0 bytes");
}

CUVEE_TEST_CASE("memory stream: a lockstep write returns when its last byte was read") {
  auto [a, b] = testing::lockstep_stream_pair();
  bool written = false;
  auto write = [&]() -> task<> {
    co_await a.write("123");
    written = true;
  };
  auto read = [&]() -> task<> {
    std::string two = co_await read_exact(b, 2);
    for (int i = 0; i < 5; i++) co_await checkpoint();
    CHECK_FALSE(written);
    std::string last = co_await read_exact(b, 1);
    for (int i = 0; i < 5; i++) co_await checkpoint();
    CHECK(written);
  };
  task<> writing = write(), reading = read();
  co_await gather(std::move(writing), std::move(reading));
}

CUVEE_TEST_CASE("memory stream: its name stands in errors") {
  auto [a, b] = memory_stream_pair();
  co_await b.close();
  std::string text = co_await failure(a.write("x"));
  CHECK(text == "write memory stream: broken pipe (EPIPE)");
}

TEST_CASE("memory stream: ends that outlive their loop are closed with it") {
  std::optional<std::pair<stream, stream>> kept;
  {
    loop l;
    l.run([&]() -> task<> {
      kept.emplace(memory_stream_pair());
      CHECK(loop::current().open_handles() == 2);
      co_return;
    });
  }
  CHECK_FALSE(kept->first.is_open());
}

TEST_CASE("memory stream: an exchange cancelled at every suspension, nothing is left") {
  std::string data = pattern(200'000);
  auto send = [&](stream& s) -> task<> {
    co_await s.write(data);
    co_await s.shutdown_write();
  };
  auto report = testing::torture([&]() -> task<> {
    std::pair<stream, stream> c = memory_stream_pair();
    auto [n1, n2, a, b] =
        co_await gather(send(c.first), send(c.second), read_all(c.first), read_all(c.second));
    CHECK(a.size() + b.size() == 2 * data.size());
    co_await c.first.close();
  });
  CHECK(report.cancelled > 3);
  CHECK(report.leaks == "");
}
