// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>

namespace scenario {

/// A door for jobs: they wait at it until the test opens it.
class gate {
 public:
  void open() { open_.store(true), open_.notify_all(); }
  void pass() {
    entered_.fetch_add(1), entered_.notify_all();
    open_.wait(false);
  }
  void await_entered(int n) {
    for (int seen = entered_.load(); seen < n; seen = entered_.load()) entered_.wait(seen);
  }
  int entered() const { return entered_.load(); }

 private:
  std::atomic<bool> open_ = false;
  std::atomic<int> entered_ = 0;
};

}  // namespace scenario
