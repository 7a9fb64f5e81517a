// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/frame_pool.h>

#include <cstddef>

// Where the codec takes its blocks from: this pair and nothing else, so that another source is one
// edit. A request of ordinary size needs one block of `small_block_bytes`.

namespace cuvee::inline v0::http::detail {

inline constexpr std::size_t small_block_bytes = 4096;
inline constexpr std::size_t large_block_bytes = 32 * 1024;

/// Throws std::bad_alloc.
inline char* take_block(std::size_t size) {
  return static_cast<char*>(v0::detail::frame_pool_get(size));
}

/// Gives back a block of `take_block(size)`, with the same size.
inline void give_block(char* block, std::size_t size) noexcept {
  v0::detail::frame_pool_put(block, size);
}

}  // namespace cuvee::inline v0::http::detail
