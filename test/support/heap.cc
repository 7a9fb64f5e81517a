// SPDX-License-Identifier: MIT
// Replaces `operator new` of a test program.
#include "heap.h"

void* operator new(std::size_t size) {
  heap::allocations++;
  if (!heap::refuses || !heap::refuses(size))
    if (void* block = std::malloc(size ? size : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
