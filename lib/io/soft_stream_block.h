// SPDX-License-Identifier: MIT
#pragma once
#include "stream_block.h"

namespace cuvee::inline v0::detail {

/// The base of streams without a handle of libuv's: within the process, or on top of another stream.
/// It keeps the output that the transport did not take at once, and works at the end of turns, so that
/// nothing happens to the other side inside a call. Whoever makes one calls `opened()`.
///
/// A transport has `write_now`, `start_reading`, `pause_reading`, `finish_output` and `flush`, which
/// is `flush_to(*this)`.
class soft_stream_block : public stream_block {
 public:
  std::size_t unsent() const noexcept override { return in_flight() - spans_taken_; }

 protected:
  explicit soft_stream_block(loop_state& l) : stream_block(l, &end_of_turn) {}

  /// Asks for `work` at the end of this turn; outside of one, of the next.
  void work_soon() noexcept { home().at_turn_end(*this); }
  virtual void work() {}
  /// Output may be taken again: offers what is kept to `write_now`.
  void push_kept();
  bool keeps_output() const noexcept { return first_ || span_count_ != 0; }
  /// What is kept will never be taken.
  void fail_kept(int status);
  /// All output was taken and the stream was half-closed: the transport says so to its peer, then
  /// calls `shutdown_done`, within this call or later.
  virtual void finish_output() = 0;
  void begin_close() override { work_soon(); }

 private:
  int write_later(output_block& block) final;
  int write_later(const uv_buf_t* spans, unsigned n) final;
  int end_output() final;
  void push_blocks();
  void push_spans();
  static void end_of_turn(turn_end& e);

  output_block* first_ = nullptr;
  output_block** last_ = &first_;
  uv_buf_t spans_[stream_writer::most_spans];
  unsigned span_count_ = 0;
  std::size_t spans_size_ = 0;
  std::size_t spans_taken_ = 0;
  int failure_ = 0;
  bool ending_ = false;
};

}  // namespace cuvee::inline v0::detail
