// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/uv.h"
#include "launch.h"

#include <cuvee/core/frame_pool.h>

#include <optional>
#include <string>

namespace cuvee::inline v0::detail {

/// A child process and the parent's ends of its pipes. The child is reaped by nobody else, in the callback that makes
/// its exit known, so that no task ever sees the pid of a child that is gone as that of one which lives.
class process_block final : public handle_block, public pooled {
 public:
  explicit process_block(loop_state& l) noexcept : handle_block(l) {}
  /// Errors: see `cuvee::spawn`; the block is then unusable and must be disowned.
  void start(const command& c);

  bool exit_known() const noexcept { return status_.has_value(); }
  exit_status status() const noexcept { return *status_; }
  int pid() const noexcept { return child_.pid; }
  const std::string& name() const noexcept { return name_; }
  const char* kind() const noexcept override { return "process"; }
  void kill(int signal);
  void kill_group(int signal);
  bool leads_group() const noexcept { return leads_group_; }
  /// What is left of the child's group when it exits is killed, while its number is still the group's.
  void end_group_with_child() noexcept { end_group_ = true; }
  /// The owner is gone: kills and lets the exit callback reap.
  void abandon();

  enum stream_index { in, out, err, terminal };
  pipe_stream* pipe(stream_index i) noexcept { return pipes_[i] ? &*pipes_[i] : nullptr; }
  pipe_stream& require_pipe(stream_index i);
  void resize_terminal(terminal_size size);

  // While it starts: these make the parent's ends and return the child's.
  int make_pipe(stream_index i);
  int make_terminal(terminal_size size);

  list<process_wait_awaiter> waiters;

 private:
  void watch_exit();
  void on_readable();
  void tell_exit(exit_status s);
  void on_closing() override;

  uv_poll_t handle_{};
  launched child_;
  std::optional<pipe_stream> pipes_[4];
  std::string name_;
  std::optional<exit_status> status_;
  uv_close_cb when_closed_ = nullptr;
  bool running_ = false;
  bool abandoned_ = false;
  bool leads_group_ = false;
  bool end_group_ = false;
};

struct process_access {
  static process_block& block(process& p) noexcept { return *p.block_; }
};

}  // namespace cuvee::inline v0::detail
