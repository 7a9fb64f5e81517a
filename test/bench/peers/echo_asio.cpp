// SPDX-License-Identifier: MIT
// TCP echo on Boost.Asio coroutines, one thread. usage: peer_echo_asio PORT
#include <cstdlib>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio.hpp>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

static awaitable<void> session(tcp::socket socket) {
  try {
    socket.set_option(tcp::no_delay(true));
    std::vector<char> buffer(65536);
    for (;;) {
      auto size = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(socket, asio::buffer(buffer, size), use_awaitable);
    }
  } catch (const std::exception&) {
    // The load generator hung up: the session is over.
  }
}

static awaitable<void> serve(unsigned short port) {
  auto executor = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(executor, {asio::ip::make_address("127.0.0.1"), port});
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(executor, session(std::move(socket)), asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  asio::io_context io(1);
  asio::co_spawn(io, serve(static_cast<unsigned short>(std::atoi(argv[1]))), asio::detached);
  io.run();
}
