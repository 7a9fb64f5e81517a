// SPDX-License-Identifier: MIT
#include "heap.h"
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "io/stream_block.h"

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

// Two descriptors, closed at the end if they are open.
struct ends {
  int a = -1, b = -1;
  ends(const ends&) = delete;
  ends() = default;
  ~ends() {
    close_a();
    close_b();
  }
  void close_a() {
    if (a >= 0) ::close(std::exchange(a, -1));
  }
  void close_b() {
    if (b >= 0) ::close(std::exchange(b, -1));
  }
};

struct socket_pair : ends {
  socket_pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    a = fds[0];
    b = fds[1];
  }
};

struct pipe_pair : ends {  // a reads
  pipe_pair() {
    int fds[2];
    REQUIRE(::pipe(fds) == 0);
    a = fds[0];
    b = fds[1];
  }
};

void put(int fd, std::size_t n = 1) {
  std::string bytes(n, 'x');
  CHECK(::write(fd, bytes.data(), n) == static_cast<ssize_t>(n));
}

void take(int fd) {
  char bytes[64];
  CHECK(::read(fd, bytes, sizeof bytes) > 0);
}

// Until the kernel takes no more.
std::size_t fill(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::string block(4096, 'x');
  std::size_t all = 0;
  for (ssize_t n = 0; (n = ::write(fd, block.data(), block.size())) > 0;)
    all += static_cast<std::size_t>(n);
  return all;
}

void drain(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  char bytes[65536];
  while (::read(fd, bytes, sizeof bytes) > 0) continue;
}

}  // namespace

CUVEE_TEST_CASE("readable: waits for bytes, and leaves the descriptor as it was") {
  for (int blocking : {0, O_NONBLOCK}) {
    socket_pair s;
    fcntl(s.a, F_SETFL, fcntl(s.a, F_GETFL) | blocking);
    int flags = fcntl(s.a, F_GETFL);
    bool woken = false;
    auto wait = [&]() -> task<> {
      fd_event what = co_await readable(s.a);
      CHECK(what == fd_event::readable);
      woken = true;
    };
    auto send = [&]() -> task<> {
      co_await sleep(1ms);
      CHECK_FALSE(woken);
      put(s.b);
    };
    co_await gather(wait(), send());
    CHECK(fcntl(s.a, F_GETFL) == flags);
    co_await readable(s.a);  // as long as they are there
    take(s.a);
    CHECK(loop::current().open_handles() == 0);
  }
}

CUVEE_TEST_CASE("readable: the end of the data and an error count, too") {
  socket_pair s;
  s.close_b();
  co_await readable(s.a);
  char byte;
  CHECK(::read(s.a, &byte, 1) == 0);
  pipe_pair p;
  fill(p.b);
  auto wait = [&]() -> task<> { co_await writable(p.b); };
  auto leave = [&]() -> task<> {
    co_await checkpoint();
    p.close_a();
  };
  co_await gather(wait(), leave());
  CHECK(::write(p.b, "x", 1) == -1);
  CHECK(errno == EPIPE);
  fd_watch w = watch(p.b);
  for (int i = 0; i < 3; i++) co_await w.writable();  // it stays so
}

CUVEE_TEST_CASE("writable: waits for room") {
  socket_pair s;
  co_await writable(s.a);
  fill(s.a);
  auto soon = co_await move_on_after(1ms, writable(s.a));
  CHECK_FALSE(soon);
  auto wait = [&]() -> task<> { co_await writable(s.a); };
  auto read = [&]() -> task<> {
    co_await checkpoint();
    drain(s.b);
  };
  co_await gather(wait(), read());
}

CUVEE_TEST_CASE("writable: a connect has ended, for better or worse") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  endpoint at = l.local();
  for (bool open : {true, false}) {
    if (!open) l.close();
    ends s;
    s.a = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_storage to;
    unsigned size = at.store(reinterpret_cast<sockaddr&>(to));
    if (::connect(s.a, reinterpret_cast<sockaddr*>(&to), size) != 0) co_await writable(s.a);
    int problem = 0;
    socklen_t length = sizeof problem;
    CHECK(::getsockopt(s.a, SOL_SOCKET, SO_ERROR, &problem, &length) == 0);
    if (open) CHECK(problem == 0);
  }
}

