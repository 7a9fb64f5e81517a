// SPDX-License-Identifier: MIT
// What the tests of io share.
#pragma once
#include <cuvee/io.h>

#include <chrono>
#include <string>
#include <utility>

namespace io_case {

/// Two ends of a TCP connection on the loopback.
struct connection {
  cuvee::tcp_stream client;
  cuvee::tcp_stream server;
};

inline cuvee::task<connection> connected() {
  cuvee::tcp_listener l = cuvee::listen(cuvee::endpoint("127.0.0.1", 0));
  auto [client, server] = co_await cuvee::gather(cuvee::connect(l.local()), l.accept());
  co_return connection{std::move(client), std::move(server)};
}

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

inline cuvee::task<std::string> read_all(cuvee::stream& s, std::size_t piece_bytes = 65536) {
  std::string all, piece(piece_bytes, '\0');
  while (std::size_t n = co_await s.read_some(piece)) all.append(piece, 0, n);
  co_return all;
}

inline cuvee::task<std::string> read_exact(cuvee::stream& s, std::size_t size) {
  std::string all(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    cuvee::mutable_bytes rest(all.data() + filled, size - filled);
    std::size_t n = co_await s.read_some(rest);
    if (n == 0) break;
    filled += n;
  }
  all.resize(filled);
  co_return all;
}

inline cuvee::task<> send_all(cuvee::stream& s, const std::string& data) {
  co_await s.write(data);
  co_await s.shutdown_write();
}

/// Sends `rounds` bytes, each to a read that is cancelled at some moment around its arrival.
/// Returns: whether every byte was read once, in order.
inline cuvee::task<bool> cancelled_reads_lose_nothing(cuvee::stream& from, cuvee::stream& to,
                                                      int rounds) {
  std::string got, expected;
  for (int i = 0; i < rounds; i++) {
    char byte = static_cast<char>(i);
    expected += byte;
    char room[16];
    auto reader = [&]() -> cuvee::task<> {
      std::size_t n = co_await to.read_some(room);
      got.append(room, n);
    };
    co_await cuvee::task_group([&](cuvee::group& g) -> cuvee::task<> {
      auto h = g.spawn(reader);
      co_await cuvee::checkpoint();
      co_await from.write(cuvee::const_bytes(&byte, 1));
      for (int turns = i % 4; turns > 0; turns--) co_await cuvee::checkpoint();
      h.cancel();
    });
  }
  co_await from.shutdown_write();
  std::string rest = co_await read_all(to);
  got += rest;
  co_return got == expected;
}

/// The text of the error that an operation fails with; empty if it does not.
template <class A>
cuvee::task<std::string> failure(A operation) {
  auto result = co_await cuvee::as_result(std::move(operation));
  if (result) co_return std::string();
  co_return std::string(result.error().what());
}

/// The code of that error.
template <class A>
cuvee::task<std::error_code> failure_code(A operation) {
  auto result = co_await cuvee::as_result(std::move(operation));
  if (result) co_return std::error_code();
  co_return result.error().code();
}

class stopwatch {
 public:
  std::chrono::nanoseconds elapsed() const { return clock::now() - start_; }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

}  // namespace io_case
