// SPDX-License-Identifier: MIT
// Starting processes by vfork: the child borrows the parent's memory until it runs its program, so
// that the size of the parent costs nothing, and exits are seen through a pidfd, or by a thread.
#include "core/uv.h"
#include "launch.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

// Its code runs in the parent's memory: what sanitizers keep there must not see it.
#define CUVEE_IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

namespace cuvee::inline v0::detail {

namespace {

constexpr int signals = 64;
constexpr std::size_t kernel_mask_bytes = 8;
constexpr unsigned long nothing[8] = {};  // a kernel's sigaction that says SIG_DFL, or no mask

// The plan as plain arrays: no code of the standard library runs in the child.
struct child_view {
  const launch_plan* plan;
  const char* const* programs;
  char* const* arguments;
  char** shell_arguments;
  char* const* environment;
  launch_plan::move* moves;
  std::size_t move_count;
  int umask, group;  // -1: none
  long uid, gid;
  int report;
};

// System calls without libc's wrappers, which sanitizers replace.
template <class... Args>
CUVEE_IN_CHILD inline long call(long number, Args... args) {
  return ::syscall(number, args...);
}

[[noreturn]] CUVEE_IN_CHILD void fail(const child_view& v, launch_step step, int code) {
  launch_failure f{step, code};
  call(SYS_write, v.report, &f, sizeof f);
  call(SYS_exit_group, 127);
  __builtin_unreachable();
}

CUVEE_IN_CHILD void require(const child_view& v, launch_step step, long result) {
  if (result < 0) fail(v, step, errno);
}

// Before any signal is let in: handlers would run in the parent's memory.
CUVEE_IN_CHILD void reset_signals() {
  for (int n = 1; n <= signals; n++)
    call(SYS_rt_sigaction, n, nothing, nullptr, kernel_mask_bytes);  // refused for two of them
}

CUVEE_IN_CHILD void close_behind(unsigned first, unsigned last) {
  if (first > last) return;
#if defined(SYS_close_range)
  constexpr unsigned on_exec = 4;  // the pipe to the parent is among them
  if (call(SYS_close_range, first, last, on_exec) == 0) return;
#endif
  constexpr unsigned most = 65536;  // older kernels: one by one
  for (unsigned fd = first; fd <= last && fd < most; fd++) call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

CUVEE_IN_CHILD void move_descriptors(child_view& v) {
  int above = v.moves[v.move_count - 1].to + 1;
  // Out of the way first: a source may lie where another one is to go.
  long report = call(SYS_fcntl, v.report, F_DUPFD_CLOEXEC, above);
  require(v, launch_step::streams, report);
  v.report = static_cast<int>(report);
  for (std::size_t i = 0; i < v.move_count; i++) {
    launch_plan::move& m = v.moves[i];
    if (m.from == m.to || m.from >= above) continue;
    long moved = call(SYS_fcntl, m.from, F_DUPFD_CLOEXEC, above);
    require(v, launch_step::streams, moved);
    m.from = static_cast<int>(moved);
  }
  unsigned next = 3;
  for (std::size_t i = 0; i < v.move_count; i++) {
    const launch_plan::move& m = v.moves[i];
    bool there = m.from == m.to;
    long done = there ? call(SYS_fcntl, m.to, F_SETFD, 0) : call(SYS_dup3, m.from, m.to, 0);
    bool closed_in_parent = there && m.to < 3;  // then it is in the child
    if (done < 0 && !closed_in_parent) fail(v, launch_step::streams, errno);
    if (m.to < 3) continue;
    close_behind(next, static_cast<unsigned>(m.to) - 1);
    next = static_cast<unsigned>(m.to) + 1;
  }
  close_behind(next, ~0u);
}

CUVEE_IN_CHILD void change_user(const child_view& v) {
  if (v.uid < 0 && v.gid < 0) return;
  // Without privileges there is nothing to drop; whether the rest is allowed is seen below.
  if (call(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) fail(v, launch_step::user, errno);
  if (v.gid >= 0) require(v, launch_step::user, call(SYS_setgid, v.gid));
  if (v.uid >= 0) require(v, launch_step::user, call(SYS_setuid, v.uid));
}

[[noreturn]] CUVEE_IN_CHILD void run_program(child_view& v) {
  int code = ENOENT;
  for (const char* const* p = v.programs; *p; p++) {
    call(SYS_execve, *p, v.arguments, v.environment);
    if (errno == ENOEXEC) {  // a script that names no interpreter
      v.shell_arguments[1] = const_cast<char*>(*p);
      call(SYS_execve, v.shell_arguments[0], v.shell_arguments, v.environment);
    }
    // A directory of PATH that is not there, or not ours to see, does not end the search.
    if (errno == EACCES) code = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR) fail(v, launch_step::program, errno);
  }
  fail(v, launch_step::program, code);
}

[[noreturn, gnu::noinline]] CUVEE_IN_CHILD void become(child_view& v) {
  const launch_plan& plan = *v.plan;
  reset_signals();
  if (plan.new_session) require(v, launch_step::session, call(SYS_setsid));
  if (v.group >= 0) require(v, launch_step::group, call(SYS_setpgid, 0, v.group));
  move_descriptors(v);
  if (plan.controlled)
    require(v, launch_step::terminal, call(SYS_ioctl, plan.terminal, TIOCSCTTY, 0));
  if (plan.cwd) require(v, launch_step::directory, call(SYS_chdir, plan.cwd));
  if (v.umask >= 0) call(SYS_umask, v.umask);
  change_user(v);
  call(SYS_rt_sigprocmask, SIG_SETMASK, nothing, nullptr, kernel_mask_bytes);
  run_program(v);
}

// The descriptor through which a child tells that it could not become the program.
class report_pipe {
 public:
  report_pipe() noexcept : failed_(uv::refused("pipe2") || pipe2(ends_, O_CLOEXEC) != 0) {}
  report_pipe(const report_pipe&) = delete;
  ~report_pipe() {
    for (int fd : ends_)
      if (fd >= 0) ::close(fd);
  }
  bool failed() const noexcept { return failed_; }
  int writer() const noexcept { return ends_[1]; }
  /// Waits for the new program, or the child's last word.
  bool read(launch_failure& into) noexcept {
    ::close(std::exchange(ends_[1], -1));
    ssize_t n;
    do n = ::read(ends_[0], &into, sizeof into);
    while (n < 0 && errno == EINTR);
    return n == sizeof into;
  }

 private:
  int ends_[2] = {-1, -1};
  bool failed_;
};

// The kernel reaps by itself where SIGCHLD is ignored, as it may be by inheritance, and keeps no status.
void keep_statuses() noexcept {
  struct sigaction now{};
  if (sigaction(SIGCHLD, nullptr, &now) != 0) return;
  bool lost = now.sa_handler == SIG_IGN || (now.sa_flags & SA_NOCLDWAIT) != 0;
  if (lost) std::signal(SIGCHLD, SIG_DFL);
}

// In a function of its own, whose frame holds nothing that the child could spoil.
[[gnu::noinline]] pid_t start(child_view& v) {
  pid_t pid = vfork();
  if (pid == 0) become(v);
  return pid;
}

class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

int open_pidfd(pid_t pid) noexcept {
  if (uv::refused("pidfd_open")) return -1;
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

// Whether all is there that is done with a pidfd; asked of this process, which is no child of its own.
bool try_pidfds() noexcept {
  descriptor self(open_pidfd(getpid()));
  if (!self) return false;
  siginfo_t end{};
  id_t id = static_cast<id_t>(self.get());
  return waitid(P_PIDFD, id, &end, WEXITED | WNOHANG) != 0 && errno == ECHILD &&
         syscall(SYS_pidfd_send_signal, self.get(), 0, nullptr, 0) == 0;
}

// Old kernels and the filters of containers refuse pidfds. That has to be known before a program runs.
bool have_pidfds() noexcept {
  if (std::getenv("CUVEE_NO_PIDFD")) return false;  // for tests
  enum : int { untried, refused, there };
  static std::atomic<int> known = untried;
  if (known == untried) {
    if (try_pidfds()) known = there;
    else if (errno == ENOSYS || errno == EPERM || errno == EINVAL) known = refused;
  }
  return known == there;  // short of descriptors or memory, a thread may still do
}

int wait_id(const launched& child, siginfo_t& end, int flags) noexcept {
  // A pidfd can mean no other child. A number could, if somebody else has reaped ours.
  idtype_t by = child.waiter ? P_PID : P_PIDFD;
  int id = child.waiter ? child.pid : child.watch, e;
  do e = waitid(by, static_cast<id_t>(id), &end, WEXITED | flags);
  while (e != 0 && errno == EINTR);
  return e;
}

void reap(pid_t pid) noexcept {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

// Returns: an errno.
int watch_exit(launched& child) noexcept {
  if (child.waiter) {
    child.watch = child.waiter->descriptor();
    child.waiter->begin(child.pid);
    return 0;
  }
  child.watch = open_pidfd(child.pid);
  return child.watch < 0 ? errno : 0;
}

std::optional<launch_failure> start_child(child_view& v, launched& child) {
  if (int e = uv::fault("vfork")) return launch_failure{launch_step::start, -e};
  keep_statuses();
  report_pipe report;
  if (report.failed()) return launch_failure{launch_step::start, errno};
  v.report = report.writer();
  {
    signals_blocked while_starting;
    if (!have_pidfds()) child.waiter = std::make_unique<exit_waiter>();
    child.pid = start(v);
    if (child.pid < 0) return launch_failure{launch_step::start, errno};
  }
  launch_failure failure{};
  bool failed = report.read(failure);
  if (!failed) {
    int e = watch_exit(child);
    if (e == 0) return std::nullopt;
    failure = {launch_step::start, e};
  }
  ::kill(child.pid, SIGKILL);
  reap(child.pid);
  return failure;
}

}  // namespace

std::optional<launch_failure> launch(const launch_plan& plan, launched& child) try {
  std::vector<const char*> programs;
  for (const std::string& p : plan.programs) programs.push_back(p.c_str());
  programs.push_back(nullptr);
  std::vector<launch_plan::move> moves = plan.moves;
  std::vector<char*> shell_arguments = plan.shell_arguments;
  child_view v{&plan,
               programs.data(),
               plan.arguments.data(),
               shell_arguments.data(),
               plan.environment.data(),
               moves.data(),
               moves.size(),
               static_cast<int>(plan.umask.value_or(~0u)),
               plan.group.value_or(-1),
               plan.uid ? static_cast<long>(*plan.uid) : -1,
               plan.gid ? static_cast<long>(*plan.gid) : -1,
               -1};
  launched made;
  auto failure = start_child(v, made);
  if (!failure) child = std::move(made);
  return failure;
} catch (const std::system_error& e) {  // of the waiter
  return launch_failure{launch_step::start, e.code().value()};
}

std::optional<exit_status> try_reap(const launched& child) {
  siginfo_t end{};
  if (wait_id(child, end, WNOHANG) != 0) return exit_status::unknown();
  if (end.si_pid == 0) return std::nullopt;
  return end.si_code == CLD_EXITED ? exit_status::exited(end.si_status)
                                   : exit_status::signaled(end.si_status);
}

bool has_ended(const launched& child) noexcept {
  siginfo_t end{};
  return wait_id(child, end, WNOHANG | WNOWAIT) == 0 && end.si_pid != 0;
}

int send_signal(const launched& child, int signal) noexcept {
  if (!child.waiter)
    return syscall(SYS_pidfd_send_signal, child.watch, signal, nullptr, 0) == 0 ? 0 : errno;
  siginfo_t end{};
  if (wait_id(child, end, WNOHANG | WNOWAIT) != 0) return ESRCH;
  return ::kill(child.pid, signal) == 0 ? 0 : errno;
}

void reap_killed(launched& child) noexcept {
  if (child.waiter) child.waiter->finish();  // first: the number is another's afterwards
  reap(child.pid);                           // a pidfd that is polled would not block
}

void close_watch(launched& child) noexcept {
  if (child.waiter) child.waiter.reset();
  else ::close(child.watch);
  child.watch = -1;
}

}  // namespace cuvee::inline v0::detail
