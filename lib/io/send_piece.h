// SPDX-License-Identifier: MIT
#pragma once
#include "file_block.h"

#include <cuvee/core/waiter.h>

namespace cuvee::inline v0::detail {

bool is_socket(int fd) noexcept;
/// Whether a piece of a file can be read without waiting for a disk. Asks about its first and last byte.
bool in_cache(int file, std::uint64_t offset, std::size_t n) noexcept;
/// Moves up to `n` bytes to a socket that does not block. Returns: how many, 0 at the file's end; a status.
std::int64_t send_piece(int socket, int file, std::uint64_t offset, std::size_t n) noexcept;

/// `send_piece` on a thread of libuv's pool, where the disk may keep it waiting. Cancel: waits if it has begun.
class send_piece_awaiter {
 public:
  send_piece_awaiter(int socket, file_block& file, std::uint64_t offset, std::size_t n) noexcept
      : file_(&file), socket_(socket), offset_(offset), size_(n) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  bool await_must_resume() const noexcept { return result_ > 0; }
  std::int64_t await_resume() const noexcept { return result_; }

 private:
  uv_work_t work_{};
  file_block* file_;
  int socket_;
  std::uint64_t offset_;
  std::size_t size_;
  std::int64_t result_ = 0;
  waiter* waiter_ = nullptr;
  loop_state* home_ = nullptr;
};

}  // namespace cuvee::inline v0::detail
