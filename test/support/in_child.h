// SPDX-License-Identifier: MIT
#pragma once
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace scenario {

// TSan hangs where a child of a process with threads starts threads.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool no_threads_in_child = true;
#elif defined(__has_feature)
inline constexpr bool no_threads_in_child = __has_feature(thread_sanitizer);
#else
inline constexpr bool no_threads_in_child = false;
#endif

struct child_end {
  int status = 0;
  std::string output;  // standard output and error

  bool exited_with(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  bool killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
};

/// Runs `body` in a forked process, for what ends a process or needs signals. No loop may be
/// running.
template <class F>
child_end in_child(F body) {
  int ends[2];
  if (pipe(ends) != 0) std::terminate();
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    for (int s : {SIGINT, SIGTERM, SIGABRT, SIGSEGV}) std::signal(s, SIG_DFL);  // doctest's
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    int code = body();
    std::fflush(nullptr);
    _exit(code);
  }
  close(ends[1]);
  child_end end;
  char buffer[1024];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    end.output.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(pid, &end.status, 0);
  return end;
}

}  // namespace scenario
