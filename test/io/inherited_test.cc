// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

using namespace cuvee;
using namespace io_case;

namespace {

constexpr int first = 500;  // beyond what a test has open

/// A new descriptor, as number `as`.
void place(int fd, int as) {
  REQUIRE(fd >= 0);
  REQUIRE(dup2(fd, as) == as);
  close(fd);
}

int bound(int type, const endpoint& at = endpoint("127.0.0.1", 0)) {
  int fd = socket(at.is_v6() ? AF_INET6 : AF_INET, type, 0);
  sockaddr_storage storage;
  unsigned size = at.store(reinterpret_cast<sockaddr&>(storage));
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) return -1;
  return fd;
}

int listening() {
  int fd = bound(SOCK_STREAM);
  return ::listen(fd, 5) == 0 ? fd : -1;
}

int local_listening() {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un any{};
  any.sun_family = AF_UNIX;  // Linux chooses an abstract name
  if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any.sun_family) != 0) return -1;
  return ::listen(fd, 5) == 0 ? fd : -1;
}

std::string refusal(const std::function<int()>& made) {
  place(made(), first);
  try {
    detail::adopt_sockets(first, {"a"});
    return "none";
  } catch (const error& e) {
    CHECK(e.code() == std::errc::invalid_argument);
    return e.what();
  }
}

}  // namespace

CUVEE_TEST_CASE("inherited: listening sockets are taken over, with their names") {
  place(listening(), first);
  place(local_listening(), first + 1);
  inherited_sockets all = detail::adopt_sockets(first, {"web", "control"});
  REQUIRE(all.tcp.size() == 1);
  REQUIRE(all.local.size() == 1);
  CHECK(all.udp.empty());
  CHECK(all.names.tcp == std::vector<std::string>{"web"});
  CHECK(all.names.local == std::vector<std::string>{"control"});
  auto [client, server] = co_await gather(connect(all.tcp[0].local()), all.tcp[0].accept());
  CHECK(server.peer() == client.local());
  auto [asks, answers] = co_await gather(connect_unix(all.local[0].path()), all.local[0].accept());
  co_await asks.write("x");
  std::string got = co_await read_exact(answers, 1);
  CHECK(got == "x");
}

CUVEE_TEST_CASE("inherited: a UDP socket is taken over, and knows its peer if it has one") {
  udp_socket other = bind_udp(endpoint("127.0.0.1", 0));
  int fd = bound(SOCK_DGRAM);
  sockaddr_storage storage;
  unsigned size = other.local().store(reinterpret_cast<sockaddr&>(storage));
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0);
  place(bound(SOCK_DGRAM), first);
  place(fd, first + 1);
  inherited_sockets all = detail::adopt_sockets(first, {"dns", "log"});
  REQUIRE(all.udp.size() == 2);
  CHECK(all.names.udp == std::vector<std::string>{"dns", "log"});
  udp_socket& open = all.udp[0];
  udp_socket& connected = all.udp[1];
  co_await other.send_to("question", open.local());
  datagram question = co_await open.receive();
  CHECK(question.from == other.local());
  co_await open.send_to("answer", question.from);
  datagram answer = co_await other.receive();
  CHECK(answer.from == open.local());
  auto peerless = co_await as_result(open.send("x"));
  CHECK(peerless.error().code() == std::errc::destination_address_required);
  CHECK(connected.peer() == other.local());
  co_await connected.send("line");
  datagram line = co_await other.receive();
  CHECK(line.from == connected.local());
}

CUVEE_TEST_CASE("inherited: what is neither is refused by its number and type") {
  const std::string none =
      "inherit descriptor 500: neither a listening stream socket nor a UDP socket: ";
  auto pipe_end = [] {
    int ends[2] = {-1, -1};
    if (pipe(ends) == 0) close(ends[1]);
    return ends[0];
  };
  CHECK(refusal([] { return bound(SOCK_STREAM); }) ==
        none + "a stream socket that does not listen");
  CHECK(refusal([] { return socket(AF_UNIX, SOCK_DGRAM, 0); }) == none + "a unix datagram socket");
  CHECK(refusal([] { return socket(AF_UNIX, SOCK_SEQPACKET, 0); }) ==
        none + "a socket of sequenced packets");
  CHECK(refusal(pipe_end) == none + "a pipe");
  CHECK(refusal([] { return ::open("/bin/sh", O_RDONLY); }) == none + "a regular file");
  // Those before and behind it are closed as well: the fixture counts descriptors.
  place(listening(), first);
  place(pipe_end(), first + 1);
  place(bound(SOCK_DGRAM), first + 2);
  CHECK_THROWS_AS(detail::adopt_sockets(first, {"a", "b", "c"}), error);
  CHECK_THROWS_AS(detail::adopt_sockets(first, {"a"}), error);  // not open
  co_return;
}

CUVEE_TEST_CASE("inherited: nothing is taken that is meant for another process") {
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_PID", "1", 1);
  inherited_sockets all = take_inherited_sockets();
  CHECK(all.tcp.empty());
  CHECK(std::getenv("LISTEN_FDS"));
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  co_return;
}

// Run by the case below, in a process whose descriptors 3 and 4 are nobody else's.
TEST_CASE("inherited: a process that was given a TCP and a UDP socket tells their names" *
          doctest::skip()) {
  int status = run([]() -> task<> {
    inherited_sockets all = take_inherited_sockets();
    bool kept = std::getenv("LISTEN_FDS") || std::getenv("LISTEN_FDNAMES");
    std::printf("<%s|%s|%s>", all.names.tcp.at(0).c_str(), all.names.udp.at(0).c_str(),
                kept ? "kept" : "gone");
    co_return;
  });
  CHECK(status == 0);
}

TEST_CASE("inherited: names come from the environment, which is cleared") {
  auto output_with = [](const char* names) {
    return scenario::in_child([names] {
             dup2(listening(), 3);
             dup2(bound(SOCK_DGRAM), 4);
             setenv("LISTEN_FDS", "2", 1);
             setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
             if (names) setenv("LISTEN_FDNAMES", names, 1);
             execl("/proc/self/exe", "test-io", "--no-skip",
                   "--test-case=inherited: a process that was given*", nullptr);
             return 1;
           })
        .output;
  };
  auto has = [](const std::string& text, const char* what) { return text.find(what) != text.npos; };
  CHECK(has(output_with(nullptr), "<unknown|unknown|gone>"));
  CHECK(has(output_with("web:dns"), "<web|dns|gone>"));
  CHECK(has(output_with("web:"), "<web||gone>"));
  CHECK(has(output_with("web"), "inherit LISTEN_FDNAMES: 1 names for 2 descriptors"));
}
