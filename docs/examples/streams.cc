// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cstdio>

using namespace cuvee;
using namespace std::chrono_literals;

// A protocol of lines: each is answered by how long it is.
task<> count_letters(tcp_stream client) {
  buffered_reader reader(client);
  while (auto line = co_await reader.read_line()) {
    std::string answer = std::to_string(line->size()) + "\n";
    co_await client.write(answer);
  }
}  // the connection closes here, also when something is thrown

task<> ask(endpoint server) {
  tcp_stream s = co_await connect(server);
  co_await s.write("cuvee\n", "a longer line\n");  // several ranges, in one call of the system
  co_await s.shutdown_write();
  buffered_reader reader(s);
  std::string answers = co_await reader.read_all(1000);
  std::printf("%s", answers.c_str());
}

task<> client_and_server() {
  tcp_listener listener = co_await listen("127.0.0.1", 0);  // any free port
  co_await task_group([&](group& g) -> task<> {
    auto serving = g.spawn([&]() -> task<> {
      serve_limits limits;
      limits.most_connections = 100;
      co_await serve(listener, count_letters, limits);
    });
    co_await ask(listener.local());
    listener.close();  // connections under way may end
    co_await serving.join();
  });
}

task<> connected_pairs() {
  auto [here, there] = memory_stream_pair();  // a connection without a system
  auto [left, right] = unix_stream_pair();
  co_await here.write("through memory and the kernel\n");
  co_await here.shutdown_write();
  std::uint64_t n = co_await copy(there, left);
  co_await left.shutdown_write();
  buffered_reader reader(right);
  auto line = co_await reader.read_line();
  std::printf("%d: %s\n", static_cast<int>(n), line->c_str());
}

task<> what_fails() {
  tcp_listener nobody = co_await listen("127.0.0.1", 0);
  endpoint gone = nobody.local();
  nobody.close();
  auto attempt = timeout(5s, connect(gone));
  auto result = co_await as_result(std::move(attempt));
  if (result.error().code() == std::errc::connection_refused) std::printf("nobody there\n");
}

task<> amain() {
  co_await client_and_server();
  co_await connected_pairs();
  co_await what_fails();
}

int main() { return cuvee::run(amain); }