CUVEE_TEST_CASE("fd watch: what cannot be waited for is an error that says why") {
  auto code = co_await failure_code(readable(-1));
  CHECK(code == std::errc::bad_file_descriptor);
  int closed = ::dup(0);
  ::close(closed);
  std::string text = co_await failure(writable(closed));
  CHECK(text == "watch descriptor " + std::to_string(closed) + ": bad file descriptor (EBADF)");
  CHECK_THROWS_AS(static_cast<void>(watch(closed)), error);

  char name[] = "/tmp/cuvee-fd-XXXXXX";
  ends file;
  file.a = mkstemp(name);
  REQUIRE(file.a >= 0);
  unlink(name);
  code = co_await failure_code(readable(file.a));
  CHECK(code == std::errc::operation_not_permitted);
  text = co_await failure(readable(file.a));
  CHECK(text.find("regular file") != text.npos);
  file.b = ::open("/", O_RDONLY | O_DIRECTORY);
  code = co_await failure_code(readable(file.b));
  CHECK(code == std::errc::operation_not_permitted);
}

CUVEE_TEST_CASE("fd watch: descriptors of streams, listeners and processes are refused") {
  connection c = co_await connected();
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  int fd = c.client.native().descriptor();  // nobody has read from it yet
  auto code = co_await failure_code(readable(fd));
  CHECK(code == errc::busy);
  std::string text = co_await failure(readable(fd));
  CHECK(text == "watch descriptor " + std::to_string(fd) + ": in use by a tcp");
  CHECK_THROWS_AS(static_cast<void>(watch(fd)), error);
  co_await c.server.write("x");
  std::string got = co_await read_exact(c.client, 1);
  CHECK(got == "x");
  code = co_await failure_code(writable(fd));
  CHECK(code == errc::busy);
  text = co_await failure(readable(loop::current().backend_fd()));
  CHECK_FALSE(text.empty());
}

CUVEE_TEST_CASE("fd watch: one descriptor is read and written at once, by one task each") {
  socket_pair s;
  fill(s.a);
  std::string order;
  auto read = [&]() -> task<> {
    co_await readable(s.a);
    order += 'r';
  };
  auto write = [&]() -> task<> {
    co_await writable(s.a);
    order += 'w';
  };
  auto act = [&]() -> task<> {
    co_await checkpoint();
    CHECK(loop::current().open_handles() == 1);
    auto code = co_await failure_code(readable(s.a));
    CHECK(code == errc::busy);
    std::string text = co_await failure(writable(s.a));
    CHECK(text.find("another task") != text.npos);
    fd_watch w = watch(s.a);
    CHECK(loop::current().open_handles() == 1);
    code = co_await failure_code(w.wait(fd_event::hang_up | fd_event::writable));
    CHECK(code == errc::busy);
    drain(s.b);
    while (order.empty()) co_await checkpoint();
    put(s.b);
  };
  co_await gather(read(), write(), act());
  CHECK(order == "wr");
}

CUVEE_TEST_CASE(
    "fd watch: cancelled before and during, and after it the descriptor may be closed") {
  bool done = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await readable(0);
    done = true;
  });
  CHECK_FALSE(done);
  for (int i = 0; i < 20; i++) {
    std::optional<socket_pair> s(std::in_place);
    int fd = s->a, copy = ::dup(s->a);  // keeps the socket open in the kernel's epoll
    if (i % 2 == 0) {
      auto cut = co_await move_on_after(1ms, readable(fd));
      CHECK_FALSE(cut);
    } else {
      auto [a, b] = co_await any_of(readable(fd), writable(fd));
      CHECK((!a && b));
    }
    s->close_a();
    socket_pair next;
    REQUIRE(::dup2(next.a, fd) == fd);
    put(s->b);  // of the old socket, which nobody waits for
    auto early = co_await move_on_after(1ms, readable(fd));
    CHECK_FALSE(early);
    put(next.b);
    co_await readable(fd);
    ::close(fd);
    ::close(copy);
  }
}

