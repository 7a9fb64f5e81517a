// SPDX-License-Identifier: MIT
// Fails the n-th heap allocation of a thread. For one file of a program: it replaces `operator new`.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>

namespace failing_heap {

struct countdown {
  std::size_t fail_at = 0;  // 0: never
  std::size_t seen = 0;

  bool hit() noexcept { return fail_at != 0 && ++seen == fail_at; }
};
inline thread_local countdown allocations;

}  // namespace failing_heap

void* operator new(std::size_t size) {
  void* block = failing_heap::allocations.hit() ? nullptr : std::malloc(size ? size : 1);
  if (!block) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
