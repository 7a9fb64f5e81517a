// SPDX-License-Identifier: MIT
#pragma once
#include "sockets.h"
#include "soft_stream_block.h"

namespace cuvee::inline v0::detail {

/// A stream over a file, or a device that is always ready. Each read and write is done by libuv's pool, at the
/// position that all who share the description have, and moves it. One read and one write at a time, from and to
/// buffers of the block, so that a cancel need not wait for a slow disk.
class file_stream_block final : public soft_stream_block {
 public:
  /// `fd` is the block's from now on.
  static file_stream_block* make(loop_state& l, detail::descriptor fd);
  ~file_stream_block() override;

  void flush() override { flush_to(*this); }
  const char* kind() const noexcept override { return "file stream"; }

 private:
  friend stream_block;

  file_stream_block(loop_state& l, detail::descriptor fd)
      : soft_stream_block(l), fd_(std::move(fd)) {
    start_for_readers_only();
  }

  using buffers = big_blocks<window_limit>;
  /// A call that the pool makes, or has made.
  struct call {
    uv_fs_t request{};
    char* data = nullptr;
    std::size_t at = 0, size = 0;  // of `data`: what nobody has got yet
    bool running = false;
  };

  int start_reading() override;
  void pause_reading() noexcept override {}
  ssize_t write_now(const uv_buf_t* buffers, unsigned n) override;
  void finish_output() override;
  void work() override;
  void on_closing() override;
  void on_closed() override;
  void close_descriptor() noexcept;
  bool busy() const noexcept override {
    return soft_stream_block::busy() || read_call_.running || write_call_.running;
  }

  int submit_read() noexcept;
  int submit_write(const uv_buf_t* from, unsigned n) noexcept;
  void deliver();
  void was_read(ssize_t n);
  void was_written(ssize_t n);
  template <void (file_stream_block::*Done)(ssize_t), call file_stream_block::* Which>
  static void on_done(uv_fs_t* r);

  detail::descriptor fd_;
  call read_call_, write_call_;
  std::size_t written_ = 0;  // by the last call, and not told yet
};

}  // namespace cuvee::inline v0::detail
