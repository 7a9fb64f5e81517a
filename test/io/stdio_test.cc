// SPDX-License-Identifier: MIT
// Streams over descriptors that others share, whatever those are.
#include "stdio_case.h"

#include <cuvee/exec.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/wait_all_tasks_blocked.h>

using namespace cuvee;
using namespace io_case;
using namespace stdio_case;
using namespace std::chrono_literals;

namespace {

task<std::string> some(stream& s, std::size_t most = 100) {
  std::string room(most, '\0');
  std::size_t n = co_await s.read_some(room);
  room.resize(n);
  co_return room;
}

}  // namespace

CUVEE_TEST_CASE(
    "stdio: a read of a pipe, socket or terminal waits for bytes, O_NONBLOCK stays off") {
  for (named_pair& p : readable_pairs()) {
    INFO(std::string(p.name));
    shared_stream s(p.fds.shared.number, "input");
    auto write = [&]() -> task<> {
      co_await testing::wait_all_tasks_blocked(2ms);
      CHECK_FALSE(is_nonblocking(p.fds.shared));
      put(p.fds.peer, "hello");
    };
    auto [got, none] = co_await gather(read_exact(s, 5), write());
    CHECK(got == "hello");
    p.fds.peer.shut();
    std::string rest = co_await some(s);
    CHECK(rest == "");
    CHECK_FALSE(is_nonblocking(p.fds.shared));
  }
}

CUVEE_TEST_CASE("stdio: no byte is taken that nobody asked for") {
  testing::keep_fifo();  // a seed takes less, too
  for (named_pair& p : readable_pairs()) {
    INFO(std::string(p.name));
    shared_stream s(p.fds.shared.number);
    put(p.fds.peer, "abcdef");
    std::string two = co_await some(s, 2);
    CHECK(two == "ab");
    put(p.fds.peer, "gh");
    co_await testing::wait_all_tasks_blocked(2ms);
    std::size_t left = co_await once_waiting(p.fds.shared, 6);
    CHECK(left == 6);
    std::string others = take_now(p.fds.shared, 3);  // a child's, say
    CHECK(others == "cde");
    std::string ours = co_await read_exact(s, 3);
    CHECK(ours == "fgh");
  }
}

CUVEE_TEST_CASE("stdio: a cancelled read takes no byte, before it waits and while it does") {
  for (named_pair& p : readable_pairs()) {
    INFO(std::string(p.name));
    shared_stream s(p.fds.shared.number);
    char room[8];
    mutable_bytes into(room);
    auto cut = co_await move_on_after(1ms, s.read_some(into));
    CHECK_FALSE(cut);
    put(p.fds.peer, "abc");
    co_await testing::wait_all_tasks_blocked(2ms);
    std::size_t left = co_await once_waiting(p.fds.shared, 3);
    CHECK(left == 3);
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await s.read_some(into);
    });
    CHECK(bytes_waiting(p.fds.shared) == 3);
    std::string got = co_await read_exact(s, 3);
    CHECK(got == "abc");
  }
}

