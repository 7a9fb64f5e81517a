// SPDX-License-Identifier: MIT
#pragma once
#include "soft_stream_block.h"

#include <cuvee/io/memory_stream.h>

namespace cuvee::inline v0::detail {

/// One end of a stream within the process. What its peer wrote waits in a buffer of bounded size until
/// somebody reads; with a capacity of 0 it stays with the writer (lockstep).
class memory_block final : public soft_stream_block {
 public:
  static std::pair<stream, stream> make_pair(loop_state& l, memory_stream_options options);

  memory_block(loop_state& l, memory_stream_options options);
  void flush() override { flush_to(*this); }
  void abort() override;
  const char* kind() const noexcept override { return "memory stream"; }

 private:
  friend stream_block;

  int start_reading() override;
  void pause_reading() noexcept override {}
  ssize_t write_now(const uv_buf_t* buffers, unsigned n) override;
  void finish_output() override;
  void work() override;
  void on_closing() override;
  std::size_t room() const noexcept;
  void take(const uv_buf_t& from, std::size_t n);
  void pull();
  void deliver();
  void peer_ended(int status);
  void part(int status);

  memory_stream_options options_;
  memory_block* peer_ = nullptr;
  std::string waiting_;    // bytes that nobody has read
  std::size_t read_ = 0;   // how many of them have been
  std::size_t asked_ = 0;  // while a reader waits: what goes beyond the capacity
  int read_end_ = 0;       // what follows the waiting bytes
  int write_end_ = 0;      // why the peer takes nothing more
};

}  // namespace cuvee::inline v0::detail
