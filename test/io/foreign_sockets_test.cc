// SPDX-License-Identifier: MIT
// The table alone; test/foreign has real libraries.
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <sys/socket.h>
#include <unistd.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

struct socket_pair {
  socket_pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    a = fds[0];
    b = fds[1];
  }
  socket_pair(const socket_pair&) = delete;
  ~socket_pair() {
    ::close(a);
    ::close(b);
  }
  void put() { CHECK(::write(b, "x", 1) == 1); }
  void take() {
    char byte;
    CHECK(::read(a, &byte, 1) == 1);
  }
  int a, b;
};

}  // namespace

CUVEE_TEST_CASE("foreign sockets: activity of sockets and of the timer comes in order") {
  socket_pair one, two;
  foreign_sockets t;
  t.set(one.a, fd_event::readable);
  t.set(two.a, fd_event::readable | fd_event::writable);
  CHECK(t.size() == 2);
  socket_activity a = co_await t.next();
  CHECK(a.descriptor == two.a);
  CHECK(a.events == fd_event::writable);
  t.set(two.a, fd_event::readable);
  one.put();
  a = co_await t.next();
  CHECK(a.descriptor == one.a);
  CHECK(a.events == fd_event::readable);
  a = co_await t.next();  // again, as nobody has read
  CHECK(a.descriptor == one.a);
  one.take();
  two.put();
  a = co_await t.next();
  CHECK(a.descriptor == two.a);
  two.take();
  t.set_timer(1ms);
  a = co_await t.next();
  CHECK_FALSE(a.descriptor);
  CHECK(a.events == fd_event::none);
  auto cut = co_await move_on_after(5ms, t.next());  // the timer is for once
  CHECK_FALSE(cut);
}

CUVEE_TEST_CASE("foreign sockets: the timer is replaced, cleared, and due at once") {
  testing::virtual_clock clock;
  foreign_sockets t;
  t.set_timer(1h);
  t.set_timer(1s);
  co_await t.next();
  CHECK(clock.elapsed() == 1s);
  t.set_timer(0s);
  socket_activity a = co_await t.next();
  CHECK_FALSE(a.descriptor);
  CHECK(clock.elapsed() == 1s);
  t.set_timer(-5s);
  t.clear_timer();
  auto cut = co_await move_on_after(1h, t.next());
  CHECK_FALSE(cut);
  t.set_timer(1s);  // while somebody waits
  auto later = [&]() -> task<> {
    co_await checkpoint();
    t.set_timer(2s);
  };
  auto [none, activity] = co_await gather(later(), t.next());
  CHECK_FALSE(activity.descriptor);
}

CUVEE_TEST_CASE("foreign sockets: what is set while the task waits is watched at once") {
  socket_pair s;
  foreign_sockets t;
  auto change = [&]() -> task<> {
    co_await checkpoint();
    t.set(s.a, fd_event::readable);
    co_await checkpoint();
    t.set(s.a, fd_event::writable);
  };
  auto [none, a] = co_await gather(change(), t.next());
  CHECK(a.descriptor == s.a);
  CHECK(a.events == fd_event::writable);
}

CUVEE_TEST_CASE("foreign sockets: a removed socket is forgotten, and may be closed") {
  socket_pair one;
  foreign_sockets t;
  t.set(one.a, fd_event::readable);
  one.put();
  auto remove = [&]() -> task<> {
    // The activity has come by now, but not to the task.
    for (int i = 0; i < 5; i++) co_await sleep(100us);
  };
  co_await gather(remove(), move_on_after(0ms, t.next()));
  co_await move_on_after(5ms, t.next());
  t.set(one.a, fd_event::none);
  CHECK(t.size() == 0);
  t.remove(one.a);
  auto cut = co_await move_on_after(2ms, t.next());
  CHECK_FALSE(cut);
  CHECK(loop::current().open_handles() == 0);
}

CUVEE_TEST_CASE("foreign sockets: a cancelled wait loses no activity, a second one is told busy") {
  socket_pair s;
  foreign_sockets t;
  t.set(s.a, fd_event::readable);
  auto wait = [&]() -> task<> {
    auto cut = co_await move_on_after(5ms, t.next());
    CHECK_FALSE(cut);
  };
  auto second = [&]() -> task<> {
    co_await checkpoint();
    auto code = co_await failure_code(t.next());
    CHECK(code == errc::busy);
  };
  co_await gather(wait(), second());
  t.set_timer(0s);
  s.put();
  co_await sleep(2ms);
  bool done = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await t.next();
    done = true;
  });
  CHECK_FALSE(done);
  int sockets = 0;
  for (int i = 0; i < 2; i++) {
    socket_activity a = co_await t.next();
    sockets += a.descriptor.has_value();
  }
  CHECK(sockets == 1);
}

CUVEE_TEST_CASE("foreign sockets: what set could not do, next tells once") {
  socket_pair s;
  foreign_sockets t;
  int closed = ::dup(0);
  ::close(closed);
  t.set(closed, fd_event::readable);
  t.set(s.a, fd_event::writable);
  auto code = co_await failure_code(t.next());
  CHECK(code == std::errc::bad_file_descriptor);
  socket_activity a = co_await t.next();
  CHECK(a.descriptor == s.a);
  t.remove(s.a);
  auto wait = [&]() -> task<> { co_await readable(s.a); };
  auto collide = [&]() -> task<> {
    co_await checkpoint();
    t.set(s.a, fd_event::readable);
    auto busy = co_await failure_code(t.next());
    CHECK(busy == errc::busy);
    s.put();
  };
  co_await gather(wait(), collide());
}

TEST_CASE(
    "foreign sockets: cancelled at every suspension and stopped in every round, nothing is left") {
  auto body = []() -> task<> {
    socket_pair one, two;
    foreign_sockets t;
    t.set(one.a, fd_event::readable);
    t.set(two.a, fd_event::writable);
    t.set_timer(1ms);
    one.put();
    for (int i = 0; i < 6; i++) {
      socket_activity a = co_await t.next();
      if (!a.descriptor) t.set_timer(0s);
      co_await checkpoint();
    }
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  auto stopped = testing::torture_stop(body);
  CHECK(stopped.leaks == "");
}
