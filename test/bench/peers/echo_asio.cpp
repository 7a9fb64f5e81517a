// SPDX-License-Identifier: MIT
// Echo on Boost.Asio coroutines, one thread. usage: peer_echo_asio PORT|PATH [CERT KEY]
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using local = asio::local::stream_protocol;

template <class Stream>
static awaitable<void> session(Stream stream) {
  try {
    std::vector<char> buffer(65536);
    for (;;) {
      auto size = co_await stream.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(stream, asio::buffer(buffer, size), use_awaitable);
    }
  } catch (const std::exception&) {
    // The load generator hung up: the session is over.
  }
}

static awaitable<void> tls_session(tcp::socket socket, asio::ssl::context& context) {
  asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
  try {
    co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
  } catch (const std::exception&) {
    co_return;  // the harness only looks whether somebody listens
  }
  co_await session(std::move(stream));
}

template <class Protocol, class Session>
static awaitable<void> serve(typename Protocol::endpoint address, Session start) {
  auto executor = co_await asio::this_coro::executor;
  asio::basic_socket_acceptor<Protocol> acceptor(executor, address);
  for (;;) {
    typename Protocol::socket socket = co_await acceptor.async_accept(use_awaitable);
    if constexpr (std::is_same_v<Protocol, tcp>) socket.set_option(tcp::no_delay(true));
    asio::co_spawn(executor, start(std::move(socket)), asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return 2;
  std::string where = argv[1];
  asio::io_context io(1);
  asio::ssl::context context(asio::ssl::context::tls_server);
  tcp::endpoint address(asio::ip::make_address("127.0.0.1"),
                        static_cast<unsigned short>(std::atoi(where.c_str())));
  if (argc == 4) {
    context.use_certificate_chain_file(argv[2]);
    context.use_private_key_file(argv[3], asio::ssl::context::pem);
    auto start = [&](tcp::socket s) { return tls_session(std::move(s), context); };
    asio::co_spawn(io, serve<tcp>(address, start), asio::detached);
  } else if (where.find('/') != std::string::npos) {
    asio::co_spawn(io, serve<local>(where, session<local::socket>), asio::detached);
  } else {
    asio::co_spawn(io, serve<tcp>(address, session<tcp::socket>), asio::detached);
  }
  io.run();
}
