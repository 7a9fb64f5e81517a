// SPDX-License-Identifier: MIT
// Modes and sizes of terminals, and what is left of them when a process ends.
#include "tty_case.h"

#include <cuvee/testing/doctest.h>

#include <cstdlib>
#include <thread>

using namespace cuvee;
using namespace io_case;
using namespace tty_case;
using namespace std::chrono_literals;

namespace {

// What `fn` does while its terminal is raw, and how the process ends of it.
struct ending {
  int status;
  bool was_raw, restored;
};
template <class F>
ending end_raw(F fn) {
  session s = at_terminal([&] {
    raw_mode raw;
    say("raw");
    char go;
    (void)!::read(0, &go, 1);
    fn();
    return 0;
  });
  s.screen_until("raw");
  ending e{0, is_raw(s.terminal.shared), false};
  s.type("x");
  e.status = s.wait();
  e.restored = same(modes_of(s.terminal.shared), s.before);
  return e;
}

}  // namespace

TEST_CASE("tty: a raw mode lasts as long as its guard, and is left early by restore") {
  fd_pair p = usual_terminal();
  termios before = modes_of(p.shared);
  {
    raw_mode raw(p.shared.number);
    CHECK(is_raw(p.shared));
    CHECK((modes_of(p.shared).c_lflag & ISIG) != 0);
    raw_mode moved = std::move(raw);
    CHECK(is_raw(p.shared));
  }
  CHECK(same(modes_of(p.shared), before));
  raw_mode again(p.shared.number, tty_mode::all_keys);
  CHECK((modes_of(p.shared).c_lflag & ISIG) == 0);
  CHECK((modes_of(p.shared).c_oflag & OPOST) != 0);
  again.restore();
  CHECK(same(modes_of(p.shared), before));
  again.restore();
  raw_mode all(p.shared.number, tty_mode::bytes);
  CHECK((modes_of(p.shared).c_oflag & OPOST) == 0);
  all = raw_mode(p.shared.number, tty_mode::hidden);
  CHECK((modes_of(p.shared).c_lflag & ECHO) == 0);
}

TEST_CASE("tty: raw modes of one terminal may end in any order") {
  fd_pair p = usual_terminal(), other = usual_terminal();
  termios before = modes_of(p.shared);
  raw_mode first(p.shared.number, tty_mode::hidden), second(p.shared.number, tty_mode::bytes);
  raw_mode elsewhere(other.shared.number);
  termios raw = modes_of(p.shared);
  first.restore();
  CHECK(same(modes_of(p.shared), raw));
  second.restore();
  CHECK(same(modes_of(p.shared), before));
  CHECK(is_raw(other.shared));
}

TEST_CASE("tty: the descriptor may be closed while its mode is held") {
  fd_pair p = usual_terminal();
  termios before = modes_of(p.shared);
  owned_fd stays(dup(p.shared.number));
  raw_mode raw(p.shared.number);
  p.shared.shut();
  owned_fd somebody_elses(dup(p.peer.number));
  raw.restore();
  CHECK(same(modes_of(stays), before));
}

TEST_CASE("tty: what is no terminal has neither mode nor size, and too many modes are refused") {
  fd_pair p = pipe_pair(true), t = usual_terminal();
  std::string fd = "descriptor " + std::to_string(p.shared.number);
  std::string why = "inappropriate ioctl for device (ENOTTY)";
  CHECK(refusal([&] { raw_mode raw(p.shared.number); }) == "set mode of " + fd + ": " + why);
  CHECK(refusal([&] { window_size(p.shared.number); }) == "get window size of " + fd + ": " + why);
  CHECK(refusal([&] { raw_mode raw(-1); }).ends_with("bad file descriptor (EBADF)"));
  CHECK_FALSE(is_terminal(p.shared.number));
  CHECK(is_terminal(t.shared.number));
  std::vector<raw_mode> all;
  for (int i = 0; i < 16; i++) all.emplace_back(t.shared.number);
  CHECK(refusal([&] { raw_mode raw(t.shared.number); }).ends_with("limit exceeded"));
  while (!all.empty()) all.pop_back();
  CHECK_FALSE(is_raw(t.shared));
}

TEST_CASE("tty: a raw mode leaves no handlers behind") {
  fd_pair p = usual_terminal();
  struct sigaction before{}, during{}, after{};
  sigaction(SIGHUP, nullptr, &before);
  {
    raw_mode raw(p.shared.number), another(p.shared.number);
    sigaction(SIGHUP, nullptr, &during);
  }
  sigaction(SIGHUP, nullptr, &after);
  bool watched = during.sa_handler != before.sa_handler;
  bool restored = after.sa_handler == before.sa_handler;
  CHECK(watched);
  CHECK(restored);
}

TEST_CASE("tty: the old mode is back after each signal that ends a process") {
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGSEGV, SIGBUS, SIGFPE,
                     SIGILL, SIGABRT}) {
    INFO("signal " << number);
    auto killed = end_raw([number] { kill(getpid(), number); });
    CHECK(killed.was_raw);
    CHECK(killed.restored);
    CHECK(WIFSIGNALED(killed.status));
    CHECK(WTERMSIG(killed.status) == number);
  }
}

TEST_CASE("tty: the old mode is back after abort, an uncaught exception and a crash") {
  auto aborts = end_raw([] { std::abort(); });
  CHECK(aborts.restored);
  CHECK(WTERMSIG(aborts.status) == SIGABRT);
  auto throws = end_raw([] { std::thread([] { throw 1; }).join(); });
  CHECK(throws.restored);
  CHECK(WTERMSIG(throws.status) == SIGABRT);
  auto crashes = end_raw(touch_forbidden_memory);
  CHECK(crashes.was_raw);
  CHECK(crashes.restored);
  CHECK(WTERMSIG(crashes.status) == SIGSEGV);
}

