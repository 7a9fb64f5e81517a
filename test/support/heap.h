// SPDX-License-Identifier: MIT
// Counts and refuses heap allocations. For one file of a program: it replaces `operator new`.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>

namespace heap {

inline thread_local std::size_t allocations = 0;
inline thread_local bool (*refuses)(std::size_t) = nullptr;

}  // namespace heap

void* operator new(std::size_t size) {
  heap::allocations++;
  if (!heap::refuses || !heap::refuses(size))
    if (void* block = std::malloc(size ? size : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
