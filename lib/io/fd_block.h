// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "core/uv.h"

#include <cuvee/core/frame_pool.h>
#include <cuvee/io/fd_watch.h>

namespace cuvee::inline v0::detail {

/// A foreign descriptor that is polled. libuv polls each descriptor once in a loop, so all who watch or wait for one
/// share its block; the last of them closes it. Between two waits it goes on polling: who was served a moment ago will
/// soon wait again, and if not, the next event ends it.
class fd_block final : public handle_block, public pooled {
 public:
  struct refusal {
    int status = 0;
    const char* user = nullptr;  // who has the descriptor already
  };

  /// The block of `fd`, with one more user; null if there cannot be one.
  static fd_block* acquire(loop_state& l, int fd, refusal& why) noexcept;
  void release();

  /// Returns: a status.
  int join(fd_awaiter& a) noexcept;
  void leave(fd_awaiter& a) noexcept;
  int descriptor() const noexcept { return fd_; }
  const char* kind() const noexcept override { return own_kind; }

 private:
  static constexpr char own_kind[] = "descriptor watch";

  fd_block(loop_state& l, int fd) noexcept : handle_block(l), fd_(fd) {}
  static fd_block* make(loop_state& l, int fd, refusal& why) noexcept;
  static void on_event(uv_poll_t* h, int status, int events);
  int poll(fd_event events) noexcept;
  fd_event awaited() noexcept;
  void happened(fd_event events, int status);
  void on_closing() override;

  uv_poll_t native_{};
  list<fd_awaiter> waiting_;
  int fd_;
  int users_ = 1;
  fd_event polled_ = fd_event::none;
};

/// `acquire` and `join` as errors.
error fd_error(int fd, const fd_block::refusal& why);

}  // namespace cuvee::inline v0::detail
