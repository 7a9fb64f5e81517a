// SPDX-License-Identifier: MIT
#include <cuvee/core/frame_pool.h>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace cuvee::inline v0::detail {

#if CUVEE_ASAN
inline namespace pool_asan {
#else
inline namespace pool_plain {
#endif

constinit thread_local frame_cache this_thread_frames = {};

namespace {

// Not 2 MiB of huge pages: lib/core/README.md has the measurement.
constexpr std::size_t chunk_bytes = 64 * 1024;

// Chunks are never given back to the system: a frame may be freed on another thread than it came
// from. What an ending thread had in its cache waits here for the next new thread.
struct orphanage {
  std::mutex mutex;
  std::vector<frame_cache> caches;
};
orphanage& orphans() {
  static auto* instance = new orphanage;  // outlives every thread
  return *instance;
}

struct keeper {
  keeper() {
    orphanage& o = orphans();
    std::lock_guard lock(o.mutex);
    if (o.caches.empty()) return;
    adopt(o.caches.back());
    o.caches.pop_back();
  }
  ~keeper() {
    orphanage& o = orphans();
    std::lock_guard lock(o.mutex);
    try {
      o.caches.push_back(this_thread_frames);
    } catch (const std::bad_alloc&) {  // the blocks are lost
    }
    this_thread_frames = {};
  }
  static void adopt(const frame_cache& old) {
    for (std::size_t i = 0; i < std::size(old.free); i++)
      if (!this_thread_frames.free[i]) this_thread_frames.free[i] = old.free[i];
    this_thread_frames.bump = old.bump;
    this_thread_frames.bump_end = old.bump_end;
    this_thread_frames.chunks = old.chunks;
  }
};

void grow(frame_cache& cache) {
  void* chunk = std::malloc(chunk_bytes);
  if (!chunk) throw std::bad_alloc();
  cache.chunks++;
  cache.bump = static_cast<char*>(chunk);
  cache.bump_end = cache.bump + chunk_bytes;
}

}  // namespace

[[gnu::noinline]] void* frame_pool_get_slow(std::size_t size) {
  if (size > frame_largest_bytes) return ::operator new(size);
  static thread_local keeper keep;  // adopts an ended thread's blocks the first time
  (void)keep;
  std::size_t index = (size + frame_class_bytes - 1) / frame_class_bytes;
  if (free_frame* block = this_thread_frames.free[index]) {
    this_thread_frames.free[index] = block->next;
    return block;
  }
  std::size_t bytes = index * frame_class_bytes;
  frame_cache& cache = this_thread_frames;
  if (static_cast<std::size_t>(cache.bump_end - cache.bump) < bytes) grow(cache);
  char* block = cache.bump;
  cache.bump += bytes;
  return block;
}

}  // namespace pool

}  // namespace cuvee::inline v0::detail
