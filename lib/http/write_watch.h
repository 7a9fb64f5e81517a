// SPDX-License-Identifier: MIT
#pragma once
#include "io/stream_block.h"

namespace cuvee::inline v0::http::detail {

using v0::detail::stream_block;

/// Stands where a connection waits for its peer to take bytes: cuts one that takes nothing for `limit`.
class write_watch : v0::detail::timer_node {
 public:
  /// `writing`: bytes that are about to be handed over.
  write_watch(stream_block& b, duration limit, std::size_t writing = 0);
  write_watch(const write_watch&) = delete;
  ~write_watch();

 private:
  static void on_timer(timer_node* n);

  stream_block* block_;
  duration limit_;
  std::size_t unsent_;
};

/// Waits until at most `limit` bytes wait for the peer, or the stream has failed.
class drained_awaiter {
 public:
  drained_awaiter(stream_block& b, std::size_t limit) noexcept : block_(&b), limit_(limit) {}
  bool await_ready() const noexcept { return block_->drained(limit_); }
  void await_suspend(waiter& w) noexcept { block_->await_drained(w, limit_); }
  bool await_cancel(waiter&) noexcept {
    block_->forget_drain();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  stream_block* block_;
  std::size_t limit_;
};

}  // namespace cuvee::inline v0::http::detail
