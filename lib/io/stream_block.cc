// SPDX-License-Identifier: MIT
#include "stream_block.h"

#include "uv_error.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#if CUVEE_ASAN
#include <sanitizer/asan_interface.h>
#define CUVEE_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define CUVEE_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define CUVEE_POISON(p, n) (void)0
#define CUVEE_UNPOISON(p, n) (void)0
#endif

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t small_buffer_bytes = 4096;
using large_buffers = big_blocks<stream_block::window_limit>;

stream_block& block_of(uv_stream_t* s) { return handle_block::of<stream_block>(s); }

// uv_buf_init is a call.
void set_buffer(uv_buf_t& b, char* base, std::size_t size) noexcept {
  b.base = base;
  b.len = size;
}

void check(int status, const char* what) {
  if (status < 0) throw uv_error(status, what);
}

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

stream_block::stream_block(loop_state& l) : handle_block(l), turn_end(&end_of_turn) {
  if (!l.read_slab) l.read_slab = std::make_unique<char[]>(window_limit);
}

stream_block::~stream_block() {
  drop_own();
  if (output_) output_blocks::put(reinterpret_cast<char*>(output_));
}

stream_block* stream_block::make_tcp(loop_state& l) {
  auto block = std::make_unique<stream_block>(l);
  check(uv::tcp_init(l.uv, block->tcp()), "make a socket");
  block->opened(uv::as_handle(block->tcp()));
  return block.release();
}

stream_block* stream_block::make_pipe(loop_state& l) {
  auto block = std::make_unique<stream_block>(l);
  check(uv::pipe_init(l.uv, block->pipe(), 0), "make a pipe");
  block->opened(uv::as_handle(block->pipe()));
  return block.release();
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
  if (!reading_) arm();
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

void stream_block::on_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer) {
  stream_block& b = of<stream_block>(h);
  if (b.window_size_ != 0) {
    if (!b.make_room()) return set_buffer(*buffer, nullptr, 0);  // on_read sees ENOBUFS
    char* tail = b.window_ + b.window_size_;
    set_buffer(*buffer, tail, static_cast<std::size_t>(b.own_ + b.own_capacity_ - tail));
  } else if (b.reader_ && !b.reader_->into.empty()) {
    std::size_t n = std::min<std::size_t>(b.reader_->into.size(), 1u << 30);
    set_buffer(*buffer, b.reader_->into.data(), n);
  } else {
    char* slab = b.home().read_slab.get();
    CUVEE_UNPOISON(slab, window_limit);
    set_buffer(*buffer, slab, window_limit);
  }
}

inline void stream_block::arrived(std::size_t n, const uv_buf_t& buffer) {
  home().reads++;
  home().read_bytes += n;
  {
    turn t(home());
    if (window_size_ != 0) {
      window_size_ += n;
      if (window_size_ == window_limit) disarm();
    } else if (reader_ && !reader_->ready && !reader_->into.empty()) {
      reader_->size = n;  // in place: no window
    } else {
      window_ = buffer.base;
      window_size_ = n;
      place_ = place::borrowed;
    }
    if (reader_ && (!reader_->ready || reader_->ready(*reader_))) wake_reader();
  }
  settle();
  char* slab = home().read_slab.get();
  if (buffer.base == slab) CUVEE_POISON(slab, window_limit);
}

void stream_block::on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer) {
  stream_block& b = block_of(s);
  if (n > 0) [[likely]] {
    b.arrived(static_cast<std::size_t>(n), *buffer);
  } else if (n < 0) {
    turn t(b.home());
    int status = n == UV_EOF ? b.end_status() : static_cast<int>(n);
    if (status == UV_ENOBUFS) status = UV_ENOMEM;
    if (status == UV_EOF) b.eof_ = true;
    else if (b.read_error_ == 0) b.read_error_ = status;
    b.disarm();
    b.wake_reader();
  }
}

// libuv takes a hang-up after a short read for the end and asks no more: it may be a reset.
int stream_block::end_status() const noexcept {
  uv_os_fd_t fd;
  if (native_.stream.type != UV_TCP) return UV_EOF;
  if (uv::fileno(reinterpret_cast<const uv_handle_t*>(&native_.stream), &fd) != 0) return UV_EOF;
  char byte;
  bool reset = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == ECONNRESET;
  return reset ? UV_ECONNRESET : UV_EOF;
}

void stream_block::arm() {
  if (reading_ || finished()) return;
  int e = uv::read_start(stream(), &on_alloc, &on_read);
  if (e < 0) fail_read(e);
  else reading_ = true;
}

void stream_block::disarm() noexcept {
  if (!reading_) return;
  uv_read_stop(stream());
  reading_ = false;
}

void stream_block::wake_reader() {
  if (stream_reader* r = std::exchange(reader_, nullptr)) r->waiter_->complete();
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

void stream_block::abort() {
  if (native_.stream.type != UV_TCP) return close();
  start_close([](uv_handle_t* h, uv_close_cb done) {
    // Refused after a half close.
    if (uv::tcp_close_reset(reinterpret_cast<uv_tcp_t*>(h), done) != 0) uv_close(h, done);
  });
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
  int e = uv::shutdown(&shutdown_request_, stream(), [](uv_shutdown_t* r, int status) {
    stream_block& b = block_of(r->handle);
    turn t(b.home());
    // Half of a pipe that is no socket is all of it.
    if (status == UV_ENOTSOCK) b.close();
    if (waiter* waiting = std::exchange(b.shutdown_waiter_, nullptr)) waiting->complete();
  });
  if (e == 0) return 0;
  shutdown_waiter_ = nullptr;
  if (e != UV_ENOTCONN) break_off();  // the peer must not wait for an end that does not come
  return e;
}

std::string stream_block::name() {
  if (!name_.empty()) return name_;
  try {
    return peer().to_string();
  } catch (const cuvee::error&) {
    return "tcp peer";
  }
}

std::string stream_block::label() {
  if (!name_.empty()) return name_;
  try {
    return "tcp " + peer().to_string();
  } catch (const cuvee::error&) {
    return "tcp";
  }
}

endpoint stream_block::peer() {
  sockaddr_storage storage{};
  int size = sizeof storage;
  int e = closing() ? static_cast<int>(UV_ENOTCONN)
                    : uv::tcp_getpeername(tcp(), reinterpret_cast<sockaddr*>(&storage), &size);
  if (e < 0) throw uv_error(e, "peer address", "tcp stream");
  return endpoint(reinterpret_cast<sockaddr&>(storage));
}

}  // namespace cuvee::inline v0::detail
