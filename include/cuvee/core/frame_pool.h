// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstddef>
#include <cstring>
#include <new>

namespace cuvee::inline v0::detail {

// Whether blocks are recycled is part of the ABI: objects built with and without ASan must not share
// inline definitions.
#if CUVEE_ASAN
inline namespace pool_asan {
#else
inline namespace pool_plain {
#endif

inline constexpr std::size_t frame_class_bytes = 16;
inline constexpr std::size_t frame_largest_bytes = 4096;

struct free_frame {
  free_frame* next;
};

/// One thread's recycled blocks by size class. Blocks may be given back on another thread.
struct frame_cache {
  free_frame* free[frame_largest_bytes / frame_class_bytes + 1];
  char* bump;
  char* bump_end;
  std::size_t chunks;
};

extern CUVEE_API CUVEE_HOT_TLS constinit thread_local frame_cache this_thread_frames;

CUVEE_API void* frame_pool_get_slow(std::size_t size);

/// Memory for coroutine frames and other short-lived blocks. Throws std::bad_alloc.
inline void* frame_pool_get(std::size_t size) {
#if !CUVEE_ASAN
  if (size <= frame_largest_bytes) [[likely]] {
    free_frame*& head = this_thread_frames.free[(size + frame_class_bytes - 1) / frame_class_bytes];
    if (free_frame* block = head) [[likely]] {
      head = block->next;
      return block;
    }
  }
  return frame_pool_get_slow(size);
#else
  return ::operator new(size);
#endif
}

/// Gives back a block of `frame_pool_get(size)`, with the same size.
inline void frame_pool_put(void* block, std::size_t size) noexcept {
#if !CUVEE_ASAN
  if (size <= frame_largest_bytes) [[likely]] {
    free_frame*& head = this_thread_frames.free[(size + frame_class_bytes - 1) / frame_class_bytes];
    head = ::new (block) free_frame{head};
    return;
  }
#endif
  (void)size;
  ::operator delete(block);
}

}  // namespace pool

/// Base of types that live in the pool.
struct pooled {
  static void* operator new(std::size_t size) {
    void* block = frame_pool_get(size);
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
    // A coroutine that g++ 12 miscompiles reads its frame before it writes there. Zeros make it skip its
    // body, which the scheduler notices, where garbage would jump anywhere.
    std::memset(block, 0, size);
#endif
    return block;
  }
  static void operator delete(void* block, std::size_t size) noexcept {
    frame_pool_put(block, size);
  }
};

}  // namespace cuvee::inline v0::detail
