// SPDX-License-Identifier: MIT
#pragma once
#include "exit_waiter.h"

#include <cuvee/io/process.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cuvee::inline v0::detail {

/// All that a new process needs to be told, prepared while it may still allocate. Pointers end with null.
struct launch_plan {
  struct move {
    int from, to;
  };
  std::vector<std::string> programs;  // tried one after the other
  std::vector<char*> arguments;
  std::vector<char*> shell_arguments;  // for a file that is no program: [1] is its name
  std::vector<char*> environment;
  std::vector<move> moves;  // ascending by `to`; all others are closed
  const char* cwd = nullptr;
  std::optional<unsigned> uid, gid, umask;
  std::optional<int> group;  // 0: a new one
  bool new_session = false;
  bool controlled = false;  // by the terminal that is its stdin, stdout or stderr
  int terminal = 0;         // which of these
};

enum class launch_step : int { start, session, group, streams, terminal, directory, user, program };

/// A child process, whose descriptor becomes readable when it ends.
struct launched {
  int pid = 0;
  int watch = -1;
  std::unique_ptr<exit_waiter> waiter;  // whose descriptor it is; otherwise it is a pidfd
};

struct launch_failure {
  launch_step step;
  int code;  // errno
};

/// Starts a process; it runs the new program when this returns.
/// Returns: a failure, after which no process is left.
std::optional<launch_failure> launch(const launch_plan& plan, launched& child);

/// Reaps the child. Returns: nothing while it runs.
std::optional<exit_status> try_reap(const launched& child);
/// It has exited, and is not reaped.
bool has_ended(const launched& child) noexcept;
/// Returns: an errno. Never reaches another process than the child, which must not be reaped by us.
int send_signal(const launched& child, int signal) noexcept;
/// Waits for the end of a child that was killed, and reaps it.
void reap_killed(launched& child) noexcept;
/// Closes the descriptor. Precondition: the child has ended.
void close_watch(launched& child) noexcept;

}  // namespace cuvee::inline v0::detail
