// SPDX-License-Identifier: MIT
#pragma once
#include "pool_output.h"
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
      : soft_stream_block(l), fd_(std::move(fd)), pool_(*this, &was_written) {
    start_for_readers_only();
  }

  int start_reading() override;
  void pause_reading() noexcept override {}
  ssize_t write_now(const uv_buf_t* from, unsigned n) override {
    return pool_.write_now(fd_.get(), from, n, window_limit);
  }
  void finish_output() override;
  void work() override;
  void on_closing() override;
  void on_closed() override;
  bool busy() const noexcept override {
    return soft_stream_block::busy() || read_running_ || pool_.running();
  }

  int submit_read() noexcept;
  void deliver();
  void was_read(ssize_t n);
  void call_ended();
  static void on_read(uv_fs_t* r);
  static void was_written(stream_block& owner, ssize_t n);

  detail::descriptor fd_;
  pool_output pool_;
  uv_fs_t read_request_{};
  char* read_data_ = nullptr;
  std::size_t read_at_ = 0, read_size_ = 0;  // what nobody has got yet
  bool read_running_ = false;
};

}  // namespace cuvee::inline v0::detail
