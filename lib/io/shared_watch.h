// SPDX-License-Identifier: MIT
#pragma once
#include "core/handle_block.h"
#include "sockets.h"

#include <cuvee/core/frame_pool.h>

namespace cuvee::inline v0::detail {

/// Whoever is told by a `shared_watch`.
struct shared_watcher {
  /// In a turn. `events`: UV_READABLE, UV_WRITABLE, of those wanted.
  virtual void ready(unsigned events) = 0;

 protected:
  ~shared_watcher() = default;
};

/// Tells when a shared descriptor is ready. libuv would set O_NONBLOCK on whatever it polls; here it polls a poll
/// of our own.
class shared_watch final : public handle_block, public pooled {
 public:
  /// Null: the system cannot wait for it, as it is always ready. Errors: those of the system.
  static shared_watch* make(loop_state& l, int fd, shared_watcher& to);

  /// Returns: a status.
  int want(unsigned events) noexcept;
  const char* kind() const noexcept override { return "descriptor watch"; }

 private:
  explicit shared_watch(loop_state& l) noexcept : handle_block(l) {}
  static void on_event(uv_poll_t* h, int status, int events);
  void on_closing() override { to_ = nullptr; }
  void on_closed() override { descriptor closed = std::move(poll_); }

  uv_poll_t native_{};
  descriptor poll_;
  int fd_ = -1;
  unsigned wanted_ = 0;
  shared_watcher* to_ = nullptr;
};

}  // namespace cuvee::inline v0::detail
