// SPDX-License-Identifier: MIT
// The standard streams of a process of its own, and what it leaves behind.
#include "in_child.h"
#include "stdio_case.h"

#include "io/foreign_block.h"

#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>

#include <csignal>
#include <sys/wait.h>

using namespace cuvee;
using namespace io_case;
using namespace stdio_case;
using namespace std::chrono_literals;

namespace {

struct ended_child {
  int status;
  bool nonblocking = false;  // seen while it ran, or afterwards
};

// Runs `body` on a loop in a child whose stdin and stdout are these, and looks at them meanwhile.
template <class Body, class Meanwhile>
ended_child in_child_between(fd_pair& in, fd_pair& out, Body body, Meanwhile meanwhile) {
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(in.shared.number, 0);
    dup2(out.shared.number, 1);
    in = fd_pair();
    out = fd_pair();
    loop l;
    l.run(body);
    _exit(0);
  }
  meanwhile(pid);
  ended_child c{0, is_nonblocking(in.shared) || is_nonblocking(out.shared)};
  waitpid(pid, &c.status, 0);
  c.nonblocking = c.nonblocking || is_nonblocking(in.shared) || is_nonblocking(out.shared);
  return c;
}

task<> copy_through() {
  shared_stream in = stdin_stream(), out = stdout_stream();
  co_await copy(in, out);
}

std::string take_all(const owned_fd& f, std::size_t size) {
  std::string got;
  while (got.size() < size) {
    std::string part = take_now(f, size - got.size());
    if (part.empty()) break;
    got += part;
  }
  return got;
}

// Forced, where the kernel would let us open the same again.
stream foreign_stream(int fd, detail::shared_kind kind) {
  detail::descriptor copy(dup(fd));
  auto* block = detail::foreign_block::make(detail::loop_state::current(), copy, kind);
  REQUIRE(block != nullptr);
  block->set_name("foreign");
  return stream(block);
}

task<std::pair<stream, stream>> shared_sockets() {
  fd_pair p = socket_pair();
  co_return std::pair<stream, stream>(shared_stream(p.shared.number), shared_stream(p.peer.number));
}

task<std::pair<stream, stream>> sockets_of_others() {
  fd_pair p = socket_pair();
  co_return std::pair<stream, stream>(foreign_stream(p.shared.number, detail::shared_kind::socket),
                                      foreign_stream(p.peer.number, detail::shared_kind::socket));
}

}  // namespace

TEST_CASE(
    "stdio: a process copies stdin to stdout whatever they are, and sets O_NONBLOCK on none") {
  std::string text = pattern(3000);
  for (std::size_t i = 0; i < readable_pairs().size(); i++) {
    for (named_pair& to : writable_pairs()) {
      named_pair from = std::move(readable_pairs()[i]);
      INFO(std::string(from.name) << " to " << std::string(to.name));
      std::string got;
      auto end = in_child_between(from.fds, to.fds, copy_through, [&](pid_t) {
        put(from.fds.peer, text);
        got = take_all(to.fds.peer, text.size());
        CHECK_FALSE(is_nonblocking(from.fds.shared));
        CHECK_FALSE(is_nonblocking(to.fds.shared));
        from.fds.peer.shut();
      });
      CHECK(got == text);
      CHECK(end.status == 0);
      CHECK_FALSE(end.nonblocking);
    }
  }
}

TEST_CASE("stdio: a process that is killed while it reads leaves no O_NONBLOCK behind") {
  for (named_pair& from : readable_pairs()) {
    INFO(std::string(from.name));
    fd_pair out = pipe_pair(true);
    auto say_and_read = []() -> task<> {
      shared_stream in = stdin_stream();
      char room[10];
      mutable_bytes into(room);
      auto reader = [&]() -> task<> { co_await in.read_some(into); };
      auto speaker = []() -> task<> {
        co_await sleep(1ms);
        put(owned_fd(dup(1)), "reading");
      };
      co_await gather(reader(), speaker());
    };
    auto end = in_child_between(from.fds, out, say_and_read, [&](pid_t child) {
      std::string said = take_all(out.peer, 7);
      CHECK(said == "reading");
      kill(child, SIGKILL);
    });
    CHECK(WIFSIGNALED(end.status));
    CHECK_FALSE(end.nonblocking);
  }
}

