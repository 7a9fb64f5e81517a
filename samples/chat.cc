// SPDX-License-Identifier: MIT
// A chat room over TCP: what one client says, the others read. Shows serve, buffered_reader and broadcast.
//   ./chat --port 8080 &  nc 127.0.0.1 8080     (the first line is your name)
#include <cuvee/io.h>

#include "args.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>

using namespace std::chrono_literals;

constexpr std::size_t longest_line_bytes = 1000;
constexpr std::size_t kept_lines =
    100;  // for clients that read slowly; who lags further misses some

struct message {
  int from;
  std::string line;
};
using room = cuvee::broadcast<std::shared_ptr<const message>>;

class guest {
 public:
  guest(cuvee::tcp_stream s, room& r, int number)
      : stream_(std::move(s)), room_(r), heard_(r.subscribe()), number_(number) {}

  // Leaves when it hangs up, breaks a rule, or does not take what the others say.
  cuvee::task<> stay() {
    cuvee::buffered_reader lines(stream_);
    co_await stream_.write("your name? ");
    auto name = co_await cuvee::timeout(60s, lines.read_line(longest_line_bytes));
    if (!name || name->empty()) co_return;
    name_ = *name;
    say("joined");
    std::exception_ptr trouble;
    try {
      co_await cuvee::any_of(talk(lines), listen());
    } catch (...) {  // a reset, say: for the others he has left all the same
      trouble = std::current_exception();
    }
    say("left");
    if (trouble) std::rethrow_exception(trouble);
  }

 private:
  void say(std::string_view what) {
    std::string line = name_ + ' ' + std::string(what) + '\n';
    room_.send(std::make_shared<message>(number_, std::move(line)));
  }
  cuvee::task<> talk(cuvee::buffered_reader& lines) {
    while (auto line = co_await lines.read_line(longest_line_bytes)) say("says: " + *line);
  }
  cuvee::task<> listen() {
    for (;;) {
      auto heard = co_await cuvee::as_result(heard_.recv());
      std::string missed = "(you missed some lines)\n";
      if (!heard) co_await cuvee::timeout(30s, stream_.write(missed));
      else if (!*heard) co_return;
      else if ((**heard)->from != number_)
        co_await cuvee::timeout(30s, stream_.write((**heard)->line));
    }
  }

  cuvee::tcp_stream stream_;
  room& room_;
  cuvee::subscription<std::shared_ptr<const message>> heard_;
  int number_;
  std::string name_;
};

cuvee::task<> welcome(cuvee::tcp_stream client, room& r, int number) {
  guest g(std::move(client), r, number);
  co_await g.stay();
}

cuvee::task<> chat(std::string host, std::uint16_t port) {
  cuvee::tcp_listener listener = co_await cuvee::listen(host, port);
  std::printf("listening on %s\n", listener.local().to_string().c_str());
  std::fflush(stdout);
  room everyone(kept_lines);
  int guests = 0;
  auto handler = [&](cuvee::tcp_stream client) {
    return welcome(std::move(client), everyone, ++guests);
  };
  cuvee::serve_limits limits;
  limits.drain = 0s;  // nobody who chats comes to an end by himself
  co_await cuvee::serve(listener, handler, limits);
}

int main(int argc, char** argv) {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  samples::args args("chat", "A chat room for TCP clients, until Ctrl-C.");
  args.value("--host HOST", host, "address or name to listen on (127.0.0.1)")
      .number<std::uint16_t>("--port N", port, 0, 65535, "port; 0 takes any free one (8080)");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(chat, host, port);
}
