// SPDX-License-Identifier: MIT
#pragma once
#include "handle_block.h"

#include <uv.h>

namespace cuvee::inline v0::detail {

/// A libuv handle for one signal. When the last watch of a signal has gone, on all loops of the process, its
/// disposition is again what it was before the first. (libuv would leave the default.)
class signal_watch : public handle_block {
 public:
  explicit signal_watch(loop_state& l) noexcept : handle_block(l) {}
  /// Errors: what the system says to the number; the watch is then unusable and must be disowned.
  void start(int number);
  int number() const noexcept { return number_; }
  /// Whether it keeps the loop running; it does not at first.
  void keep_loop(bool wanted) noexcept;

 protected:
  /// In a turn.
  virtual void arrived(int number) = 0;
  /// `missed`: a signal was caught and not told any more. `last`: the old disposition is back.
  virtual void stopped(bool missed, bool last);
  void on_closing() override;

 private:
  uv_signal_t handle_{};
  int number_ = 0;
  unsigned told_ = 0;  // libuv counts a call only after it
  bool started_ = false;
};

}  // namespace cuvee::inline v0::detail
