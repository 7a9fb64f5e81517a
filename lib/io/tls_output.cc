// SPDX-License-Identifier: MIT
// The writing half of tls_block.
#include "tls_block.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t shared_record_bytes = 4096;  // small neighbours up to that share a record

std::size_t total(const const_bytes* spans, std::size_t n) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < n; i++) size += spans[i].size();
  return size;
}

void skip(const_bytes* spans, std::size_t n, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < n && bytes != 0; i++) {
    const std::size_t gone = std::min(bytes, spans[i].size());
    spans[i] = const_bytes(spans[i].data() + gone, spans[i].size() - gone);
    bytes -= gone;
  }
}

}  // namespace

void tls_block::block_list::push(output_block& b) noexcept {
  b.next = nullptr;
  (last ? last->next : first) = &b;
  last = &b;
}

stream_block::output_block* tls_block::block_list::pop() noexcept {
  output_block* b = first;
  first = b->next;
  if (!first) last = nullptr;
  return b;
}

int tls_block::output_error() const noexcept {
  if (engine_.failed()) return status_of_engine;
  return wire_error_;
}

// ---- ciphertext

void tls_block::send() {
  while (sending_ == 0 && wire_error_ == 0 && !engine_.output().empty()) {
    stream_writer& w = writer_;
    w.status = 0;
    w.count = engine_.output().spans(w.spans, stream_writer::most_spans);
    const std::size_t size = total(w.spans, w.count);
    const bool done = inner().try_write(w);
    if (done && w.status == 0) {
      engine_.output().sent(size);
    } else if (!done) {
      const std::size_t left = total(w.spans, w.count);
      engine_.output().sent(size - left);
      if (inner().start_write(w)) sending_ = left;
    }
    if (w.status != 0) wire_error_ = w.status;
  }
}

void tls_block::sent() {
  const std::size_t size = std::exchange(sending_, 0);
  if (writer_.status != 0) wire_error_ = writer_.status;
  else engine_.output().sent(size);
  push_output();
  if (phase_ == phase::closing) discard();
}

// Takes what there is room for. Returns: how many bytes; the spans are shortened by them.
std::size_t tls_block::encrypt(const_bytes* spans, std::size_t n) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < n;) {
    std::size_t end = i, size = 0;
    while (end < n && size + spans[end].size() <= shared_record_bytes) size += spans[end++].size();
    if (end > i + 1) {
      if (!engine_.output().has_room()) return taken;
      char together[shared_record_bytes];
      char* to = together;
      for (; i < end; i++) {
        to = std::copy_n(spans[i].data(), spans[i].size(), to);
        spans[i] = {};
      }
      engine_.write_all(const_bytes(together, size));
      taken += size;
    } else {
      const std::size_t before = spans[i].size();
      engine_.write(spans[i]);
      taken += before - spans[i].size();
      if (!spans[i++].empty()) return taken;
    }
  }
  return taken;
}

// ---- what stream_block hands over

ssize_t tls_block::write_now(const uv_buf_t* buffers, unsigned n) {
  if (half_close_ != half_close::none) return UV_EPIPE;
  constexpr std::size_t most = stream_writer::most_spans + 1;
  const_bytes spans[most];
  for (unsigned i = 0; i < n; i++) spans[i] = const_bytes(buffers[i].base, buffers[i].len);
  ssize_t taken = 0;
  std::size_t left = total(spans, n);
  while (left != 0 && output_error() == 0 && engine_.output().empty()) {
    const std::size_t now = encrypt(spans, n);
    left -= now;
    send();
    // What is not out yet is not taken, but must not be encrypted again.
    if (engine_.output().empty()) taken += static_cast<ssize_t>(now);
    else ahead_ = now;
  }
  return output_error() != 0 ? output_error() : taken;
}

int tls_block::write_later(output_block& block) {
  if (half_close_ != half_close::none) return UV_EPIPE;
  if (output_error() != 0) return output_error();
  (spans_count_ != 0 ? blocks_behind_ : blocks_).push(block);
  home().at_turn_end(*this);
  return 0;
}

int tls_block::write_later(const uv_buf_t* spans, unsigned n) {
  if (half_close_ != half_close::none) return UV_EPIPE;
  if (output_error() != 0) return output_error();
  for (unsigned i = 0; i < n; i++) spans_[i] = const_bytes(spans[i].base, spans[i].len);
  spans_count_ = n;
  spans_bytes_ = total(spans_, n);
  home().at_turn_end(*this);
  return 0;
}

int tls_block::end_output() {
  if (output_error() != 0) return output_error();
  try {
    start_timer(home(), *this, engine_.shared().shutdown_timeout);
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
  half_close_ = half_close::wanted;
  home().at_turn_end(*this);
  return 0;
}

// ---- jobs

bool tls_block::has_jobs() const noexcept {
  return job_block_ || job_is_spans_ || blocks_.first || spans_count_ != 0;
}

// Returns: whether there is a job at hand.
bool tls_block::next_job() {
  if (job_block_ || job_is_spans_) return true;
  if (blocks_.first) {
    job_block_ = blocks_.pop();
    const uv_buf_t b = buffer_of(*job_block_);
    job_[0] = const_bytes(b.base, b.len);
    job_count_ = 1;
  } else if (spans_count_ != 0) {
    job_is_spans_ = true;
    std::copy_n(spans_, spans_count_, job_);
    job_count_ = spans_count_;
  } else {
    return false;
  }
  const std::size_t size = total(job_, job_count_);
  const std::size_t before = std::min(ahead_, size);
  skip(job_, job_count_, before);
  ahead_ -= before;
  return true;
}

// May hand over the next one.
void tls_block::job_done(int status) {
  if (output_block* b = std::exchange(job_block_, nullptr)) return block_written(*b, status);
  job_is_spans_ = false;
  spans_count_ = 0;
  std::swap(blocks_, blocks_behind_);
  spans_written(spans_bytes_, status);
}

void tls_block::fail_output(int status) {
  ahead_ = 0;
  while (next_job()) job_done(status);
}

void tls_block::push_output() {
  if (std::exchange(pushing_, true)) return;  // a job that is done may bring the next
  send();
  while (output_error() == 0 && engine_.output().empty() && next_job()) {
    if (total(job_, job_count_) == 0) {
      job_done(0);
      continue;
    }
    encrypt(job_, job_count_);
    send();
  }
  if (output_error() != 0) fail_output(output_error());
  pushing_ = false;
  push_half_close();
}

void tls_block::push_half_close() {
  if (half_close_ == half_close::none || half_close_ == half_close::done) return;
  if (half_close_ == half_close::wanted && !has_jobs()) {
    half_close_ = half_close::sent;
    engine_.end();
    send();
  }
  if (half_close_ != half_close::sent || (output_error() == 0 && !engine_.output().empty())) return;
  half_close_ = half_close::done;
  if (phase_ == phase::open) stop_timer(home(), *this);
  shutdown_done();
}

void tls_block::update_keys() {
  engine_.update_keys();
  send();
}

}  // namespace cuvee::inline v0::detail
