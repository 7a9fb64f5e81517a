// SPDX-License-Identifier: MIT
// A process at a terminal of its own.
#pragma once
#include "stdio_case.h"

#include <cuvee/io/tty.h>

#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

namespace tty_case {

using namespace stdio_case;

/// As a shell has it: lines, echo, Ctrl-C.
inline fd_pair usual_terminal() {
  fd_pair p = terminal_pair();
  termios modes;
  tcgetattr(p.shared.number, &modes);
  modes.c_iflag |= ICRNL | IXON;
  modes.c_oflag |= OPOST | ONLCR;
  modes.c_lflag |= ICANON | ECHO | ECHOE | ECHOK | ISIG | IEXTEN;
  tcsetattr(p.shared.number, TCSANOW, &modes);
  return p;
}

inline bool same(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
         a.c_lflag == b.c_lflag;
}

inline termios modes_of(const owned_fd& f) {
  termios t{};
  REQUIRE(tcgetattr(f.number, &t) == 0);
  return t;
}

inline bool is_raw(const owned_fd& f) { return (modes_of(f).c_lflag & ICANON) == 0; }

struct session {
  fd_pair terminal;
  pid_t child = -1;
  termios before{};
  std::string unseen;

  /// What the screen shows next, up to and with `last`; all there is if that does not come within seconds.
  std::string screen_until(std::string_view last) {
    pollfd p{terminal.peer.number, POLLIN, 0};
    while (unseen.find(last) == unseen.npos && poll(&p, 1, 20'000) == 1) {
      std::string part = take_now(terminal.peer, 1000);
      if (part.empty()) break;
      unseen += part;
    }
    std::size_t end = unseen.find(last);
    if (end == unseen.npos) return std::exchange(unseen, {});
    std::string seen = unseen.substr(0, end + last.size());
    unseen.erase(0, seen.size());
    return seen;
  }
  void type(std::string_view keys) { put(terminal.peer, keys); }
  int wait() {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
  }
  /// Waits until the child is stopped or goes on.
  int wait_for(int what) {
    int status = 0;
    REQUIRE(waitpid(child, &status, what) == child);
    return status;
  }
};

/// Starts `body()` in a process that leads a session at a terminal of its own. No loop may be running.
template <class Body>
session at_terminal(Body body) {
  session s{usual_terminal(), -1, {}, {}};
  s.before = modes_of(s.terminal.shared);
  std::fflush(nullptr);
  s.child = fork();
  if (s.child != 0) return s;
  for (int n : {SIGINT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(n, SIG_DFL);
  setsid();
  ioctl(s.terminal.shared.number, TIOCSCTTY, 0);
  for (int fd : {0, 1, 2}) dup2(s.terminal.shared.number, fd);
  s.terminal = fd_pair();  // but nothing of libuv's
  _exit(body());
}

/// The same for a coroutine, by `cuvee::run`.
template <class Main>
session main_at_terminal(Main amain) {
  return at_terminal([&] {
    int status = cuvee::run(amain);
    std::fflush(nullptr);
    return status;
  });
}

/// The text of what `fn` throws.
template <class F>
std::string refusal(F fn) {
  try {
    fn();
    return "";
  } catch (const cuvee::error& e) {
    return e.what();
  }
}

/// A crash that no sanitizer takes for something else.
inline void touch_forbidden_memory() {
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

inline void say(const char* what) {
  std::puts(what);
  std::fflush(stdout);
}

}  // namespace tty_case
