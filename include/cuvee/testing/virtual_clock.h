// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

namespace cuvee::inline v0::testing {

/// Replaces a loop's clock by one that stands still while tasks run and jumps to the next deadline when
/// everything waits. A test that sleeps for a day takes no time.
/// Time does not pass while libuv's thread pool works (`offload`, name lookups). Sockets and child
/// processes are not seen to be busy: give `quiet` where a test waits for them.
class CUVEE_API virtual_clock {
 public:
  /// `quiet`: real time without any event that must pass before a jump.
  explicit virtual_clock(loop& l = loop::current(), duration quiet = duration::zero());
  virtual_clock(const virtual_clock&) = delete;
  virtual_clock& operator=(const virtual_clock&) = delete;
  /// Returns to real time. Precondition: no timer of the loop is armed.
  ~virtual_clock();

  /// Virtual time since the clock was installed.
  duration elapsed() const noexcept;

 private:
  loop* loop_;
  time_point start_;
};

}  // namespace cuvee::inline v0::testing
