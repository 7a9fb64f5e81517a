// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/uv.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/process.h>

namespace cuvee::inline v0::detail {

/// A child process and the parent's ends of its pipes. The handle is closed as soon as the child
/// was reaped; the exit is made known in the close callback. There is a reason: libuv reaps all
/// children that have ended before it calls the first exit callback. Were tasks to run in that
/// callback, they could send a signal to the pid of a child that is reaped already, and by then
/// perhaps somebody else's.
class process_block final : public handle_block, public pooled {
 public:
  explicit process_block(loop_state& l) noexcept : handle_block(l) {}
  /// Errors: see `cuvee::spawn`; the block is then unusable and must be disowned.
  void start(const command& c);

  bool exit_known() const noexcept { return closed(); }
  exit_status status() const noexcept { return status_; }
  int pid() const noexcept { return handle_.pid; }
  const std::string& name() const noexcept { return name_; }
  void kill(int signal);
  /// The owner is gone: kills and lets the exit callback reap.
  void abandon();

  enum stream_index { in, out, err };
  pipe_stream* pipe(stream_index i) noexcept { return pipes_[i] ? &*pipes_[i] : nullptr; }
  pipe_stream& require_pipe(stream_index i);

  list<process_wait_awaiter> waiters;

 private:
  struct child_ends;
  void check(const command& c) const;
  void connect(const command& c, child_ends& ends);
  int make_pipe(stream_index i);
  error failure(int status, const command& c) const;
  void on_exit(exit_status s);
  void on_closing() override;
  void on_closed() override;

  uv_process_t handle_{};
  std::optional<pipe_stream> pipes_[3];
  std::string name_;
  exit_status status_;
  uv_close_cb when_closed_ = nullptr;
  bool running_ = false;
  bool abandoned_ = false;
};

}  // namespace cuvee::inline v0::detail
