// SPDX-License-Identifier: MIT
// Sends the file for each byte that a client sends. usage: send_file_bench PORT FILE
#include <cuvee/io.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace cuvee;

static task<> serve_one(tcp_stream client, const std::string& path) {
  file from = co_await open_file(path);
  char wanted[64];
  while (std::size_t n = co_await client.read_some(wanted))
    for (; n > 0; n--) co_await send_file(client, from);
}

static task<> amain(std::uint16_t port, std::string path) {
  tcp_listener listener = listen(endpoint("127.0.0.1", port));
  auto handle = [&](tcp_stream client) { return serve_one(std::move(client), path); };
  connection_error_handler hung_up = [](std::exception_ptr) {};
  co_await serve(listener, handle, {}, hung_up);
}

int main(int argc, char** argv) {
  if (argc == 3)
    return run(amain, static_cast<std::uint16_t>(std::atoi(argv[1])), std::string(argv[2]));
  std::fprintf(stderr, "usage: send_file_bench PORT FILE\n");
  return 2;
}
