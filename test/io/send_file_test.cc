// SPDX-License-Identifier: MIT
#include "file_case.h"
#include "tls_case.h"

#include <cuvee/io/memory_stream.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace file_case;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

// Around it, as a protocol would.
task<> send_framed(stream& to, file& from, std::uint64_t offset, std::uint64_t n) {
  std::string prefix(8192, '<'), suffix(8192, '>');
  co_await to.write(prefix);
  std::uint64_t sent = co_await send_file(to, from, offset, n);
  CHECK(sent == n);
  co_await to.write(suffix);
  co_await to.shutdown_write();
}

task<bool> arrives_framed(stream& a, stream& b, file& from, const std::string& content,
                          std::size_t offset, std::size_t n) {
  auto [none, got] = co_await gather(send_framed(a, from, offset, n), read_all(b));
  co_return got == std::string(8192, '<') + content.substr(offset, n) + std::string(8192, '>');
}

task<file> open_sparse(const folder& d, std::uint64_t size) {
  file f =
      co_await open_file(d.at("sparse"), open_mode::read | open_mode::write | open_mode::create);
  co_await f.truncate(size);
  co_return f;
}

task<> until_some(const std::uint64_t& sent) {
  while (sent == 0) co_await sleep(1ms);
}

}  // namespace

CUVEE_TEST_CASE("send_file: over TCP, between an 8 KiB prefix and suffix, the order holds") {
  folder d;
  std::string content = pattern(3'000'000);
  file f = co_await open_file(d.put("a", content));
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, content.size() - 7}) {
    connection c = co_await connected();
    bool same = co_await arrives_framed(c.client, c.server, f, content, 7, n);
    CHECK(same);
  }
}

