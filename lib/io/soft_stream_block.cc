// SPDX-License-Identifier: MIT
#include "soft_stream_block.h"

namespace cuvee::inline v0::detail {

void soft_stream_block::end_of_turn(turn_end& e) {
  auto& b = static_cast<soft_stream_block&>(e);
  b.flush();
  if (!b.closing()) b.work();
  // Not `else`: work may close. Asked for again by whoever closed, it must happen once.
  if (b.closing() && !b.closed()) {
    if (b.turn_end::linked()) static_cast<turn_end&>(b).unlink();
    b.fail_kept(UV_ECANCELED);
    b.shutdown_done();
    return b.finish_close();
  }
  b.turn_ended();
}

int soft_stream_block::write_later(output_block& block) {
  if (failure_ != 0) return failure_;
  block.next = nullptr;
  *last_ = &block;
  last_ = &block.next;
  work_soon();
  return 0;
}

int soft_stream_block::write_later(const uv_buf_t* spans, unsigned n) {
  if (failure_ != 0) return failure_;
  spans_size_ = spans_taken_ = 0;
  for (unsigned i = 0; i < n; i++) {
    spans_[i] = spans[i];
    spans_size_ += spans[i].len;
  }
  span_count_ = n;
  work_soon();
  return 0;
}

int soft_stream_block::end_output() {
  ending_ = true;
  if (!keeps_output()) finish_output();
  return 0;
}

void soft_stream_block::push_kept() {
  push_blocks();
  if (!first_) push_spans();
  if (keeps_output() || !ending_ || closing()) return;
  ending_ = false;
  finish_output();
}

void soft_stream_block::push_blocks() {
  while (output_block* block = first_) {
    uv_buf_t buffer = buffer_of(*block);
    ssize_t n = write_now(&buffer, 1);
    if (n < 0) return fail_kept(static_cast<int>(n));
    if (n == 0) return;
    block_taken(*block, static_cast<std::size_t>(n));
    if (block->sent != block->length) continue;
    first_ = block->next;
    if (!first_) last_ = &first_;
    block_written(*block, 0);
  }
}

void soft_stream_block::push_spans() {
  while (span_count_ != 0) {
    ssize_t n = write_now(spans_, span_count_);
    if (n < 0) return fail_kept(static_cast<int>(n));
    if (n == 0) return;
    auto taken = static_cast<std::size_t>(n);
    spans_taken_ += taken;
    unsigned kept = 0;
    for (unsigned i = 0; i < span_count_; i++) {
      std::size_t gone = std::min<std::size_t>(taken, spans_[i].len);
      taken -= gone;
      spans_[i].base += gone;
      spans_[i].len -= gone;
      if (spans_[i].len != 0) spans_[kept++] = spans_[i];
    }
    span_count_ = kept;
    if (kept != 0) continue;
    spans_taken_ = 0;
    spans_written(spans_size_, 0);  // may bring further spans
  }
}

void soft_stream_block::fail_kept(int status) {
  if (failure_ == 0) failure_ = status;
  while (output_block* block = first_) {
    first_ = block->next;
    block_written(*block, status);
  }
  last_ = &first_;
  if (span_count_ == 0) return;
  span_count_ = 0;
  spans_taken_ = 0;
  spans_written(spans_size_, status);
}

}  // namespace cuvee::inline v0::detail
