// SPDX-License-Identifier: MIT
// Items that the tests of queues, channels and broadcast share.
#pragma once
#include "scenario.h"

#include <memory>

namespace queue_case {

/// Its move throws while `fuse` is zero, which counts down; it then leaves the source as it was.
struct touchy {
  static inline int fuse = -1;
  int value;

  explicit touchy(int v) : value(v) {}
  touchy(touchy&& other) : value(other.value) { burn(); }
  touchy& operator=(touchy&& other) {
    burn();
    value = other.value;
    return *this;
  }
  static void burn() {
    if (fuse >= 0 && fuse-- == 0) throw scenario::boom("moved");
  }
};

/// Lets the `n`-th move from now on throw, until the end of the block.
class burning {
 public:
  explicit burning(int n) { touchy::fuse = n; }
  burning(const burning&) = delete;
  burning& operator=(const burning&) = delete;
  ~burning() { touchy::fuse = -1; }
};

template <class F>
std::error_code code_of(F call) {
  try {
    call();
  } catch (const cuvee::error& e) {
    return e.code();
  }
  return {};
}

inline const std::error_code broken = std::make_error_code(std::errc::broken_pipe);
inline const std::error_code invalid = std::make_error_code(std::errc::invalid_argument);

}  // namespace queue_case
