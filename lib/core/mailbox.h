// SPDX-License-Identifier: MIT
#pragma once
#include "uv.h"

#include <cuvee/core/loop_ref.h>

#include <atomic>

namespace cuvee::inline v0::detail {

/// Posts from other threads: a lock-free stack, taken whole and reversed by the loop. The `uv_async_t` is woken
/// only when the stack was empty. Shared with every loop_ref, so it outlives the loop.
class mailbox {
 public:
  explicit mailbox(uv_async_t& wake) noexcept : wake_(&wake) {}

  /// Takes ownership if it returns true; false: closed.
  bool push(posted* call) noexcept;
  /// All that has arrived, oldest first.
  posted* take() noexcept;
  /// No push gets through any more; the async handle may be closed afterwards.
  void close() noexcept;

 private:
  static posted* closed_mark() noexcept { return reinterpret_cast<posted*>(alignof(posted)); }
  std::atomic<posted*> newest_ = nullptr;
  std::atomic<int> pushing_ = 0;  // threads between their look at `newest_` and the wake-up
  uv_async_t* wake_;
};

}  // namespace cuvee::inline v0::detail
