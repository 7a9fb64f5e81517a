// SPDX-License-Identifier: MIT
// Forwards TCP connections to another address, half closes included. Shows serve, copy and gather.
//   ./port_forward --port 8080 example.org 80 &  curl -H 'Host: example.org' 127.0.0.1:8080
#include <cuvee/io.h>

#include "args.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>

using namespace std::chrono_literals;

struct settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string target_host;
  std::uint16_t target_port = 0;
  int most = 1000;
};

// The end of one side is the end for the other, which may still answer.
cuvee::task<> one_way(cuvee::stream& from, cuvee::stream& to) {
  co_await cuvee::copy(from, to);
  co_await to.shutdown_write();
}

// What goes wrong with one connection is reported and closes both of its sides, no others.
cuvee::task<> forward(cuvee::tcp_stream client, const settings& s) {
  cuvee::tcp_stream target =
      co_await cuvee::timeout(30s, cuvee::connect(s.target_host, s.target_port));
  co_await cuvee::gather(one_way(client, target), one_way(target, client));
}

cuvee::task<> run_forwarder(settings s) {
  cuvee::tcp_listener listener = co_await cuvee::listen(s.host, s.port);
  std::printf("forwarding %s to %s port %d\n", listener.local().to_string().c_str(),
              s.target_host.c_str(), s.target_port);
  std::fflush(stdout);
  cuvee::serve_limits limits;
  limits.most_connections = static_cast<std::size_t>(s.most);
  limits.drain = 1s;
  auto handler = [&s](cuvee::tcp_stream client) { return forward(std::move(client), s); };
  co_await cuvee::serve(listener, handler, limits);
}

int main(int argc, char** argv) {
  settings s;
  std::vector<std::string> target;
  samples::args args("port_forward", "Forwards TCP connections to PORT of HOST, until Ctrl-C.");
  args.value("--host HOST", s.host, "address or name to listen on (127.0.0.1)")
      .number<std::uint16_t>("--port N", s.port, 0, 65535, "port; 0 takes any free one (8080)")
      .number("--most N", s.most, 1, 100'000, "connections at once; others wait (1000)")
      .positionals("HOST PORT", target, 2);
  if (auto status = args.parse(argc, argv)) return *status;
  const std::string& port = target[1];
  auto [end, e] = std::from_chars(port.data(), port.data() + port.size(), s.target_port);
  if (target.size() != 2 || e != std::errc() || end != port.data() + port.size()) {
    std::fprintf(stderr, "port_forward: give one HOST and a PORT from 0 to 65535\n");
    return 2;
  }
  s.target_host = target[0];
  return cuvee::run(run_forwarder, s);
}
