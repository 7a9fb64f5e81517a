// SPDX-License-Identifier: MIT
#include "kept_modes.h"

#include "core/last_words.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>

// By hand rather than by uv_tty_set_mode: that remembers one terminal, and its descriptor even when it is closed; it
// waits for output that Ctrl-S holds up; and it is stopped where the process is in the background.
namespace cuvee::inline v0::detail {

namespace {

// Signal handlers read these: a place is filled before its descriptor is, and never moves.
struct kept_mode {
  std::atomic<int> terminal = -1;
  unsigned order = 0;
  dev_t device = 0;
  termios before{}, during{};
};

struct watched {
  int number;
  bool crash;  // ours runs before somebody else's handler, too
  struct sigaction previous;
  bool ours;
};

constinit kept_mode places[kept_modes::most];
constinit std::mutex lock;  // not taken by handlers
unsigned next_order = 1;
int held = 0;
std::atomic<pid_t> owner = 0;

watched signals[] = {
    {SIGHUP, false, {}, false},  {SIGINT, false, {}, false},  {SIGQUIT, false, {}, false},
    {SIGTERM, false, {}, false}, {SIGALRM, false, {}, false}, {SIGUSR1, false, {}, false},
    {SIGUSR2, false, {}, false}, {SIGTSTP, false, {}, false}, {SIGCONT, false, {}, false},
    {SIGSEGV, true, {}, false},  {SIGBUS, true, {}, false},   {SIGFPE, true, {}, false},
    {SIGILL, true, {}, false},   {SIGABRT, true, {}, false},  {SIGSYS, true, {}, false},
};

// ---- async-signal-safe

bool is_ours() noexcept { return owner.load() == getpid(); }  // and not a fork's

// Of the places that are in use and that `wanted` accepts, the one that `better` prefers.
template <class Wanted, class Better>
kept_mode* choose(Wanted wanted, Better better) noexcept {
  kept_mode* best = nullptr;
  for (kept_mode& k : places) {
    bool fits = k.terminal.load() >= 0 && wanted(k);
    if (fits && (!best || better(k.order, best->order))) best = &k;
  }
  return best;
}
kept_mode* newest_before(unsigned order) noexcept {
  return choose([order](kept_mode& k) { return k.order < order; }, std::greater<>());
}
kept_mode* oldest_after(unsigned order) noexcept {
  return choose([order](kept_mode& k) { return k.order > order; }, std::less<>());
}

// The last one first, so that the oldest mode of a terminal is what stays.
void give_all_back() noexcept {
  if (!is_ours()) return;
  int saved = errno;
  for (kept_mode* k = newest_before(~0u); k; k = newest_before(k->order))
    set_modes(k->terminal.load(), k->before);
  errno = saved;
}

void take_all_again() noexcept {
  if (!is_ours()) return;
  int saved = errno;
  for (kept_mode* k = oldest_after(0); k; k = oldest_after(k->order))
    set_modes(k->terminal.load(), k->during);
  errno = saved;
}

watched* find(int number) noexcept {
  for (watched& w : signals)
    if (w.number == number) return &w;
  return nullptr;
}

void on_signal(int number, siginfo_t* info, void*) noexcept;

void install(int number, struct sigaction* previous) noexcept {
  struct sigaction ours{};
  ours.sa_sigaction = &on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  sigaction(number, &ours, previous);
}

void stop_here() noexcept {
  int saved = errno;
  give_all_back();
  std::signal(SIGTSTP, SIG_DFL);
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  raise(SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, &before);  // here it stops
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  install(SIGTSTP, nullptr);
  take_all_again();
  errno = saved;
}

void on_signal(int number, siginfo_t* info, void*) noexcept {
  if (number == SIGTSTP) return stop_here();
  if (number == SIGCONT) return take_all_again();
  give_all_back();
  if (watched* w = find(number)) sigaction(number, &w->previous, nullptr);
  // A crash happens again when this returns; what was sent has to be sent again.
  if (info->si_code <= 0 || !find(number)->crash) raise(number);
}

// ----

void watch_signals() noexcept {
  for (watched& w : signals) {
    struct sigaction now{};
    sigaction(w.number, nullptr, &now);
    bool handled = (now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL;
    w.ours = w.crash ? !(now.sa_handler == SIG_IGN) : !handled;
    if (w.ours) install(w.number, &w.previous);
  }
}

void leave_signals() noexcept {
  for (watched& w : signals) {
    struct sigaction now{};
    if (!w.ours || sigaction(w.number, nullptr, &now) != 0) continue;
    bool still = (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &on_signal;
    if (still) sigaction(w.number, &w.previous, nullptr);
    w.ours = false;
  }
}

void begin() noexcept {
  static const bool registered = std::atexit(&give_all_back) == 0;
  (void)registered;
  owner = getpid();
  last_words = &give_all_back;
  next_order = 1;
  watch_signals();
}

kept_mode* free_place() noexcept {
  for (kept_mode& k : places)
    if (k.terminal.load() < 0) return &k;
  return nullptr;
}

// Who holds the same terminal since.
kept_mode* heir_of(const kept_mode& old) noexcept {
  return choose([&](kept_mode& k) { return k.device == old.device && k.order > old.order; },
                std::less<>());
}

}  // namespace

int set_modes(int terminal, const termios& modes) noexcept {
  if (in_background(terminal)) return -EIO;
  // Should that have changed since: it must not stop us.
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &stop, &before);
  int e = 0;
  do {
    e = tcsetattr(terminal, TCSANOW, &modes) == 0 ? 0 : -errno;
  } while (e == -EINTR);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return e;
}

int kept_modes::hold(detail::descriptor terminal, const termios& before,
                     const termios& during) noexcept {
  struct stat s{};
  if (fstat(terminal.get(), &s) != 0) return -errno;
  std::lock_guard guard(lock);
  kept_mode* k = free_place();
  if (!k) return -ENOSPC;
  if (held == 0) begin();
  k->order = next_order++;
  k->device = s.st_rdev;
  k->before = before;
  k->during = during;
  k->terminal = terminal.get();
  held++;
  int e = set_modes(terminal.get(), during);
  int place = static_cast<int>(k - places);
  if (e == 0) return terminal.release(), place;
  k->terminal = -1;
  if (--held == 0) leave_signals();
  return e;
}

void kept_modes::release(int place) noexcept {
  std::lock_guard guard(lock);
  kept_mode& k = places[place];
  if (kept_mode* heir = heir_of(k)) heir->before = k.before;
  else if (is_ours()) set_modes(k.terminal.load(), k.before);
  detail::descriptor closed(k.terminal.exchange(-1));
  if (--held == 0) leave_signals();
}

}  // namespace cuvee::inline v0::detail
