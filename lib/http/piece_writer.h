// SPDX-License-Identifier: MIT
#pragma once
#include "io/stream_block.h"

#include <cuvee/core/task.h>

namespace cuvee::inline v0::http::detail {

inline constexpr std::size_t high_water_bytes = 64 * 1024;  // of output the peer has not taken

/// True while it lives, whatever ends the coroutine it stands in.
class flag_guard {
 public:
  explicit flag_guard(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  flag_guard(const flag_guard&) = delete;
  ~flag_guard() { flag_ = false; }

 private:
  bool& flag_;
};

/// Sends a piece of a body, framed as a chunk if need be, and waits while more than `high_water_bytes`
/// wait for the peer. How it went is the stream's to tell. A peer that takes nothing for `limit` is cut.
task<> write_piece(v0::detail::stream_block& to, const_bytes piece, bool chunked, duration limit);

}  // namespace cuvee::inline v0::http::detail
