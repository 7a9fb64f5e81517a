// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>

namespace cuvee::inline v0::detail {

/// What must still be done where the process ends without running `atexit`'s functions; async-signal-safe.
inline constinit std::atomic<void (*)() noexcept> last_words = nullptr;

inline void say_last_words() noexcept {
  if (auto say = last_words.load()) say();
}

}  // namespace cuvee::inline v0::detail
