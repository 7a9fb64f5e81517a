// SPDX-License-Identifier: MIT
// The writing half of stream_block.
#include "stream_block.h"

#include <sys/ioctl.h>

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

void stream_block::end_of_turn(turn_end& e) {
  auto& b = static_cast<stream_block&>(e);
  b.flush();
  b.free_if_unused();
}

// Returns: bytes that the socket took at once.
std::size_t stream_block::write_some(const uv_buf_t* buffers, unsigned n, int& status) {
  // Once something is in flight, writing directly would overtake it.
  if (in_flight_ != 0) return 0;
  int written = uv::try_write(stream(), buffers, n);
  if (written >= 0) [[likely]] {
    home().writes++;
    home().written_bytes += static_cast<std::uint64_t>(written);
    return static_cast<std::size_t>(written);
  }
  if (written != UV_EAGAIN) status = written;
  return 0;
}

// What is left of a block. Field by field, as uv_buf_init is a call.
uv_buf_t stream_block::buffer_of(output_block& b) noexcept {
  uv_buf_t buffer;
  buffer.base = b.data + b.sent;
  buffer.len = b.length - b.sent;
  return buffer;
}

void stream_block::flush() {
  output_block* block = std::exchange(output_, nullptr);
  if (!block) return;
  int status = closing() ? static_cast<int>(UV_ECANCELED) : write_error_;
  uv_buf_t buffer = buffer_of(*block);
  std::size_t n = status == 0 ? write_some(&buffer, 1, status) : 0;
  if (n == block->length || status != 0) [[likely]] {
    output_blocks::put(reinterpret_cast<char*>(block));
    if (status != 0) wrote(0, status);
    return;
  }
  block->sent = static_cast<std::uint32_t>(n);
  queue_output(block);
}

void stream_block::queue_output(output_block* block) {
  std::size_t left = block->length - block->sent;
  uv_buf_t buffer = buffer_of(*block);
  in_flight_ += left;
  int e = uv::write(&block->request, stream(), &buffer, 1, [](uv_write_t* r, int status) {
    auto* done = reinterpret_cast<output_block*>(r);
    stream_block& b = *done->stream;
    std::size_t size = done->length - done->sent;
    output_blocks::put(reinterpret_cast<char*>(done));
    turn t(b.home());
    b.wrote(size, status);
  });
  if (e == 0) return;
  output_blocks::put(reinterpret_cast<char*>(block));
  wrote(left, e);
}

void stream_block::wrote(std::size_t n, int status) {
  in_flight_ -= n;
  if (status == 0) {
    home().writes++;
    home().written_bytes += n;
  }
  if (status < 0 && write_error_ == 0) write_error_ = status;
  if (drain_waiter_ && drained(drain_limit_)) std::exchange(drain_waiter_, nullptr)->complete();
}

std::size_t stream_block::unsent() const noexcept {
  std::size_t queued = uv_stream_get_write_queue_size(&native_.stream);
  int in_kernel = 0;
  uv_os_fd_t fd;
  // The kernel's buffers hold megabytes: our own queue may stand still while the peer reads.
  bool known = uv::fileno(reinterpret_cast<const uv_handle_t*>(&native_.stream), &fd) == 0 &&
               ioctl(fd, TIOCOUTQ, &in_kernel) == 0;
  return queued + (known ? static_cast<std::size_t>(in_kernel) : 0);
}

void stream_block::await_drained(waiter& w, std::size_t limit) noexcept {
  drain_waiter_ = &w;
  drain_limit_ = limit;
}

bool stream_block::try_write(stream_writer& w) {
  w.status = closing() ? static_cast<int>(UV_ECANCELED) : write_error_;
  if (w.status != 0) return true;
  output_block* block = std::exchange(output_, nullptr);
  if (!block && w.done()) return true;
  uv_buf_t buffers[1 + stream_writer::most_spans];
  unsigned filled = 0;
  if (block) buffers[filled++] = buffer_of(*block);
  filled += list_buffers(w, buffers + filled, stream_writer::most_spans);
  std::size_t n = write_some(buffers, filled, w.status);
  if (block) {
    std::size_t of_block = std::min<std::size_t>(n, block->length);
    block->sent = static_cast<std::uint32_t>(of_block);
    n -= of_block;
    if (of_block == block->length || w.status != 0)
      output_blocks::put(reinterpret_cast<char*>(block));
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
  w.status = closing() ? static_cast<int>(UV_ECANCELED) : write_error_;
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
  write_request_.data = reinterpret_cast<void*>(size);
  w.status = uv::write(&write_request_, stream(), buffers, n, [](uv_write_t* r, int status) {
    stream_block& b = of<stream_block>(r->handle);
    auto written = reinterpret_cast<std::size_t>(r->data);
    turn t(b.home());
    stream_writer& done = *b.writer_;
    done.status = status;
    if (status == 0) done.advance(written);
    b.wrote(written, status);
    if (status == 0 && !done.done()) {
      b.submit(done);
      if (done.status == 0) return;
    }
    b.writer_ = nullptr;
    done.waiter_->complete();
  });
  if (w.status != 0) wrote(size, w.status);
}

}  // namespace cuvee::inline v0::detail
