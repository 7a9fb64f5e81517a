// SPDX-License-Identifier: MIT
// A server that sends back what it gets, over TCP or a unix socket, one task a connection.
//   ./echo_server --port 8080 &  nc 127.0.0.1 8080
//   ./echo_server --unix /tmp/echo &  nc -U /tmp/echo
#include <cuvee/io.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

// Takes the stream by value: the connection closes when the task ends, in whatever way.
cuvee::task<> echo(cuvee::stream client) {
  try {
    co_await cuvee::copy(client, client);
  } catch (const cuvee::error& e) {
    std::fprintf(stderr, "echo_server: %s\n", e.what());  // this client's trouble only
  }
}

template <class Listener>
cuvee::task<> serve(Listener listener, std::string address) {
  std::printf("listening on %s\n", address.c_str());
  std::fflush(stdout);
  co_await cuvee::task_group([&](cuvee::group& clients) -> cuvee::task<> {
    for (;;) {
      cuvee::stream client = co_await listener.accept();
      clients.spawn(echo, std::move(client));
    }
  });
}

cuvee::task<> serve_tcp(std::string host, std::uint16_t port) {
  cuvee::tcp_listener listener = co_await cuvee::listen(host, port);
  std::string address = listener.local().to_string();
  co_await serve(std::move(listener), address);
}

cuvee::task<> serve_unix(std::string path) {
  cuvee::unix_listener listener = cuvee::listen_unix(path);
  co_await serve(std::move(listener), path);
}

int main(int argc, char** argv) {
  std::string host = "127.0.0.1", path;
  std::uint16_t port = 8080;
  samples::args args("echo_server", "Sends back what clients send, until Ctrl-C.");
  args.value("--host HOST", host, "address or name to listen on (127.0.0.1)")
      .number<std::uint16_t>("--port N", port, 0, 65535, "port; 0 takes any free one (8080)")
      .value("--unix PATH", path, "listen on a unix socket instead");
  if (auto status = args.parse(argc, argv)) return *status;
  return path.empty() ? cuvee::run(serve_tcp, host, port) : cuvee::run(serve_unix, path);
}
