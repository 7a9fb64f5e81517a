// SPDX-License-Identifier: MIT
// Unix sockets, streams passed over them, pipes, host names, signals.
#include "fault_case.h"
#include "localhost.h"
#include "peer.h"

#include <doctest/doctest.h>

#include <csignal>
#include <netinet/in.h>
#include <sys/un.h>

using namespace cuvee;
using namespace fault_case;

namespace {

const std::string& socket_path() {
  static const peers::temporary_folder folder;
  static const std::string path = folder.path() + "/socket";
  return path;
}

task<> echo(unix_listener& l) {
  unix_stream s = co_await l.accept();
  std::string all = co_await read_all(s);
  co_await s.write(all);
  co_await s.shutdown_write();
}
task<> ask(const std::string& text) {
  unix_stream s = co_await connect_unix(socket_path());
  peer_credentials who = s.credentials();
  CHECK(who.pid == getpid());
  co_await s.write(text);
  co_await s.shutdown_write();
  std::string answer = co_await read_all(s);
  if (answer.size() < text.size()) throw error(errc::end_of_stream, "ask");
  CHECK(answer == text);
}
task<> unix_exchange() {
  const std::string text(300'000, 'x');
  unix_listener l = listen_unix(socket_path());
  co_await gather(echo(l), ask(text));
}

// Each await has an end of its own: an error of one side would leave the other waiting.
task<> passing_handles() {
  unix_options passing;
  passing.pass_handles = true;
  auto [a, b] = unix_stream_pair(passing);
  auto [sent, other] = unix_stream_pair();
  co_await a.send_handle(sent, "x");
  char byte;
  std::size_t n = co_await b.read_some(mutable_bytes(&byte, 1));
  CHECK(n == 1);
  auto received = b.take_handle();
  if (!received) throw error(errc::end_of_stream, "take");
  co_await std::get<unix_stream>(*received).write("y");
  n = co_await other.read_some(mutable_bytes(&byte, 1));
  CHECK(n == 1);
}

task<> feeding(pipe_stream& to) {
  co_await to.write(std::string_view("some text"));
  co_await to.close();
}
task<> piping() {
  auto [from, to] = anonymous_pipe();
  auto [none, got] = co_await gather(feeding(to), read_all(from));
  CHECK(got == "some text");
}

task<> resolving() {
  auto found = co_await resolve(no_localhost() ? "127.0.0.1" : "localhost", 80);
  CHECK(!found.empty());
  found = co_await resolve("::1", 80);
  CHECK(found.size() == 1);
}

task<> receiving_signals() {
  signal_set one(SIGUSR1, SIGUSR2), other(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR2);
  int first = co_await one.next();
  int second = co_await one.next();
  CHECK(first + second == SIGUSR1 + SIGUSR2);
  first = co_await other.next();
  CHECK(first == SIGUSR1);
}

bool is_default(int signal) {
  struct sigaction now{};
  sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_DFL;
}

int listening(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0 || ::listen(fd, 1) != 0) throw error(errc::closed, "listen");
  return fd;
}
// A unix socket that was never bound cannot listen: an abstract name of the kernel's choice will do.
int listening_unix() {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un none{};
  none.sun_family = AF_UNIX;
  if (bind(fd, reinterpret_cast<sockaddr*>(&none), sizeof none.sun_family) != 0 ||
      ::listen(fd, 1) != 0)
    throw error(errc::closed, "listen");
  return fd;
}
int bound_udp() {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0)
    throw error(errc::closed, "bind");
  return fd;
}
task<> inheriting() {
  const std::vector<std::string> name(1, "a name that is too long to be kept in place");
  auto tcp = detail::adopt_sockets(listening(AF_INET), name);
  CHECK(tcp.tcp.size() == 1);
  auto local = detail::adopt_sockets(listening_unix(), name);
  CHECK(local.local.size() == 1);
  auto udp = detail::adopt_sockets(bound_udp(), name);
  CHECK(udp.udp.size() == 1);
  co_return;
}

constexpr auto all = {&unix_exchange, &passing_handles,   &piping,
                      &resolving,     &receiving_signals, &inheriting};

}  // namespace

TEST_CASE("faults: every call fails in unix sockets, pipes, host names and signals") {
  for (auto body : all) CHECK(fail_calls(body) >= 1);
  CHECK(is_default(SIGUSR1));
}

TEST_CASE("faults: every allocation fails in unix sockets, pipes, host names and signals") {
  for (auto body : all) CHECK(fail_allocations(body) >= 1);
  CHECK(is_default(SIGUSR1));
}
