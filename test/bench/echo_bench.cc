// SPDX-License-Identifier: MIT
// Echo over TCP by `read_some` and `write`, a coroutine resumed for each, where the sample echo_server has `copy`.
// usage: echo_bench PORT
#include <cuvee/io.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

constexpr std::size_t buffer_bytes = 256 * 1024;

cuvee::task<> echo(cuvee::stream client) {
  auto buffer = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  cuvee::mutable_bytes room(buffer.get(), buffer_bytes);
  try {
    while (std::size_t n = co_await client.read_some(room))
      co_await client.write(cuvee::const_bytes(buffer.get(), n));
  } catch (const cuvee::error&) {
    // The load generator hung up: the session is over.
  }
}

cuvee::task<> serve(std::uint16_t port) {
  cuvee::tcp_listener listener = co_await cuvee::listen("127.0.0.1", port);
  co_await cuvee::task_group([&](cuvee::group& clients) -> cuvee::task<> {
    for (;;) {
      cuvee::stream client = co_await listener.accept();
      clients.spawn(echo, std::move(client));
    }
  });
}

int main(int argc, char** argv) {
  return argc == 2 ? cuvee::run(serve, static_cast<std::uint16_t>(std::atoi(argv[1]))) : 2;
}