TEST_CASE(
    "tty: a crash reaches the handler that somebody else has installed, once the mode is back") {
  auto end = end_raw([] { kill(getpid(), SIGSEGV); });
  CHECK(end.restored);
  session s = at_terminal([] {
    struct sigaction theirs{};
    theirs.sa_sigaction = [](int, siginfo_t* info, void*) {
      _exit(info->si_code > 0 ? 77 : 78);  // the crash itself, not a second signal
    };
    theirs.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &theirs, nullptr);
    raw_mode raw;
    touch_forbidden_memory();
    return 0;
  });
  int status = s.wait();
  CHECK(same(modes_of(s.terminal.shared), s.before));
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 77);
}

// In a process of its own: in a fork `exit` would join threads of libuv's that it does not have.
TEST_CASE("tty: the old mode is back after exit and after a handler of SIGTERM that calls it") {
  if (const char* how = std::getenv("CUVEE_TTY_EXIT")) {
    std::signal(SIGTERM, [](int) { std::exit(5); });
    raw_mode raw;
    if (*how == 'h') raise(SIGTERM);
    std::exit(3);
  }
  for (const char* how : {"exit", "handler"}) {
    session s = at_terminal([how] {
      setenv("CUVEE_TTY_EXIT", how, 1);
      execl("/proc/self/exe", "test", "--test-case=tty: the old mode is back after exit*", nullptr);
      return 1;
    });
    int status = s.wait();
    CHECK(status == (*how == 'h' ? 5 : 3) << 8);
    CHECK(same(modes_of(s.terminal.shared), s.before));
  }
}

TEST_CASE("tty: Ctrl-C in keys mode cancels the main task, a second signal ends it at once") {
  for (bool second : {false, true}) {
    session s = main_at_terminal([second]() -> task<> {
      raw_mode raw;
      say("raw");
      auto clean = [second]() -> task<> {
        say("cancelled");
        if (second) co_await forever();
      };
      co_await try_finally(forever(), clean);
    });
    s.screen_until("raw");
    CHECK(is_raw(s.terminal.shared));
    s.type("\003");
    s.screen_until("cancelled");
    if (second) s.type("\003");
    int status = s.wait();
    CHECK(same(modes_of(s.terminal.shared), s.before));
    if (second) CHECK(WTERMSIG(status) == SIGINT);
    else CHECK(WEXITSTATUS(status) == 130);
  }
}

TEST_CASE("tty: the mode is back when the exit limit ends a process") {
  session s = at_terminal([] {
    runner r;
    r.exit_within(1ms);
    return r.run_main([]() -> task<> {
      raw_mode raw;
      raise(SIGTERM);
      co_await shield(forever());
    });
  });
  int status = s.wait();
  CHECK(WEXITSTATUS(status) == 143);
  CHECK(same(modes_of(s.terminal.shared), s.before));
}

TEST_CASE("tty: a stopped process gives the terminal back, and takes it again in the foreground") {
  session s = at_terminal([] {
    pid_t inner = fork();  // a leader of a session cannot be stopped
    if (inner == 0) {
      setpgid(0, 0);
      raw_mode raw;
      say("raw");
      char key;
      (void)!::read(0, &key, 1);
      raw.restore();
      _exit(key == 'q' ? 0 : 1);
    }
    std::signal(SIGTTOU, SIG_IGN);
    setpgid(inner, inner);
    tcsetpgrp(0, inner);
    int status = 0;
    for (int i = 0; i < 2; i++) {
      waitpid(inner, &status, WUNTRACED);
      tcsetpgrp(0, getpgrp());
      termios now;
      tcgetattr(0, &now);
      say((now.c_lflag & ICANON) != 0 ? "stopped, lines" : "stopped, raw");
      tcsetpgrp(0, inner);
      kill(inner, SIGCONT);
    }
    waitpid(inner, &status, 0);
    return WEXITSTATUS(status);
  });
  s.screen_until("raw");
  s.type("\032");  // Ctrl-Z
  std::string shown = s.screen_until("stopped, ");
  shown += s.screen_until("\n");
  CHECK(shown.find("stopped, lines") != shown.npos);
  for (int i = 0; i < 20'000 && !is_raw(s.terminal.shared); i++) usleep(1000);
  CHECK(is_raw(s.terminal.shared));
  s.type("\032");
  s.screen_until("stopped, ");
  for (int i = 0; i < 20'000 && !is_raw(s.terminal.shared); i++) usleep(1000);
  s.type("q");
  CHECK(s.wait() == 0);
  CHECK(same(modes_of(s.terminal.shared), s.before));
}

TEST_CASE("tty: in the background a mode is refused, and reading an error, not a hang") {
  session s = at_terminal([] {
    pid_t inner = fork();
    if (inner == 0) {
      setpgid(0, 0);
      std::signal(SIGTTIN, SIG_IGN);  // or it would be stopped, as is usual
      std::string mode = refusal([] { raw_mode raw; });
      std::string read;
      loop l;
      l.run([&]() -> task<> {
        shared_stream in = stdin_stream();
        char room[10];
        mutable_bytes into(room);
        read = co_await failure(in.read_some(into));
      });
      bool good = mode == "set mode of stdin: input/output error (EIO)" &&
                  read == "read stdin: input/output error (EIO)";
      say(good ? "both refused" : (mode + read).c_str());
      _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(inner, &status, 0);
    return WEXITSTATUS(status);
  });
  s.type("line\n");
  std::string shown = s.screen_until("refused");
  CHECK(shown.find("both refused") != shown.npos);
  CHECK(s.wait() == 0);
}
