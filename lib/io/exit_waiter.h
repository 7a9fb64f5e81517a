// SPDX-License-Identifier: MIT
#pragma once
#include "sockets.h"

#include <atomic>
#include <thread>

namespace cuvee::inline v0::detail {

/// A thread that waits for one child, without reaping it, and makes a descriptor readable then: what serves
/// where the system gives no pidfds.
class exit_waiter {
 public:
  /// Before there is a child, as it may fail. Signals must be blocked: the thread takes none.
  /// Errors: std::system_error.
  exit_waiter();
  exit_waiter(const exit_waiter&) = delete;
  exit_waiter& operator=(const exit_waiter&) = delete;
  /// Waits until the child has ended, if one was named.
  ~exit_waiter();

  void begin(int pid) noexcept;
  /// Until the child has ended.
  void finish() noexcept;
  int descriptor() const noexcept { return ended_.get(); }

 private:
  void run() noexcept;

  static constexpr int unknown = -1, none = 0;
  detail::descriptor ended_;
  std::atomic<int> pid_ = unknown;
  std::thread thread_;
};

}  // namespace cuvee::inline v0::detail
