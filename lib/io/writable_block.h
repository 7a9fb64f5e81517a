// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "stream_block.h"

#include <cuvee/core/frame_pool.h>

namespace cuvee::inline v0::detail {

/// Tells when a stream's socket takes bytes again. libuv watches a descriptor once only, and the stream does
/// so already: this one has a duplicate.
class writable_block final : public handle_block, public pooled {
 public:
  /// Errors: those of the system.
  static writable_block* make(loop_state& l, int socket);

  int descriptor() const noexcept { return fd_; }
  int start(waiter& w) noexcept;
  void stop() noexcept { uv_poll_stop(&native_); }
  const char* kind() const noexcept override { return "socket watch"; }

 private:
  explicit writable_block(loop_state& l) noexcept : handle_block(l) {}
  void on_closed() override;

  uv_poll_t native_{};
  int fd_ = -1;
  waiter* waiting_ = nullptr;
};

/// Completes when a socket is writable, or its stream is closed. Cancel: safe, at once.
class writable_awaiter {
 public:
  writable_awaiter(stream_block& out, writable_block& watch) noexcept
      : either_(*this), out_(&out), watch_(&watch) {}
  writable_awaiter(const writable_awaiter&) = delete;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  /// A status.
  int await_resume() const noexcept { return status_; }

 private:
  struct event : waiter {
    explicit event(writable_awaiter& o) noexcept : waiter(&happened), owner(&o) {}
    static void happened(waiter* w);
    writable_awaiter* owner;
  };

  event either_;
  stream_block* out_;
  writable_block* watch_;
  waiter* waiter_ = nullptr;
  int status_ = 0;
};

/// Completes when all earlier output of a stream is out, or the stream has failed. Cancel: safe, at once.
class drained_awaiter {
 public:
  explicit drained_awaiter(stream_block& out) noexcept : out_(&out) {}
  bool await_ready() {
    out_->flush();
    return out_->drained(0);
  }
  void await_suspend(waiter& w) noexcept { out_->await_drained(w, 0); }
  bool await_cancel(waiter&) noexcept {
    out_->forget_drain();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  stream_block* out_;
};

}  // namespace cuvee::inline v0::detail
