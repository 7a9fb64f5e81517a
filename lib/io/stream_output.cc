// SPDX-License-Identifier: MIT
// The writing half of stream_block.
#include "stream_block.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t largest_span = std::size_t{1} << 30;  // libuv counts a buffer in 32 bits

// Up to `room` libuv buffers of the spans; a huge span ends the list, its rest comes later.
unsigned list_buffers(const stream_writer& w, uv_buf_t* out, unsigned room) {
  unsigned n = 0;
  for (std::size_t i = 0; i < w.count && n < room; i++) {
    std::size_t size = std::min(w.spans[i].size(), largest_span);
    out[n++] = uv_buf_init(const_cast<char*>(w.spans[i].data()), static_cast<unsigned>(size));
    if (size != w.spans[i].size()) break;
  }
  return n;
}

}  // namespace

void stream_writer::advance(std::size_t written) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; i++) {
    std::size_t gone = std::min(written, spans[i].size());
    written -= gone;
    const_bytes rest(spans[i].data() + gone, spans[i].size() - gone);
    if (!rest.empty()) spans[kept++] = rest;
  }
  count = kept;
}

char* stream_block::reserve(std::size_t n) {
  if (output_ && output_->length + n > output_block::capacity) flush();
  if (!output_) {
    output_ = reinterpret_cast<output_block*>(output_blocks::get());
    output_->stream = this;
    output_->length = output_->sent = 0;
    home().at_turn_end(*this);
  }
  return output_->data + output_->length;
}

void stream_block::append(std::string_view bytes) {
  constexpr std::size_t piece = 4096;
  while (!bytes.empty()) {
    std::size_t n = std::min(bytes.size(), piece);
    std::memcpy(reserve(n), bytes.data(), n);
    commit(n);
    bytes.remove_prefix(n);
  }
}

void stream_block::queue_output(output_block* block) {
  std::size_t left = block->length - block->sent;
  in_flight_ += left;
  int e = write_later(*block);
  if (e == 0) return;
  free_block(*block);
  wrote(left, e);
}

void stream_block::block_written(output_block& block, int status) {
  std::size_t size = block.length - block.sent;
  free_block(block);
  wrote(size, status);
}

void stream_block::wrote(std::size_t n, int status) {
  in_flight_ -= n;
  if (status < 0 && write_error_ == 0) write_error_ = status;
  if (drain_waiter_ && drained(drain_limit_)) std::exchange(drain_waiter_, nullptr)->complete();
}

void stream_block::await_drained(waiter& w, std::size_t limit) noexcept {
  drain_waiter_ = &w;
  drain_limit_ = limit;
}

bool stream_block::try_write(stream_writer& w) {
  w.status = closing() ? close_status() : write_error_;
  if (w.status != 0) return true;
  output_block* block = std::exchange(output_, nullptr);
  if (!block && w.done()) return true;
  uv_buf_t buffers[1 + stream_writer::most_spans];
  unsigned filled = 0;
  if (block) buffers[filled++] = buffer_of(*block);
  filled += list_buffers(w, buffers + filled, stream_writer::most_spans);
  // Once something is in flight, writing directly would overtake it.
  ssize_t taken = in_flight_ == 0 ? write_now(buffers, filled) : 0;
  if (taken < 0) w.status = static_cast<int>(taken);
  std::size_t n = taken < 0 ? 0 : static_cast<std::size_t>(taken);
  if (block) {
    std::size_t of_block = std::min<std::size_t>(n, block->length);
    block->sent = static_cast<std::uint32_t>(of_block);
    n -= of_block;
    if (of_block == block->length || w.status != 0) free_block(*block);
    else queue_output(block);
  }
  if (w.status != 0) {
    wrote(0, w.status);
    return true;
  }
  w.advance(n);
  return w.done();
}

bool stream_block::start_write(stream_writer& w) {
  w.status = closing() ? close_status() : write_error_;
  if (w.status != 0) return false;
  writer_ = &w;
  submit(w);
  if (w.status != 0) writer_ = nullptr;
  return w.status == 0;
}

void stream_block::submit(stream_writer& w) {
  uv_buf_t buffers[stream_writer::most_spans];
  unsigned n = list_buffers(w, buffers, stream_writer::most_spans);
  std::size_t size = 0;
  for (unsigned i = 0; i < n; i++) size += buffers[i].len;
  in_flight_ += size;
  w.status = write_later(buffers, n);
  if (w.status != 0) wrote(size, w.status);
}

void stream_block::spans_written(std::size_t n, int status) {
  stream_writer& done = *writer_;
  done.status = status;
  if (status == 0) done.advance(n);
  wrote(n, status);
  if (status == 0 && !done.done()) {
    submit(done);
    if (done.status == 0) return;
  }
  writer_ = nullptr;
  done.waiter_->complete();
}

}  // namespace cuvee::inline v0::detail
