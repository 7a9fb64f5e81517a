// SPDX-License-Identifier: MIT
// Counts and refuses heap allocations, in programs that are linked with heap.cc.
#pragma once
#include <cuvee/core/task.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace heap {

inline thread_local std::size_t allocations = 0;
inline thread_local bool (*refuses)(std::size_t) = nullptr;

/// Allocations of 100 runs of `once` after 10 others.
template <class F>
cuvee::task<std::size_t> steady_state(F once) {
  for (int i = 0; i < 10; i++) co_await once();
  std::size_t before = allocations;
  for (int i = 0; i < 100; i++) co_await once();
  co_return allocations - before;
}

}  // namespace heap
