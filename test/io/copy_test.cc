// SPDX-License-Identifier: MIT
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/shuffle.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace io_case;

namespace {

// What it writes to takes so much at once and not more.
std::pair<stream, stream> narrow_pair(std::size_t capacity_bytes) {
  memory_stream_options options;
  options.capacity_bytes = capacity_bytes;
  return memory_stream_pair(options);
}

task<> turns(int n) {
  for (int i = 0; i < n; i++) co_await checkpoint();
}

}  // namespace

CUVEE_TEST_CASE("copy: everything up to the end, or to a limit, is counted") {
  std::string data = pattern(500'000);
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  auto feed = [&]() -> task<> {
    co_await a.write(data);
    co_await a.shutdown_write();
  };
  auto pass = [&]() -> task<std::uint64_t> {
    copy_options first;
    first.limit_bytes = 100'001;
    std::uint64_t n = co_await copy(b, c, first);
    CHECK(n == 100'001);
    n += co_await copy(b, c);
    co_await c.shutdown_write();
    co_return n;
  };
  task<> feeding = feed();
  task<std::uint64_t> passing = pass();
  auto [none, n, got] = co_await gather(std::move(feeding), std::move(passing), read_all(d));
  CHECK(n == data.size());
  CHECK(got == data);
}

CUVEE_TEST_CASE("copy: an error of either side is its own") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  co_await a.write("x");
  co_await d.close();
  auto code = co_await failure_code(copy(b, c));
  CHECK(code == std::errc::broken_pipe);
  a.abort();
  code = co_await failure_code(copy(b, c));
  CHECK(code == std::errc::connection_reset);
}

CUVEE_TEST_CASE("copy: an error tells how much was copied before") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  const std::string data = pattern(200'000);
  auto feed = [&]() -> task<> {
    co_await a.write(data);
    a.abort();
  };
  auto take = [&]() -> task<> {
    std::string got = co_await read_exact(d, data.size());
    CHECK(got == data);
  };
  std::optional<std::uint64_t> copied;
  auto pass = [&]() -> task<> {
    try {
      co_await copy(b, c);
    } catch (const copy_error& e) {
      copied = e.copied();
      CHECK(e.code() == std::errc::connection_reset);
      CHECK(e.operation() == "read");
    }
  };
  task<> feeding = feed(), taking = take(), passing = pass();
  co_await gather(std::move(feeding), std::move(taking), std::move(passing));
  REQUIRE(copied);
  CHECK(*copied == data.size());
}

CUVEE_TEST_CASE("copy: onto the stream it comes from is an echo") {
  std::string data = pattern(300'000);
  connection c = co_await connected();
  auto echo = [&]() -> task<std::uint64_t> {
    std::uint64_t n = co_await copy(c.server, c.server);
    co_await c.server.shutdown_write();
    co_return n;
  };
  task<std::uint64_t> echoing = echo();
  auto [none, n, got] =
      co_await gather(send_all(c.client, data), std::move(echoing), read_all(c.client));
  CHECK(n == data.size());
  CHECK(got == data);
}

CUVEE_TEST_CASE("copy: bytes that came before it are passed on first") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  co_await a.write("before ");
  bool some = co_await b.fill();
  CHECK(some);
  co_await a.write("and after");
  co_await a.shutdown_write();
  std::uint64_t n = co_await copy(b, c);
  CHECK(n == 16);
  std::string got = co_await read_exact(d, 16);
  CHECK(got == "before and after");
}

CUVEE_TEST_CASE("copy: what the slower side has not taken is not read from the other") {
  std::string data = pattern(4'000'000);
  auto [a, b] = narrow_pair(1000);
  auto [c, d] = narrow_pair(1000);
  std::size_t sent = 0;
  auto feed = [&]() -> task<> {
    for (; sent < data.size(); sent += 1000) {
      const_bytes piece(data.data() + sent, 1000);
      co_await a.write(piece);
    }
    co_await a.shutdown_write();
  };
  auto pass = [&]() -> task<> {
    co_await copy(b, c);
    co_await c.shutdown_write();
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(feed);
    g.spawn(pass);
    co_await turns(10'000);
    CHECK(sent < 400'000);
    std::string got = co_await read_all(d);
    CHECK(got == data);
  });
}

CUVEE_TEST_CASE(
    "copy: cancelled while it waits for bytes, it loses none and both sides stay open") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  co_await task_group([&](group& g) -> task<> {
    auto copying = g.spawn([&]() -> task<> { co_await copy(b, c); });
    co_await a.write("one");
    std::string got = co_await read_exact(d, 3);
    CHECK(got == "one");
    copying.cancel();
  });
  co_await a.write("two");
  std::string rest = co_await read_exact(b, 3);
  CHECK(rest == "two");
  co_await c.write("three");
  rest = co_await read_exact(d, 5);
  CHECK(rest == "three");
}

CUVEE_TEST_CASE("copy: cancelled in a write, it closes what it writes to") {
  testing::keep_fifo();  // what comes at once
  auto [a, b] = memory_stream_pair();
  auto [c, d] = narrow_pair(2);
  co_await task_group([&](group& g) -> task<> {
    auto copying = g.spawn([&]() -> task<> { co_await copy(b, c); });
    co_await a.write("hello");
    std::string got = co_await read_exact(d, 1);
    CHECK(got == "h");
    copying.cancel();
  });
  CHECK_FALSE(c.is_open());
  CHECK(b.is_open());
}

CUVEE_TEST_CASE("copy: a stream that somebody else reads or writes is busy") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = narrow_pair(2);
  co_await task_group([&](group& g) -> task<> {
    char room[8];
    auto reading = g.spawn([&]() -> task<> { co_await b.read_some(room); });
    co_await turns(1);
    auto code = co_await failure_code(copy(b, c));
    CHECK(code == errc::busy);
    reading.cancel();
    auto writing = g.spawn([&]() -> task<> { co_await c.write("more than it takes"); });
    co_await a.write("x");
    co_await turns(3);
    code = co_await failure_code(copy(b, c));
    CHECK(code == errc::busy);
    writing.cancel();
  });
}

CUVEE_TEST_CASE("copy: from a stream that is closed, or meanwhile, is an error") {
  auto [a, b] = memory_stream_pair();
  auto [c, d] = memory_stream_pair();
  std::error_code code;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { code = co_await failure_code(copy(b, c)); });
    co_await turns(2);
    co_await b.close();
  });
  CHECK(code == errc::closed);
  code = co_await failure_code(copy(b, c));
  CHECK(code == errc::closed);
}

TEST_CASE("copy: cancelled at every suspension, nothing is left") {
  std::string data = pattern(3000);
  auto report = testing::torture([&]() -> task<> {
    auto [a, b] = narrow_pair(500);
    auto [c, d] = narrow_pair(700);
    auto pass = [&]() -> task<> {
      co_await copy(b, c);
      co_await c.shutdown_write();
    };
    task<> passing = pass();
    auto [none, nothing, got] =
        co_await gather(send_all(a, data), std::move(passing), read_all(d, 100));
    CHECK(got == data);
  });
  CHECK(report.suspensions > 4);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}
