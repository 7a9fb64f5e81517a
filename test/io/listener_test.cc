// SPDX-License-Identifier: MIT
// Listeners, and how connections are made and taken; TCP-21 is in test/faults.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/connect_order.h"
#include "io/stream_block.h"

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const endpoint any_port("127.0.0.1", 0);

int option(tcp_stream& s, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  getsockopt(s.native().descriptor(), level, name, &value, &size);
  return value;
}

// While it lives this process gets no further descriptor.
class no_descriptors {
 public:
  no_descriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    int next = dup(0);
    close(next);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &now);
  }
  no_descriptors(const no_descriptors&) = delete;
  ~no_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A listener whose queue is full: the next connect gets no answer.
struct deaf_listener {
  static task<deaf_listener> make() {
    listen_options small;
    small.backlog = 0;
    deaf_listener d{listen(any_port, small), {}};
    for (int i = 0; i < 8; i++) {
      auto s = co_await move_on_after(50ms, connect(d.socket.local()));
      if (!s) break;
      d.waiting.push_back(std::move(*s));
    }
    co_return d;
  }
  tcp_listener socket;
  std::vector<tcp_stream> waiting;
};

bool no_v6() {
  static const bool missing = [] {
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_storage at;
    unsigned size = endpoint("::1", 0).store(reinterpret_cast<sockaddr&>(at));
    bool here = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0;
    if (fd >= 0) close(fd);
    if (!here) std::printf("skipped: cases that need IPv6, which this machine does not have\n");
    return !here;
  }();
  return missing;
}

}  // namespace

CUVEE_TEST_CASE(
    "tcp: without descriptors accepting pauses, one report, and nobody is turned away") {
  testing::virtual_clock clock(loop::current(), 2ms);
  std::vector<std::string> reports;
  loop::current().on_report([&](const report& r) { reports.push_back(r.message); });
  tcp_listener l = listen(any_port);
  tcp_stream a = co_await connect(l.local()), b = co_await connect(l.local());
  auto accept_both = [&]() -> task<> {
    tcp_stream first = co_await l.accept();
    tcp_stream second = co_await l.accept();
    CHECK(first.peer() == a.local());
    CHECK(second.peer() == b.local());
  };
  {
    no_descriptors none;
    auto soon = co_await move_on_after(1s, l.accept());
    CHECK_FALSE(soon);
  }
  co_await accept_both();
  REQUIRE(reports.size() == 1);
  CHECK(reports[0] == "accepting pauses until there is room again: accept tcp " +
                          l.local().to_string() + ": too many open files (EMFILE)");
  loop::current().on_report(nullptr);
}

CUVEE_TEST_CASE("tcp: one listener on several addresses, one port, each once") {
  std::vector<endpoint> at;
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.1"}) at.emplace_back(host, 0);
  tcp_listener l = listen(at);
  std::vector<endpoint> bound = l.locals();
  REQUIRE(bound.size() == 2);
  CHECK(bound[0].port() == bound[1].port());
  for (const endpoint& to : bound) {
    auto [client, server] = co_await gather(connect(to), l.accept());
    CHECK(server.local() == to);
  }
  l.close();
  for (const endpoint& to : bound) {
    auto code = co_await failure_code(connect(to));
    CHECK(code == std::errc::connection_refused);
  }
  CHECK_THROWS_AS(l.local(), error);
}

CUVEE_TEST_CASE("tcp: addresses of other machines are passed over, unless there are no others") {
  std::vector<endpoint> at;
  at.emplace_back("192.0.2.1", 0);
  CHECK_THROWS_AS(listen(at), error);
  at.push_back(any_port);
  tcp_listener l = listen(at);
  CHECK(l.locals().size() == 1);
  CHECK_THROWS_AS(listen(std::vector<endpoint>()), error);
  co_return;
}

CUVEE_TEST_CASE("tcp: an IPv6 listener takes IPv4 connections if asked to" *
                doctest::skip(no_v6())) {
  listen_options both;
  both.v6_only = false;
  tcp_listener l = listen(endpoint("::", 0), both);
  auto [client, server] =
      co_await gather(connect(endpoint("127.0.0.1", l.local().port())), l.accept());
  CHECK(server.peer().port() == client.local().port());
}

