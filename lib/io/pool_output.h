// SPDX-License-Identifier: MIT
#pragma once
#include "stream_block.h"

namespace cuvee::inline v0::detail {

/// Output of a stream that libuv's pool writes, as it might have to wait. Bytes are copied for it, so that a cancel
/// need not wait for the pool; taken is only what was written.
class pool_output {
 public:
  /// In a turn, with the count of bytes or an error. The owner may go in it, otherwise it tells `written`
  /// and offers again what it has.
  using done_fn = void (*)(stream_block& owner, ssize_t result);

  pool_output(stream_block& owner, done_fn done) noexcept : owner_(&owner), done_(done) {}
  pool_output(const pool_output&) = delete;
  ~pool_output() { give_back(); }

  /// The body of a transport's `write_now`; each call of the system gets at most so many bytes.
  ssize_t write_now(int fd, const uv_buf_t* from, unsigned n, std::size_t most_bytes);
  void written(ssize_t n) noexcept;
  /// The owner closes.
  void withdraw() noexcept;
  bool running() const noexcept { return running_; }
  /// Neither is it writing, nor has it written what is not taken yet.
  bool idle() const noexcept { return !running_ && written_ == 0; }

 private:
  int submit(int fd, const uv_buf_t* from, unsigned n, std::size_t most_bytes) noexcept;
  void give_back() noexcept;
  static void on_done(uv_fs_t* r);

  stream_block* owner_;
  done_fn done_;
  uv_fs_t request_{};
  char* data_ = nullptr;
  std::size_t written_ = 0;  // and not taken yet
  bool running_ = false;
};

}  // namespace cuvee::inline v0::detail
