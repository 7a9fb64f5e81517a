// SPDX-License-Identifier: MIT
// Lookups, and descriptors of others.
#include "fault_case.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

using namespace cuvee;
using namespace fault_case;

namespace {

// Through libc, which finds nothing: the label is too long to be asked for.
task<> look_up(resolver& names) {
  auto found = co_await as_result(names.resolve(std::string(64, 'x') + ".invalid", 80));
  if (found) throw error(errc::foreign, "look up");
  if (found.error().code().category().name() != std::string("lookup")) throw error(found.error());
}

task<> lookups() {
  resolver_options keep;
  keep.failure_ttl = std::chrono::hours(1);
  resolver names(keep);
  co_await gather(look_up(names), look_up(names), look_up(names));
  co_await look_up(names);
  reverse_options service_only;
  service_only.numeric_host = true;
  endpoint_name who = co_await reverse_lookup(endpoint("127.0.0.1", 80), service_only);
  CHECK(who.host == "127.0.0.1");
}

struct socket_pair {
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  socket_pair(const socket_pair&) = delete;
  ~socket_pair() {
    close(ends[0]);
    close(ends[1]);
  }
  int ends[2];
};

task<> foreign_descriptors() {
  socket_pair s;
  int fd = s.ends[0];
  co_await writable(fd);
  {
    fd_watch w = watch(fd);
    auto read = [&]() -> task<> { co_await w.readable(); };
    auto write = [&]() -> task<> {
      co_await w.writable();
      CHECK(::write(s.ends[1], "x", 1) == 1);
    };
    co_await gather(read(), write());
  }
  foreign_sockets table;
  table.set(fd, fd_event::readable);
  co_await table.next();
  table.set_timer(duration::zero());
  table.set(s.ends[1], fd_event::writable);
  for (int i = 0; i < 3; i++) co_await table.next();
}

}  // namespace

TEST_CASE("faults: every call and allocation fails in lookups and their cache") {
  CHECK(fail_calls(&lookups) >= 2);
  CHECK(fail_allocations(&lookups) > 5);
}

TEST_CASE("faults: every call and allocation fails in waiting for foreign descriptors") {
  CHECK(fail_calls(&foreign_descriptors) >= 8);
  CHECK(fail_allocations(&foreign_descriptors) > 1);
}
