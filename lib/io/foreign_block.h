// SPDX-License-Identifier: MIT
#pragma once
#include "fd_block.h"
#include "pool_output.h"
#include "shared_descriptor.h"
#include "soft_stream_block.h"

#include <optional>

namespace cuvee::inline v0::detail {

/// A stream over a descriptor whose description is shared: a socket, or a pipe or terminal that cannot be opened
/// again. O_NONBLOCK is not touched. Takes bytes only while somebody waits for them. A terminal that is ready may
/// still make a write wait, so libuv's pool does that.
class foreign_block final : public soft_stream_block {
 public:
  /// Null: it cannot be waited for. Errors: those of the system.
  static foreign_block* make(loop_state& l, detail::descriptor& fd, shared_kind kind);

  void flush() override { flush_to(*this); }
  const char* kind() const noexcept override { return "shared stream"; }

 private:
  friend stream_block;

  /// Waits for one kind of event, again and again.
  class side : waiter {
   public:
    side(foreign_block& of, fd_event what) noexcept : waiter(&on_event), of_(of), what_(what) {}
    side(const side&) = delete;
    ~side() = default;

    /// Returns: a status.
    int wait(fd_block& watch) noexcept;
    void stop() noexcept;

   private:
    static void on_event(waiter* w);

    foreign_block& of_;
    fd_event what_;
    std::optional<fd_awaiter> wait_;
  };

  foreign_block(loop_state& l, shared_kind kind)
      : soft_stream_block(l),
        shared_(kind),
        pool_(*this, &was_written),
        to_read_(*this, fd_event::readable),
        to_write_(*this, fd_event::writable) {
    start_for_readers_only();
  }

  int start_reading() override;
  void pause_reading() noexcept override;
  ssize_t write_now(const uv_buf_t* buffers, unsigned n) override;
  void finish_output() override;
  void work() override;
  void on_closing() override;
  void on_closed() override;
  void ready(fd_event what, int status);
  bool busy() const noexcept override { return soft_stream_block::busy() || pool_.running(); }
  void receive();
  static void was_written(stream_block& owner, ssize_t n);
  int update_watch() noexcept;

  detail::descriptor fd_;
  shared_kind shared_;
  pool_output pool_;
  fd_block* watch_ = nullptr;
  side to_read_, to_write_;
  bool reads_ = false;
};

}  // namespace cuvee::inline v0::detail
