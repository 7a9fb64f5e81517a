// SPDX-License-Identifier: MIT
// Thousands of connections open and close: descriptors, handles and memory are back afterwards.
#include "tls_case.h"

#include <cuvee/testing/doctest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

using namespace cuvee;
using namespace tls_case;

namespace {

/// As many descriptors as this process may have.
class raised_limit {
 public:
  raised_limit() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit most = before_;
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
  }
  raised_limit(const raised_limit&) = delete;
  ~raised_limit() { setrlimit(RLIMIT_NOFILE, &before_); }

  /// How many of `wanted` connections fit, both ends of them in this process.
  std::size_t room_for(std::size_t wanted) const {
    constexpr rlim_t others = 200;
    std::size_t most = (std::max(before_.rlim_max, others) - others) / 2;
    if (most < wanted)
      std::printf("%zu connections instead of %zu: RLIMIT_NOFILE is %ju\n", most, wanted,
                  static_cast<std::uintmax_t>(before_.rlim_max));
    return std::min(wanted, most);
  }

 private:
  rlimit before_{};
};

struct footing {
  std::size_t files = testing::footprint::take().open_files.size();
  std::size_t handles = loop::current().open_handles();
  std::size_t kilobytes = resident();

  static std::size_t resident() {
    std::size_t all = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> all >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
  }
};

template <class Listener, class Stream>
task<> accept_all(Listener& l, std::vector<Stream>& into, std::size_t n) {
  while (into.size() < n) {
    Stream s = co_await l.accept();
    into.push_back(std::move(s));
  }
}

// Most leave with a reset: closed in order, each would hold its port for a minute.
template <class Stream>
task<> use_and_close(std::vector<Stream>& clients, std::vector<Stream>& servers) {
  char byte;
  for (std::size_t i = 0; i < clients.size(); i++) {
    co_await clients[i].write(std::string_view("x"));
    co_await servers[i].write(std::string_view("y"));
  }
  for (std::size_t i = 0; i < clients.size(); i++) {
    co_await clients[i].read_some(mutable_bytes(&byte, 1));
    co_await servers[i].read_some(mutable_bytes(&byte, 1));
    if (i >= 500) clients[i].abort();
    co_await gather(servers[i].close(), clients[i].close());
  }
}

task<> tcp_round(std::size_t n) {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  const endpoint at = l.local();
  std::vector<tcp_stream> clients, servers;
  auto connect_all = [&]() -> task<> {
    while (clients.size() < n) {
      tcp_stream s = co_await connect(at);
      clients.push_back(std::move(s));
    }
  };
  task<> accepting = accept_all(l, servers, n), connecting = connect_all();
  co_await gather(std::move(accepting), std::move(connecting));
  CHECK(loop::current().open_handles() >= 2 * n);
  co_await use_and_close(clients, servers);
}

task<> unix_round(std::size_t n) {
  const std::string path = std::string(1, '\0') + "cuvee-many-" + std::to_string(getpid());
  unix_listener l = listen_unix(path);
  std::vector<unix_stream> clients, servers;
  auto connect_all = [&]() -> task<> {
    while (clients.size() < n) {
      unix_stream s = co_await connect_unix(path);
      clients.push_back(std::move(s));
    }
  };
  task<> accepting = accept_all(l, servers, n), connecting = connect_all();
  co_await gather(std::move(accepting), std::move(connecting));
  CHECK(loop::current().open_handles() >= 2 * n);
  co_await use_and_close(clients, servers);
}

task<> tls_round(std::size_t n) {
  std::vector<tls_stream> clients, servers;
  for (std::size_t i = 0; i < n; i++) {
    tls_connection c = co_await tls_connected();
    clients.push_back(std::move(c.client));
    servers.push_back(std::move(c.server));
  }
  co_await use_and_close(clients, servers);
}

// The first round fills pools and caches; a second one needs no more.
task<> rounds(task<> (*one)(std::size_t), std::size_t wanted) {
  raised_limit limit;
  const std::size_t n = limit.room_for(wanted);
  footing start;
  co_await one(n);
  footing warm;
  co_await one(n);
  footing end;
  CHECK(end.files <= warm.files);
  CHECK(end.files <= start.files + 1);  // a random source of OpenSSL's
  CHECK(end.handles == start.handles);
  // Sanitizers keep what was freed for a while.
  if (!CUVEE_ASAN) CHECK(end.kilobytes < warm.kilobytes + 16 * 1024);
}

}  // namespace

CUVEE_TEST_CASE("tcp: 10,000 connections open and close, and nothing is left" *
                doctest::test_suite("slow")) {
  co_await rounds(&tcp_round, 10'000);
}

CUVEE_TEST_CASE("unix: 10,000 connections open and close, and nothing is left" *
                doctest::test_suite("slow")) {
  co_await rounds(&unix_round, 10'000);
}

CUVEE_TEST_CASE("tls: 1,000 connections open and close, and nothing is left" *
                doctest::test_suite("slow")) {
  co_await rounds(&tls_round, 1'000);
}
