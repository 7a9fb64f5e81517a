// SPDX-License-Identifier: MIT
// Terminals as streams, and their windows.
#include "tty_case.h"

#include "io/child_pipe.h"

#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace io_case;
using namespace tty_case;
using namespace std::chrono_literals;

namespace {

task<std::pair<stream, stream>> terminal_ends() {
  fd_pair p = terminal_pair();
  int master = std::exchange(p.peer.number, -1);
  co_return std::pair<stream, stream>(tty_stream(p.shared.number),
                                      detail::adopt_terminal(master, "screen", "test"));
}

}  // namespace

CUVEE_TEST_CASE("tty: keys come one by one, whole lines before and after") {
  fd_pair p = usual_terminal();
  tty_stream t(p.shared.number);
  raw_mode raw = t.set_mode(tty_mode::keys);
  char room[10];
  mutable_bytes into(room);
  for (char key : {'a', '\r', '\177'}) {
    put(p.peer, {&key, 1});
    std::size_t n = co_await t.read_some(into);
    CHECK(n == 1);
    CHECK(room[0] == key);
  }
  raw.restore();
  put(p.peer, "bx\177\n");
  std::string line = co_await read_exact(t, 2);
  CHECK(line == "b\n");
}

CUVEE_TEST_CASE("tty: Ctrl-D and a hang-up are the end of input") {
  fd_pair p = usual_terminal();
  {
    tty_stream t(p.shared.number);
    put(p.peer, "x\004\004");
    std::string all = co_await read_all(t);
    CHECK(all == "x");
  }
  tty_stream t(p.shared.number);
  p.peer.shut();
  std::string all = co_await read_all(t);
  CHECK(all == "");
  std::error_code code = co_await failure_code(t.write("x"));
  CHECK(code == std::errc::io_error);
}

CUVEE_TEST_CASE("tty: a stream over what is no terminal is refused") {
  fd_pair p = pipe_pair(true);
  std::string text = refusal([&] { tty_stream t(p.shared.number); });
  CHECK(text.ends_with("inappropriate ioctl for device (ENOTTY)"));
  co_return;
}

TEST_CASE("tty: the controlling terminal is there though stdin and stdout are not") {
  session s = at_terminal([] {
    for (int fd : {0, 1, 2}) close(fd);
    for (int i = 0; i < 3; i++) open("/dev/null", O_RDWR);
    return run([]() -> task<int> {
      tty_stream t;
      co_await t.write("password? ");
      raw_mode hidden = t.set_mode(tty_mode::hidden);
      co_await t.write("(hidden)");
      buffered_reader lines(t);
      auto line = co_await lines.read_line();
      co_return line == "secret" ? t.size().columns : 1;
    });
  });
  winsize w{};
  w.ws_col = 99;
  ioctl(s.terminal.peer.number, TIOCSWINSZ, &w);
  std::string shown = s.screen_until("(hidden)");
  s.type("secret\n");
  shown += s.screen_until("\n");
  int status = s.wait();
  CHECK(status == 99 << 8);
  CHECK(shown.find("secret") == shown.npos);
}

TEST_CASE(
    "tty: a window watch tells the new size, and Ctrl-C reaches a program that waits for it") {
  session s = main_at_terminal([]() -> task<int> {
    window_watch w(0);
    terminal_size before = w.size();
    say("watching");
    terminal_size now = co_await w.next();
    std::printf("from %d to %dx%d\n", before.columns, now.columns, now.rows);
    std::fflush(stdout);
    auto cut = co_await move_on_after(1ms, w.next());
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await w.next();
    });
    say(cut ? "resized" : "no change");
    co_await w.next();
    co_return 1;
  });
  s.screen_until("watching");
  winsize w{};
  w.ws_col = 100;
  w.ws_row = 30;
  ioctl(s.terminal.peer.number, TIOCSWINSZ, &w);
  std::string shown = s.screen_until("no change");
  CHECK(shown.find("from 80 to 100x30\r\nno change") != shown.npos);
  s.type("\003");
  int status = s.wait();
  CHECK(status == 130 << 8);
}

CUVEE_TEST_CASE("tty: a window watch of what is no terminal is refused") {
  fd_pair p = pipe_pair(true);
  std::string text = refusal([&] { window_watch w(p.shared.number); });
  CHECK(text.ends_with("inappropriate ioctl for device (ENOTTY)"));
  co_return;
}

TEST_CASE("tty: keys, modes and sizes cancelled at every suspension, nothing is left") {
  fd_pair p = usual_terminal();
  termios before = modes_of(p.shared);
  std::signal(SIGWINCH, SIG_IGN);
  auto report = testing::torture([&]() -> task<> {
    tty_stream t(p.shared.number);
    raw_mode raw = t.set_mode(tty_mode::keys);
    window_watch w(p.shared.number);
    char room[10];
    mutable_bytes into(room);
    auto type = [&]() -> task<> {
      co_await checkpoint();
      put(p.peer, "k");
      raise(SIGWINCH);
    };
    auto wait = [&]() -> task<> {
      co_await t.read_some(into);
      co_await w.next();
      co_await t.write("seen");
    };
    co_await gather(type(), wait());
  });
  std::signal(SIGWINCH, SIG_DFL);
  CHECK(report.suspensions > 2);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  CHECK(same(modes_of(p.shared), before));
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("tty: a terminal passes the conformance suite as far as terminals can") {
  testing::stream_traits traits;
  traits.half_close = traits.reports_reset = traits.orderly_end = false;
  traits.kept_bytes = 256 << 10;
  std::vector<std::string> broken = co_await testing::check_stream(&terminal_ends, traits);
  for (const std::string& what : broken) {
    INFO(what);
    CHECK(false);
  }
}

TEST_SUITE_END();
