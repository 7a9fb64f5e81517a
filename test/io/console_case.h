// SPDX-License-Identifier: MIT
// Processes that have a console.
#pragma once
#include "tty_case.h"

#include <cuvee/io/console.h>
#include <cuvee/testing/torture.h>

#include <cstdlib>

namespace console_case {

using namespace tty_case;

/// Runs a main task in a process whose stdin and stdout are these. Returns: how it ended.
template <class Main>
int between(const owned_fd& in, const owned_fd& out, Main amain) {
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(in.number, 0);
    dup2(out.number, 1);
    _exit(cuvee::run(amain));
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

struct piped_end {
  int status;
  std::string output;
};
template <class Main>
piped_end with_input(std::string input, Main amain) {
  owned_fd in = file_with(input), out = file_with("");
  int status = between(in, out, amain);
  lseek(out.number, 0, SEEK_SET);
  return {status, take_now(out, 1'000'000)};
}

inline cuvee::signal_set* told = nullptr;

/// Runs `body(console)` at a terminal, or with stdout elsewhere.
template <class Body>
session console_session(const char* term, Body body, int out = -1) {
  return at_terminal([&] {
    setenv("TERM", term, 1);
    setenv("HOME", "/nonexistent", 1);  // no ~/.editrc
    if (out >= 0) dup2(out, 1);
    return cuvee::run([&]() -> cuvee::task<> {
      cuvee::signal_set signals(SIGUSR2);
      told = &signals;
      cuvee::console c;
      co_await body(c);
    });
  });
}

/// In the child: waits for `session::tell`.
inline cuvee::task<> until_told() { co_await told->next(); }

template <class A>
cuvee::task<> cancel_when_told(A reading) {
  auto waiting = until_told();
  co_await cuvee::any_of(std::move(reading), std::move(waiting));
}
inline void tell(const session& s) { kill(s.child, SIGUSR2); }

/// Runs `body(type)`, a coroutine that types by calling `type(keys)`, again and again in a process at a terminal.
template <class Body>
int torture_at_terminal(const char* term, Body body) {
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    setenv("TERM", term, 1);
    setenv("HOME", "/nonexistent", 1);
    fd_pair t = usual_terminal();
    dup2(t.shared.number, 0);
    dup2(t.shared.number, 1);
    fcntl(t.peer.number, F_SETFL, O_NONBLOCK);
    termios before = modes_of(t.shared);
    auto type = [&](std::string_view keys) {
      while (!take_now(t.peer, 4096).empty()) {
      }  // the screen
      put(t.peer, keys);
    };
    auto report = cuvee::testing::torture([&] { return body(type); });
    bool good = report.leaks.empty() && report.suspensions > 3 && report.cancelled > 0 &&
                same(modes_of(t.shared), before);
    if (!good) std::fprintf(stderr, "%s", report.leaks.c_str());
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

}  // namespace console_case
