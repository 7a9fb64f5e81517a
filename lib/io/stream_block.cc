// SPDX-License-Identifier: MIT
#include "stream_block.h"

#include "uv_error.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t small_buffer_bytes = 4096;
using large_buffers = big_blocks<stream_block::window_limit>;

// For what libuv calls: nothing may be thrown through it.
template <class Get>
char* memory_or_null(Get get) noexcept {
  try {
    return get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

stream_block::stream_block(loop_state& l, void (*at_turn_end)(turn_end&))
    : handle_block(l), turn_end(at_turn_end) {
  if (!l.read_slab) l.read_slab = std::make_unique<char[]>(window_limit);
}

stream_block::~stream_block() {
  drop_own();
  if (output_) output_blocks::put(reinterpret_cast<char*>(output_));
}

// ---- reading

void stream_block::drop_own() noexcept {
  if (!own_) return;
  if (own_capacity_ == small_buffer_bytes) frame_pool_put(own_, small_buffer_bytes);
  else large_buffers::put(own_);
  own_ = nullptr;
  own_capacity_ = 0;
}

// The window is empty: its buffer can go, and reading on.
void stream_block::emptied() {
  drop_own();
  if (!reading_ && (reader_ || !on_demand_)) arm();
}

void stream_block::keep_window() noexcept {
  bool small = window_size_ < small_buffer_bytes;
  char* room = memory_or_null([&] {
    return small ? static_cast<char*>(frame_pool_get(small_buffer_bytes)) : large_buffers::get();
  });
  if (!room) {  // the bytes are lost, and with them the stream
    turn t(home());
    window_size_ = 0;
    place_ = place::none;
    return fail_read(UV_ENOMEM);
  }
  std::memcpy(room, window_, window_size_);
  drop_own();
  own_ = window_ = room;
  own_capacity_ = small ? small_buffer_bytes : window_limit;
  place_ = place::own;
  if (window_size_ == window_limit) disarm();
}

// Bytes behind an unconsumed window are read into the tail of the block's own buffer.
// Returns: whether there is room.
bool stream_block::make_room() noexcept {
  if (window_ + window_size_ != own_ + own_capacity_) return true;
  if (window_ != own_) {
    std::memmove(own_, window_, window_size_);
  } else {
    char* room = memory_or_null(&large_buffers::get);
    if (!room) return false;
    std::memcpy(room, window_, window_size_);
    drop_own();
    own_ = room;
    own_capacity_ = window_limit;
  }
  window_ = own_;
  return true;
}

void stream_block::ended(int status) {
  if (status == UV_EOF) eof_ = true;
  else if (read_error_ == 0) read_error_ = status;
  disarm();
  wake_reader();
}

void stream_block::arm() {
  if (reading_ || finished()) return;
  reading_ = true;
  int e = start_reading();
  if (e >= 0) return;
  reading_ = false;
  fail_read(e);
}

void stream_block::disarm() noexcept {
  if (!reading_) return;
  pause_reading();
  reading_ = false;
}

void stream_block::fail_read(int status) {
  if (read_error_ == 0) read_error_ = status;
  disarm();
  wake_reader();
}

void stream_block::time_out() {
  timed_out_ = true;
  fail_read(UV_ETIMEDOUT);
}

void stream_block::resume_reading() noexcept {
  bool ours = read_error_ == UV_ECANCELED || (timed_out_ && read_error_ == UV_ETIMEDOUT);
  if (closing() || !ours) return;
  read_error_ = 0;
  timed_out_ = false;
}

// ---- closing

void stream_block::break_off() {
  if (write_error_ == 0) write_error_ = UV_ECANCELED;
  if (read_error_ == 0) read_error_ = UV_ECANCELED;
  close();
}

void stream_block::on_closing() {
  flush();
  reading_ = false;
  wake_reader();
}

void stream_block::on_closed() {
  if (waiter* w = std::exchange(drain_waiter_, nullptr)) w->complete();
  while (close_awaiter* a = closers_.pop_front()) a->waiter_->complete();
}

int stream_block::start_shutdown(waiter& w) {
  flush();
  shut_ = true;
  shutdown_waiter_ = &w;
  int e = end_output();
  if (e == 0) return 0;
  shutdown_waiter_ = nullptr;
  if (e != UV_ENOTCONN) break_off();  // the peer must not wait for an end that does not come
  return e;
}

void stream_block::shutdown_done() {
  if (waiter* waiting = std::exchange(shutdown_waiter_, nullptr)) waiting->complete();
}

std::string stream_block::name() {
  if (!name_.empty()) return name_;
  try {
    return peer().to_string();
  } catch (const cuvee::error&) {
    return "tcp peer";
  }
}

error stream_block::error_of(int status, std::string_view operation) {
  if (status == UV_EBUSY) return error(errc::busy, operation, name());
  if (status == UV_ECANCELED) return error(errc::closed, operation, name());
  return failure(status, operation, name());
}

error stream_block::failure(int status, std::string_view operation,
                            std::string_view subject) const {
  return uv_error(status, operation, subject);
}

std::string stream_block::label() {
  if (!name_.empty()) return name_;
  try {
    return "tcp " + peer().to_string();
  } catch (const cuvee::error&) {
    return "tcp";
  }
}

endpoint stream_block::peer() const { throw uv_error(UV_ENOTCONN, "peer address", "stream"); }
endpoint stream_block::local() const { throw uv_error(UV_ENOTCONN, "local address", "stream"); }

}  // namespace cuvee::inline v0::detail