CUVEE_TEST_CASE("tcp: what connect_options ask for is done") {
  tcp_listener l = listen(any_port);
  connect_options o;
  o.local = endpoint("127.0.0.2", 0);
  o.keepalive = 77s;
  o.nodelay = false;
  auto [client, server] = co_await gather(connect(l.local(), o), l.accept());
  CHECK(server.peer().address() == "127.0.0.2");
  CHECK(option(client, SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(option(client, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
  CHECK(option(client, IPPROTO_TCP, TCP_NODELAY) == 0);
  CHECK(option(server, IPPROTO_TCP, TCP_NODELAY) != 0);
  client.set_nodelay(true);
  client.set_keepalive(std::nullopt);
  CHECK(option(client, IPPROTO_TCP, TCP_NODELAY) != 0);
  CHECK(option(client, SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK_THROWS_AS(client.set_keepalive(1ms), error);
  co_await client.close();
  CHECK_THROWS_AS(client.set_nodelay(true), error);

  o.local = endpoint("192.0.2.1", 0);
  auto code = co_await failure_code(connect(l.local(), o));
  CHECK(code == std::errc::address_not_available);
}

TEST_CASE("happy eyeballs: the families take turns, beginning with the first") {
  std::vector<endpoint> a;
  for (const char* host : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"})
    a.emplace_back(host, 80);
  std::string order;
  for (const endpoint& e : detail::attempt_order(a, std::nullopt)) order += e.address() + ' ';
  CHECK(order == "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3 ");
  CHECK(detail::attempt_order(a, endpoint("::", 0)).size() == 1);
}

CUVEE_TEST_CASE(
    "happy eyeballs: an address that does not answer delays by 250 ms, a refusal by nothing") {
  testing::virtual_clock clock(loop::current(), 2ms);
  deaf_listener deaf = co_await deaf_listener::make();
  tcp_listener l = listen(any_port);
  std::uint16_t closed = 0;
  {
    tcp_listener gone = listen(any_port);
    closed = gone.local().port();
  }
  std::vector<endpoint> to;
  to.emplace_back("127.0.0.1", closed);
  to.push_back(deaf.socket.local());
  to.push_back(l.local());
  duration before = clock.elapsed();
  auto [client, server] = co_await gather(connect(to), l.accept());
  CHECK(clock.elapsed() - before == 250ms);
  CHECK(client.peer() == l.local());
}

CUVEE_TEST_CASE("happy eyeballs: no address is an error; all that fail are kept") {
  auto code = co_await failure_code(connect(std::vector<endpoint>()));
  CHECK(code == std::errc::invalid_argument);
  connect_options from_v6;
  from_v6.local = endpoint("::1", 0);
  std::string why = co_await failure(connect("127.0.0.1", 1, from_v6));
  CHECK(why == "connect from [::1]:0: no address of its family");
  std::vector<endpoint> to;
  for (int i = 0; i < 3; i++) {
    tcp_listener gone = listen(any_port);
    to.push_back(gone.local());
  }
  std::exception_ptr failed;
  try {
    co_await connect(to);
  } catch (...) {
    failed = std::current_exception();
  }
  REQUIRE(failed);
  CHECK(suppressed(failed).size() == 2);
}

TEST_CASE("happy eyeballs: cancelled at every suspension, nothing is left" *
          doctest::test_suite("slow")) {
  auto report = testing::torture([]() -> task<> {
    deaf_listener deaf = co_await deaf_listener::make();
    tcp_listener l = listen(any_port);
    std::vector<endpoint> to;
    to.push_back(deaf.socket.local());
    to.push_back(l.local());
    connect_options quick;
    quick.stagger = 1ms;
    auto [client, server] = co_await gather(connect(to, quick), l.accept());
    co_await client.write("x");
    std::string got = co_await read_exact(server, 1);
    CHECK(got == "x");
  });
  CHECK(report.cancelled > 2);
  CHECK(report.leaks == "");
}