CUVEE_TEST_CASE("send_file: over memory, a pipe and TLS, too") {
  folder d;
  std::string content = pattern(300'000);
  file f = co_await open_file(d.put("a", content));
  auto [a, b] = memory_stream_pair();
  bool same = co_await arrives_framed(a, b, f, content, 7, 200'000);
  CHECK(same);
  auto [out, in] = anonymous_pipe();
  same = co_await arrives_framed(in, out, f, content, 7, 200'000);
  CHECK(same);
  auto secure = co_await tls_case::tls_connected();
  same = co_await arrives_framed(secure.client, secure.server, f, content, 0, content.size());
  CHECK(same);
}

CUVEE_TEST_CASE("send_file: over a unix socket") {
  folder d;
  std::string content = pattern(3'000'000);
  file f = co_await open_file(d.put("a", content));
  unix_listener l = listen_unix(d.at("socket"));
  auto [client, server] = co_await gather(connect_unix(d.at("socket")), l.accept());
  bool same = co_await arrives_framed(client, server, f, content, 7, content.size() - 7);
  CHECK(same);
}

CUVEE_TEST_CASE("send_file: a whole file, from the place it has, whose position stays") {
  folder d;
  file f = co_await open_file(d.put("a", "some text"));
  std::string room(5, '\0');
  co_await f.read_some(room);
  connection c = co_await connected();
  std::uint64_t sent = co_await send_file(c.client, f);
  CHECK(sent == 9);
  std::string got = co_await read_exact(c.server, 9);
  CHECK(got == "some text");
  std::size_t n = co_await f.read_some(room);
  CHECK(room.substr(0, n) == "text");
}

CUVEE_TEST_CASE("send_file: a file that is shorter is an error behind what there was") {
  folder d;
  file f = co_await open_file(d.put("a", "some text"));
  for (bool plain : {true, false}) {
    connection c = co_await connected();
    auto [a, b] = memory_stream_pair();
    stream& to = plain ? c.client : a;
    stream& from = plain ? c.server : b;
    std::uint64_t sent = 0;
    auto result = co_await as_result(send_file(to, f, 5, 100, sent));
    CHECK(result.error().code() == errc::end_of_stream);
    CHECK(result.error().subject().starts_with(d.at("a") + " to "));
    CHECK(sent == 4);
    co_await to.write("!");  // the stream is as good as before
    std::string got = co_await read_exact(from, 5);
    CHECK(got == "text!");
  }
}

CUVEE_TEST_CASE("send_file: a file that cannot be read fails, and the stream stays open") {
  folder d;
  connection c = co_await connected();
  file memory = co_await open_file("/proc/self/mem");
  std::string text = co_await failure(send_file(c.client, memory, 0, 100));
  CHECK(text == "read /proc/self/mem: input/output error (EIO)");
  file writing = co_await open_file(d.at("a"), open_mode::write | open_mode::create);
  text = co_await failure(send_file(c.client, writing, 0, 100));
  CHECK(text.find("bad file descriptor") != text.npos);
  file closed = co_await open_file(d.at("a"));
  co_await closed.close();
  std::error_code e = co_await failure_code(send_file(c.client, closed, 0, 100));
  CHECK(e == errc::closed);
  co_await c.client.write("fine");
  std::string got = co_await read_exact(c.server, 4);
  CHECK(got == "fine");
}

CUVEE_TEST_CASE("send_file: a peer that closes after 1024 bytes is an error, the stream closes") {
  folder d;
  constexpr std::uint64_t size = std::uint64_t{1} << 30;
  file f = co_await open_sparse(d, size);
  connection c = co_await connected();
  std::uint64_t sent = 0;
  auto read_little = [&]() -> task<> {
    std::string got = co_await read_exact(c.server, 1024);
    CHECK(got.size() == 1024);
    c.server.abort();
  };
  auto send = [&]() -> task<std::error_code> {
    return failure_code(send_file(c.client, f, 0, size, sent));
  };
  auto [none, e] = co_await gather(read_little(), send());
  CHECK((e == std::errc::connection_reset || e == std::errc::broken_pipe));
  CHECK(sent >= 1024);
  CHECK(sent < size);
  CHECK_FALSE(c.client.is_open());
}

CUVEE_TEST_CASE("send_file: cancelled mid-way in 1 GB it ends, and tells what was sent") {
  folder d;
  constexpr std::uint64_t size = 1'000'000'000;
  file f = co_await open_sparse(d, size);
  connection c = co_await connected();
  std::uint64_t sent = 0;
  stopwatch watch;
  co_await task_group([&](group& g) -> task<> {
    auto send = [&]() -> task<> { co_await send_file(c.client, f, 0, size, sent); };
    g.spawn(send);
    co_await until_some(sent);
    watch = {};
    g.cancel();
  });
  CHECK(watch.elapsed() < 2s);  // 100 ms on a machine that has nothing else to do
  CHECK(sent > 0);
  CHECK(sent < size);
  CHECK_FALSE(c.client.is_open());
  std::string got = co_await read_all(c.server);
  CHECK(got.size() == sent);
}

CUVEE_TEST_CASE("send_file: cancelled before it starts, nothing has happened") {
  folder d;
  file f = co_await open_file(d.put("a", "text"));
  connection c = co_await connected();
  std::uint64_t sent = 0;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await send_file(c.client, f, 0, 4, sent);
  });
  CHECK(sent == 0);
  co_await c.client.write("fine");
  std::string got = co_await read_exact(c.server, 4);
  CHECK(got == "fine");
}

CUVEE_TEST_CASE("send_file: meanwhile others who write are told busy, and closing ends it") {
  folder d;
  file f = co_await open_sparse(d, 1'000'000'000);
  connection c = co_await connected();
  std::uint64_t sent = 0;
  auto send = [&]() -> task<std::error_code> {
    return failure_code(send_file(c.client, f, 0, 1'000'000'000, sent));
  };
  auto disturb = [&]() -> task<> {
    co_await until_some(sent);
    std::error_code e = co_await failure_code(c.client.write("x"));
    CHECK(e == errc::busy);
    e = co_await failure_code(send_file(c.client, f, 0, 10));
    CHECK(e == errc::busy);
    co_await c.client.close();
  };
  auto [e, none] = co_await gather(send(), disturb());
  CHECK(e == errc::closed);
  e = co_await failure_code(send_file(c.client, f, 0, 10));
  CHECK(e == errc::closed);
}

TEST_CASE("send_file: cancelled at every suspension, nothing is left") {
  folder d;
  d.put("a", pattern(2'000'000));
  auto report = testing::torture([&]() -> task<> {
    file f = co_await open_file(d.at("a"));
    connection c = co_await connected();
    auto send = [&]() -> task<> {
      co_await send_file(c.client, f);
      co_await c.client.shutdown_write();
    };
    auto [none, got] = co_await gather(send(), read_all(c.server));
    CHECK(got.size() == 2'000'000);
  });
  CHECK(report.suspensions > 5);
  CHECK(report.leaks == "");
}