CUVEE_TEST_CASE("fd watch: many waits on one watch neither allocate nor open anything") {
  socket_pair s;
  fd_watch w = watch(s.a);
  CHECK(w.descriptor() == s.a);
  std::size_t before = 0;
  for (int i = 0; i < 100; i++) {
    if (i == 1) before = heap::allocations;
    put(s.b);
    co_await w.readable();
    take(s.a);
    co_await w.writable();
  }
  CHECK(heap::allocations == before);
  CHECK(loop::current().open_handles() == 1);
}

CUVEE_TEST_CASE("fd watch: an event nobody waits for does not spin") {
  socket_pair s;
  fd_watch w = watch(s.a);
  put(s.b);
  co_await w.readable();
  std::uint64_t before = loop::current().stats().turns;
  co_await sleep(5ms);
  CHECK(loop::current().stats().turns - before < 20);
  co_await w.readable();
  take(s.a);
  auto cut = co_await move_on_after(1ms, w.readable());
  CHECK_FALSE(cut);
}

CUVEE_TEST_CASE("fd watch: hang-up and urgent data can be waited for") {
  socket_pair s;
  fd_watch w = watch(s.a);
  auto wait = [&]() -> task<> {
    fd_event what = co_await w.wait(fd_event::hang_up);
    CHECK(what == fd_event::hang_up);
  };
  auto act = [&]() -> task<> {
    co_await checkpoint();
    put(s.b);
    co_await w.readable();  // beside it
    ::shutdown(s.b, SHUT_WR);
  };
  co_await gather(wait(), act());
  fd_event both = co_await w.wait(fd_event::readable | fd_event::hang_up | fd_event::priority);
  CHECK(both == (fd_event::readable | fd_event::hang_up));

  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  ends t;
  t.a = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage to;
  unsigned size = l.local().store(reinterpret_cast<sockaddr&>(to));
  REQUIRE(::connect(t.a, reinterpret_cast<sockaddr*>(&to), size) == 0);
  tcp_stream peer = co_await l.accept();
  CHECK(::send(peer.native().descriptor(), "!", 1, MSG_OOB) == 1);
  fd_watch urgent = watch(t.a);
  fd_event what = co_await urgent.wait(fd_event::priority);
  CHECK(what == fd_event::priority);
}

CUVEE_TEST_CASE("fd watch: other kinds of descriptors") {
  ends e;
  e.a = ::eventfd(0, EFD_NONBLOCK);
  auto soon = co_await move_on_after(1ms, readable(e.a));
  CHECK_FALSE(soon);
  std::uint64_t one = 1;
  CHECK(::write(e.a, &one, sizeof one) == sizeof one);
  co_await readable(e.a);
  pipe_pair p;
  co_await writable(p.b);
  put(p.b);
  co_await readable(p.a);
}

TEST_CASE("fd watch: the end of the loop ends the wait of a task in the background") {
  socket_pair s;
  auto before = testing::footprint::take();
  {
    cuvee::loop l;
    l.run([&]() -> task<> {
      l.background().spawn([&]() -> task<> { co_await readable(s.a); });
      co_await checkpoint();
    });
  }
  CHECK(before.grown_to(testing::footprint::take()) == "");
}

TEST_CASE("fd watch: it may outlive its loop") {
  socket_pair s;
  std::optional<fd_watch> w;
  std::string leaked = testing::run_case([&]() -> task<> {
    w.emplace(watch(s.a));
    put(s.b);
    co_await w->readable();
  });
  w.reset();
}

TEST_CASE("fd watch: cancelled at every suspension and stopped in every round, nothing is left") {
  auto body = []() -> task<> {
    socket_pair s;
    fill(s.a);
    fd_watch w = watch(s.b);
    auto write = [&]() -> task<> { co_await writable(s.a); };
    auto hang_up = [&]() -> task<> { co_await w.wait(fd_event::hang_up); };
    auto read = [&]() -> task<> {
      co_await readable(s.b);
      drain(s.b);
      co_await checkpoint();
      ::shutdown(s.a, SHUT_WR);
    };
    co_await gather(write(), hang_up(), read());
    co_await any_of(w.readable(), writable(s.a));
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  auto stopped = testing::torture_stop(body);
  CHECK(stopped.leaks == "");
}
