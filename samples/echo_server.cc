// SPDX-License-Identifier: MIT
// A TCP server that sends back what it gets, one task a connection.
//   ./echo_server --port 8080 &  nc 127.0.0.1 8080
#include <cuvee/io.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <memory>

constexpr std::size_t buffer_bytes = 256 * 1024;

// Takes the stream by value: the connection closes when the task ends, in whatever way.
cuvee::task<> echo(cuvee::tcp_stream client) {
  auto buffer = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  try {
    cuvee::mutable_bytes room(buffer.get(), buffer_bytes);
    while (std::size_t n = co_await client.read_some(room))
      co_await client.write(cuvee::const_bytes(buffer.get(), n));
  } catch (const cuvee::error& e) {
    std::fprintf(stderr, "echo_server: %s\n", e.what());  // this client's trouble only
  }
}

cuvee::task<> serve(std::string host, std::uint16_t port) {
  cuvee::tcp_listener listener = co_await cuvee::listen(host, port);
  std::printf("listening on %s\n", listener.local().to_string().c_str());
  std::fflush(stdout);
  co_await cuvee::task_group([&](cuvee::group& clients) -> cuvee::task<> {
    for (;;) {
      cuvee::tcp_stream client = co_await listener.accept();
      clients.spawn(echo, std::move(client));
    }
  });
}

int main(int argc, char** argv) {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  samples::args args("echo_server", "Sends back what TCP clients send, until Ctrl-C.");
  args.value("--host HOST", host, "address or name to listen on (127.0.0.1)")
      .number<std::uint16_t>("--port N", port, 0, 65535, "port; 0 takes any free one (8080)");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(serve, host, port);
}