TEST_CASE("stdio: a process reads from a file and writes to one, where its parent goes on") {
  std::string text = pattern(100'000);
  fd_pair in{file_with(text), owned_fd()}, out{file_with(""), owned_fd()};
  owned_fd &from = in.shared, &to = out.shared;
  auto end = in_child_between(in, out, copy_through, [](pid_t) {});
  CHECK(end.status == 0);
  CHECK_FALSE(end.nonblocking);
  put(to, "more");
  CHECK(lseek(to.number, 0, SEEK_CUR) == 100'004);
  lseek(to.number, 0, SEEK_SET);
  CHECK(take_now(to, 200'000) == text + "more");
  CHECK(lseek(from.number, 0, SEEK_CUR) == 100'000);
}

TEST_CASE("stdio: a child reads what its parent has left in a pipe") {
  fd_pair in = pipe_pair(false), out = pipe_pair(true);
  put(in.peer, "parent\nchild\n");
  auto body = []() -> task<> {
    shared_stream from = stdin_stream();
    char room[7];
    mutable_bytes into(room);
    co_await from.read_some(into);
    command cat = command::shell("head -n 1");
    cat.out(stdio::inherit);
    co_await run_process(cat);
  };
  std::string got;
  auto end = in_child_between(in, out, body, [&](pid_t) { got = take_all(out.peer, 6); });
  CHECK(end.status == 0);
  CHECK(got == "child\n");
}

TEST_CASE("stdio: standard error is a stream, too") {
  auto end = scenario::in_child([] {
    loop l;
    l.run([]() -> task<> {
      shared_stream err = stderr_stream();
      co_await err.write("to stderr");
    });
    return 0;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output == "to stderr");
}

TEST_CASE("stdio: a loop gives the numbers of missing standard streams to nobody") {
  auto end = scenario::in_child([] {
    close(0);
    loop l;
    bool missing = false;
    l.run([&]() -> task<> {
      co_await sleep(1ms);
      missing = detail::kind_of(0) == detail::shared_kind::other;  // /dev/null
    });
    return missing ? 0 : 1;
  });
  CHECK(end.exited_with(0));
  CHECK(end.output == "");
}

CUVEE_TEST_CASE("stdio: pipes and terminals that cannot be opened again are polled") {
  std::string big = pattern(200'000);
  for (named_pair& p : writable_pairs()) {
    INFO(std::string(p.name));
    detail::shared_kind kind = detail::kind_of(p.fds.shared.number);
    stream to = foreign_stream(p.fds.shared.number, kind);
    stream from = foreign_stream(p.fds.peer.number, detail::kind_of(p.fds.peer.number));
    auto write = [&]() -> task<> {
      co_await to.write("", "some ", big);
      CHECK_FALSE(is_nonblocking(p.fds.shared));
      co_await to.shutdown_write();
      co_await to.close();
      p.fds.shared.shut();
    };
    auto [none, got] = co_await gather(write(), read_exact(from, big.size() + 5));
    CHECK(got == "some " + big);
    if (kind == detail::shared_kind::terminal) continue;
    std::string end = co_await read_all(from);
    CHECK(end == "");
  }
}

CUVEE_TEST_CASE("stdio: a terminal that cannot be opened again is read, up to its hang-up") {
  fd_pair p = terminal_pair();
  stream s = foreign_stream(p.shared.number, detail::shared_kind::terminal);
  put(p.peer, "keys");
  std::string got = co_await read_exact(s, 4);
  CHECK(got == "keys");
  p.peer.shut();
  std::string end = co_await read_all(s);
  CHECK(end == "");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("stdio: shared sockets pass the conformance suite") {
  testing::stream_traits no_reset;
  no_reset.reports_reset = false;
  for (testing::stream_maker make : {&shared_sockets, &sockets_of_others}) {
    std::vector<std::string> broken = co_await testing::check_stream(make, no_reset);
    for (const std::string& what : broken) {
      INFO(what);
      CHECK(false);
    }
  }
}

TEST_SUITE_END();
