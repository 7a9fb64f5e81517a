// SPDX-License-Identifier: MIT
// A UDP server that sends back what it gets, and its client. Datagrams may get lost: the client sends again.
//   ./udp_echo --port 9000 &
//   ./udp_echo --port 9000 hello world        (or: nc -u 127.0.0.1 9000)
#include <cuvee/io.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <memory>

using namespace std::chrono_literals;

struct settings {
  std::string host = "127.0.0.1";  // who answers the whole world can be made to flood anyone in it
  std::uint16_t port = 9000;
  double wait = 1;
  std::vector<std::string> texts;
};

cuvee::task<int> serve(const settings& s) {
  constexpr std::size_t largest_datagram_bytes = 65'535;
  auto buffer = std::make_unique_for_overwrite<char[]>(largest_datagram_bytes);
  cuvee::mutable_bytes room(buffer.get(), largest_datagram_bytes);
  cuvee::udp_socket socket = co_await cuvee::bind_udp(s.host, s.port);
  std::printf("listening on %s\n", socket.local().to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    cuvee::datagram_info came = co_await socket.receive_from(room);
    cuvee::const_bytes answer(buffer.get(), came.size);
    auto sent = co_await cuvee::as_result(socket.send_to(answer, came.from));
    // This client's trouble only.
    if (!sent) std::fprintf(stderr, "udp_echo: %s\n", sent.error().what());
  }
}

// Answers to what was sent twice come twice, and late.
cuvee::task<> receive_answer(cuvee::udp_socket& socket, const std::string& to) {
  cuvee::datagram came;
  do came = co_await socket.receive();
  while (came.data != to);
}

cuvee::task<int> ask(const settings& s) {
  constexpr int attempts = 3;
  cuvee::udp_socket socket = co_await cuvee::connect_udp(s.host, s.port);
  for (const std::string& text : s.texts) {
    bool answered = false;
    for (int i = 0; i < attempts && !answered; i++) {
      co_await socket.send(text);
      auto answer = co_await cuvee::move_on_after(std::chrono::duration<double>(s.wait),
                                                  receive_answer(socket, text));
      answered = bool{answer};
    }
    if (!answered) {
      std::fprintf(stderr, "udp_echo: no answer from %s\n", socket.peer().to_string().c_str());
      co_return 1;
    }
    std::printf("%s\n", text.c_str());
  }
  co_return 0;
}

int main(int argc, char** argv) {
  settings s;
  samples::args args(
      "udp_echo",
      "Sends back what UDP clients send, until Ctrl-C; with a TEXT sends that to such a "
      "server instead\nand prints the answer.");
  args.value("--host HOST", s.host, "address or name to listen on, or of the server (127.0.0.1)")
      .number<std::uint16_t>("--port N", s.port, 0, 65535, "port; 0 takes any free one (9000)")
      .number<double>("--wait SECONDS", s.wait, 0.001, 1e6,
                      "for each answer, before a TEXT is sent again, twice at most (1)")
      .positionals("[TEXT]...", s.texts, 0);
  if (auto status = args.parse(argc, argv)) return *status;
  return s.texts.empty() ? cuvee::run(serve, s) : cuvee::run(ask, s);
}
