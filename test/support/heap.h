// SPDX-License-Identifier: MIT
// Counts and refuses heap allocations, in programs that are linked with heap.cc.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>

namespace heap {

inline thread_local std::size_t allocations = 0;
inline thread_local bool (*refuses)(std::size_t) = nullptr;

}  // namespace heap