CUVEE_TEST_CASE("stdio: a file is read piece by piece at the position that all share") {
  testing::keep_fifo();  // a seed hands out a part of what was read
  std::string content = pattern(200'000);
  owned_fd f = file_with(content);
  shared_stream s(f.number, "input");
  std::string four = co_await some(s, 4);
  CHECK(four == content.substr(0, 4));
  CHECK(lseek(f.number, 0, SEEK_CUR) == 4);
  std::string other = take_now(f, 6);
  CHECK(other == content.substr(4, 6));
  std::string rest = co_await read_all(s, 50'000);
  CHECK(rest == content.substr(10));
  std::string end = co_await some(s);
  CHECK(end == "");
}

CUVEE_TEST_CASE("stdio: a cancelled read of a file loses no byte") {
  std::string content = pattern(1000), got;
  owned_fd f = file_with(content);
  shared_stream s(f.number);
  char room[10];
  mutable_bytes into(room);
  for (int i = 0; got.size() < content.size(); i++) {
    auto reader = [&]() -> task<> {
      std::size_t n = co_await s.read_some(into);
      got.append(room, n);
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(reader);
      for (int turns = i % 3; turns >= 0; turns--) co_await checkpoint();
      h.cancel();
    });
    if (i % 4 != 0) continue;
    std::string more = co_await some(s, 7);
    got += more;
  }
  CHECK(got == content);
}

CUVEE_TEST_CASE("stdio: lines of a file, of any length") {
  std::string long_line(200'000, 'x');
  owned_fd f = file_with("one\n" + long_line + "\nlast");
  shared_stream s(f.number);
  buffered_reader lines(s);
  auto one = co_await lines.read_line();
  CHECK(one == "one");
  auto two = co_await lines.read_line(1 << 20);
  CHECK(two == long_line);
  auto three = co_await lines.read_line();
  CHECK(three == "last");
  auto end = co_await lines.read_line();
  CHECK_FALSE(end);
}

CUVEE_TEST_CASE("stdio: /dev/null is empty and takes everything, /dev/zero has no end") {
  owned_fd null(open("/dev/null", O_RDWR | O_CLOEXEC)),
      zero(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  shared_stream n(null.number), z(zero.number);
  std::string nothing = co_await some(n);
  CHECK(nothing == "");
  std::string big(1'000'000, 'x');
  co_await n.write(big, "and", big);
  std::string zeros = co_await read_exact(z, 300'000);
  CHECK(zeros == std::string(300'000, '\0'));
}

CUVEE_TEST_CASE("stdio: what is written arrives, whatever takes it, O_NONBLOCK stays off") {
  std::string big = pattern(300'000);
  for (named_pair& p : writable_pairs()) {
    INFO(std::string(p.name));
    shared_stream s(p.fds.shared.number, "output");
    shared_stream peer(p.fds.peer.number);
    auto write = [&]() -> task<> {
      co_await s.write("small ", "pieces ");
      co_await s.write(big);
      CHECK_FALSE(is_nonblocking(p.fds.shared));
    };
    auto [none, got] = co_await gather(write(), read_exact(peer, big.size() + 13));
    CHECK(got == "small pieces " + big);
  }
}

CUVEE_TEST_CASE("stdio: a file is written at the position that all share") {
  testing::keep_fifo();  // a seed hands out a part of what was read
  owned_fd f = file_with("");
  shared_stream s(f.number, "output");
  std::string big = pattern(300'000);
  co_await s.write("head ", big, " tail");
  CHECK(lseek(f.number, 0, SEEK_CUR) == 300'010);
  put(f, ", another's");
  co_await s.write(", ours");
  co_await s.close();
  lseek(f.number, 0, SEEK_SET);
  std::string content = take_now(f, 400'000);
  CHECK(content == "head " + big + " tail, another's, ours");
}

CUVEE_TEST_CASE("stdio: a full disk is an error that names the stream") {
  owned_fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  shared_stream s(full.number, "output");
  std::string text = co_await failure(s.write("x"));
  CHECK(text == "write output: no space left on device (ENOSPC)");
}

CUVEE_TEST_CASE(
    "stdio: writing where nothing can be written, and reading where nothing can be read") {
  fd_pair p = pipe_pair(false);
  shared_stream from(p.shared.number, "input"), to(p.peer.number, "output");
  std::error_code code = co_await failure_code(from.write("x"));
  CHECK(code);
  code = co_await failure_code(some(to));
  CHECK(code);
  owned_fd folder(open("/", O_RDONLY | O_CLOEXEC));
  shared_stream d(folder.number, "input");
  std::string text = co_await failure(some(d));
  CHECK(text == "read input: is a directory (EISDIR)");
  owned_fd readable(open("/dev/null", O_RDONLY | O_CLOEXEC));
  shared_stream r(readable.number, "output");
  text = co_await failure(r.write("x"));
  CHECK(text == "write output: bad file descriptor (EBADF)");
}

CUVEE_TEST_CASE("stdio: a closed descriptor is an error that names the stream") {
  std::string text;
  try {
    shared_stream s(-1, "stdin");
  } catch (const error& e) {
    text = e.what();
    CHECK(e.code() == std::errc::bad_file_descriptor);
  }
  CHECK(text == "open stdin: it is closed (EBADF)");
  co_return;
}

CUVEE_TEST_CASE(
    "stdio: a pipe whose reader goes with a megabyte queued is broken within a second") {
  for (named_pair& p : writable_pairs()) {
    if (p.name == std::string_view("terminal")) continue;
    INFO(std::string(p.name));
    shared_stream s(p.fds.shared.number, "output");
    std::string queued(32 * 32'768, 'x');
    auto leave = [&]() -> task<> {
      co_await testing::wait_all_tasks_blocked(2ms);
      p.fds.peer.shut();
    };
    auto [code, none] = co_await timeout(1s, gather(failure_code(s.write(queued)), leave()));
    CHECK(code == std::errc::broken_pipe);
    code = co_await failure_code(s.write("x"));
    CHECK(code == std::errc::broken_pipe);
  }
}

CUVEE_TEST_CASE("stdio: 64 KiB in eight writes to a terminal that is read slowly all arrive") {
  for (int round = 0; round < 10; round++) {
    fd_pair p = terminal_pair();
    shared_stream s(p.shared.number);
    std::string all = pattern(8 * 8192), got;
    auto write = [&]() -> task<> {
      for (std::size_t at = 0; at < all.size(); at += 8192) {
        std::string_view piece = std::string_view(all).substr(at, 8192);
        co_await s.write(piece);
      }
    };
    auto read = [&]() -> task<> {
      shared_stream screen(p.peer.number);
      while (got.size() < all.size()) {
        std::string part = co_await some(screen, 1000);
        got += part;
        co_await checkpoint();
      }
    };
    co_await gather(write(), read());
    CHECK(got == all);
  }
}

CUVEE_TEST_CASE("stdio: a write that waits can be cancelled, which closes the stream only") {
  for (named_pair& p : writable_pairs()) {
    INFO(std::string(p.name));
    std::string big(4 << 20, 'x');
    shared_stream s(p.fds.shared.number, "output");
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await s.write(big);
    });
    CHECK(s.is_open());
    CHECK(bytes_waiting(p.fds.peer) == 0);
    auto cut = co_await move_on_after(5ms, s.write(big));
    CHECK_FALSE(cut);
    std::string text = co_await failure(s.write("x"));
    CHECK(text == "write output: closed");
    CHECK(fcntl(p.fds.shared.number, F_GETFD) >= 0);
    CHECK_FALSE(is_nonblocking(p.fds.shared));
  }
}

CUVEE_TEST_CASE("stdio: two streams over one descriptor work side by side") {
  fd_pair p = pipe_pair(true);
  shared_stream a(p.shared.number), b(p.shared.number);
  co_await a.write("a");
  co_await b.write("b");
  CHECK(take_now(p.peer, 10) == "ab");
  co_await a.close();
  co_await b.write("c");
  CHECK(take_now(p.peer, 10) == "c");
}

CUVEE_TEST_CASE("stdio: a second reader of one stream is told busy, also of a file") {
  owned_fd f = file_with("content");
  shared_stream s(f.number, "input");
  // A seed may start either of them first, and cut the read short.
  auto [one, other] = co_await gather_settled(some(s), some(s));
  const auto& read = one.has_value() ? one : other;
  const auto& refused = one.has_value() ? other : one;
  CHECK_FALSE(read.value().empty());
  CHECK(std::string_view("content").starts_with(read.value()));
  CHECK(refused.error().code() == errc::busy);
}

CUVEE_TEST_CASE("stdio: closing ends a read of a file and one of a pipe") {
  fd_pair p = pipe_pair(false);
  owned_fd f = file_with("content");
  for (int fd : {p.shared.number, f.number}) {
    shared_stream s(fd, "input");
    auto close = [&]() -> task<> { co_await s.close(); };
    auto [text, none] = co_await gather(failure(some(s)), close());
    CHECK((text == "read input: closed" || text == ""));
    co_await s.close();
    text = co_await failure(some(s));
    CHECK(text == "read input: closed");
  }
}

CUVEE_TEST_CASE(
    "stdio: a dropped stream leaves the descriptor open, and a file what was on its way") {
  owned_fd f = file_with("content");
  {
    shared_stream s(f.number);
    auto cut = co_await move_on_after(0s, s.write("CON"));
    (void)cut;
  }
  CHECK(fcntl(f.number, F_GETFD) >= 0);
}

TEST_CASE("stdio: reads and writes cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    owned_fd f = file_with("content of a file");
    fd_pair to = pipe_pair(true), through = socket_pair();
    shared_stream from(f.number), out(to.shared.number), back(to.peer.number),
        left(through.shared.number), right(through.peer.number);
    co_await gather(copy(from, left), [](stream& a, stream& b) -> task<> {
      std::string text = co_await read_exact(a, 17);
      co_await b.write(text);
    }(right, out));
    std::string text = co_await read_exact(back, 17);
    CHECK(text == "content of a file");
    std::string big(300'000, 'x');
    co_await gather(from.write(big), [](stream& a, stream& b, const std::string& all) -> task<> {
      co_await gather(a.write(all), read_exact(b, all.size()));
    }(out, back, big));
  });
  CHECK(report.suspensions > 10);
  CHECK(report.cancelled > 5);
  CHECK(report.leaks == "");
}
