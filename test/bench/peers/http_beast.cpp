// SPDX-License-Identifier: MIT
// Hello on Boost.Beast with Asio coroutines, one thread. usage: peer_http_beast PORT
#include <cstdlib>
#include <exception>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

static http::response<http::string_body> hello(const http::request<http::string_body>& request) {
  http::response<http::string_body> response{http::status::ok, request.version()};
  response.set(http::field::content_type, "text/plain");
  response.set(http::field::date, "Sun, 22 Nov 2026 00:00:00 GMT");
  response.keep_alive(request.keep_alive());
  response.body() = "Hello, World!";
  response.prepare_payload();
  return response;
}

static awaitable<void> session(tcp::socket socket) {
  try {
    socket.set_option(tcp::no_delay(true));
    boost::beast::flat_buffer buffer;
    bool keep_alive = true;
    while (keep_alive) {
      http::request<http::string_body> request;
      co_await http::async_read(socket, buffer, request, use_awaitable);
      keep_alive = request.keep_alive();
      auto response = hello(request);
      co_await http::async_write(socket, response, use_awaitable);
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
