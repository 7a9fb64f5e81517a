// SPDX-License-Identifier: MIT
#include "uv_stream_block.h"

#include "shared_descriptor.h"
#include "uv_error.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

uv_stream_block& block_of(uv_stream_t* s) { return handle_block::of<uv_stream_block>(s); }

void check(int status, const char* what) {
  if (status < 0) throw uv_error(status, what);
}

}  // namespace

uv_stream_block* uv_stream_block::make_tcp(loop_state& l) {
  auto block = std::make_unique<uv_stream_block>(l);
  check(uv::tcp_init(l.uv, block->tcp()), "make a socket");
  block->opened(uv::as_handle(block->tcp()));
  return block.release();
}

uv_stream_block* uv_stream_block::make_pipe(loop_state& l) { return open_pipe(l, 0); }
uv_stream_block* uv_stream_block::make_passing_pipe(loop_state& l) { return open_pipe(l, 1); }

uv_stream_block* uv_stream_block::open_pipe(loop_state& l, int passing) {
  auto block = std::make_unique<uv_stream_block>(l);
  check(uv::pipe_init(l.uv, block->pipe(), passing), "make a pipe");
  block->opened(uv::as_handle(block->pipe()));
  return block.release();
}

// ---- reading

void uv_stream_block::on_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer) {
  uv_stream_block& b = of<uv_stream_block>(h);
  *buffer = b.where_to_read(b.home().read_slab.get());  // empty: on_read sees ENOBUFS
}

// libuv takes a hang-up after a short read for the end. A terminal gives what it holds in pieces, so no read
// may be short: each asks for what is there.
void uv_stream_block::on_terminal_alloc(uv_handle_t* h, std::size_t size, uv_buf_t* buffer) {
  on_alloc(h, size, buffer);
  int there = 0;
  if (ioctl(of<uv_stream_block>(h).descriptor(), FIONREAD, &there) != 0 || there < 1) there = 1;
  buffer->len = std::min(buffer->len, static_cast<std::size_t>(there));
}

void uv_stream_block::on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer) {
  uv_stream_block& b = block_of(s);
  if (n > 0) [[likely]] {
    b.home().reads++;
    b.home().read_bytes += static_cast<std::uint64_t>(n);
    b.arrived(static_cast<std::size_t>(n), *buffer);
  } else if (n < 0) {
    turn t(b.home());
    bool end = n == UV_EOF || (n == UV_EIO && b.hung_up());
    int status = end ? b.end_status() : static_cast<int>(n);
    b.ended(status == UV_ENOBUFS ? static_cast<int>(UV_ENOMEM) : status);
  }
}

// Without a buffer libuv does not read.
void uv_stream_block::on_wanted_alloc(uv_handle_t* h, std::size_t size, uv_buf_t* buffer) {
  uv_stream_block& b = of<uv_stream_block>(h);
  *buffer = uv_buf_init(nullptr, 0);
  if (!b.has_reader()) return;
  if (b.terminal_) on_terminal_alloc(h, size, buffer);
  else on_alloc(h, size, buffer);
}

void uv_stream_block::on_wanted_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer) {
  uv_stream_block& b = block_of(s);
  if (n != UV_ENOBUFS || b.has_reader()) on_read(s, n, buffer);
  if (!b.closing() && !b.has_reader()) b.disarm();
}

// The last one that had the other side of a pseudo terminal open has closed it. (Who reads from a terminal that
// is another group's, and cannot be stopped for it, gets the same error.)
bool uv_stream_block::hung_up() const noexcept {
  return terminal_ && !(on_demand() && in_background(descriptor()));
}

// libuv takes a hang-up after a short read for the end and asks no more: it may be a reset.
int uv_stream_block::end_status() const noexcept {
  int fd = native_.stream.type == UV_TCP ? descriptor() : -1;
  if (fd < 0) return UV_EOF;
  char byte;
  bool reset = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == ECONNRESET;
  return reset ? UV_ECONNRESET : UV_EOF;
}

int uv_stream_block::start_reading() {
  if (on_demand()) return uv::read_start(stream(), &on_wanted_alloc, &on_wanted_read);
  return uv::read_start(stream(), terminal_ ? &on_terminal_alloc : &on_alloc, &on_read);
}

// ---- writing

[[gnu::always_inline]] inline ssize_t uv_stream_block::write_now(const uv_buf_t* buffers,
                                                                 unsigned n) {
  int written = uv::try_write(stream(), buffers, n);
  if (written < 0) [[unlikely]]
    return written == UV_EAGAIN ? 0 : written;
  count_written(static_cast<std::size_t>(written));
  return written;
}

void uv_stream_block::flush() { flush_to(*this); }

void uv_stream_block::end_of_turn(turn_end& e) {
  auto& b = static_cast<uv_stream_block&>(e);
  b.flush();
  b.turn_ended();
}

int uv_stream_block::watch_output() {
  int e = uv::watch(home().uv, native_.stream.io_watcher);
  if (e == 0) return 0;
  refuse_output(e);
  close();  // nothing else takes a write back from libuv, which would abort
  return e;
}

int uv_stream_block::write_later(output_block& block) {
  uv_buf_t buffer = buffer_of(block);
  int e = uv::write(&block.request, stream(), &buffer, 1, [](uv_write_t* r, int status) {
    auto& done = *reinterpret_cast<output_block*>(r);
    auto& b = static_cast<uv_stream_block&>(*done.stream);
    turn t(b.home());
    if (status == 0) b.count_written(done.length - done.sent);
    b.block_written(done, b.outcome(status));
  });
  if (e == 0) watch_output();
  return e;
}

int uv_stream_block::write_later(const uv_buf_t* spans, unsigned n) {
  std::size_t size = 0;
  for (unsigned i = 0; i < n; i++) size += spans[i].len;
  write_request_.data = reinterpret_cast<void*>(size);
  int e = uv::write(&write_request_, stream(), spans, n, [](uv_write_t* r, int status) {
    uv_stream_block& b = block_of(r->handle);
    auto size = reinterpret_cast<std::size_t>(r->data);
    turn t(b.home());
    if (status == 0) b.count_written(size);
    b.spans_written(size, b.outcome(status));
  });
  if (e == 0) watch_output();
  return e;
}

int uv_stream_block::end_output() {
  int e = uv::shutdown(&shutdown_request_, stream(), [](uv_shutdown_t* r, int status) {
    uv_stream_block& b = block_of(r->handle);
    turn t(b.home());
    // Half of a pipe that is no socket is all of it.
    if (status == UV_ENOTSOCK) b.close();
    b.shutdown_done();
  });
  return e == 0 ? watch_output() : e;
}

std::size_t uv_stream_block::unsent() const noexcept {
  std::size_t queued = uv_stream_get_write_queue_size(&native_.stream);
  int in_kernel = 0;
  int fd = descriptor();
  // The kernel's buffers hold megabytes: our own queue may stand still while the peer reads.
  bool known = fd >= 0 && ioctl(fd, TIOCOUTQ, &in_kernel) == 0;
  return queued + (known ? static_cast<std::size_t>(in_kernel) : 0);
}

// ---- the rest

void uv_stream_block::abort() {
  if (native_.stream.type != UV_TCP) return close();
  start_close([](uv_handle_t* h, uv_close_cb done) {
    // Refused after a half close.
    if (uv::tcp_close_reset(reinterpret_cast<uv_tcp_t*>(h), done) != 0) uv_close(h, done);
  });
}

uv_stream_block* uv_stream_block::take_passed() {
  if (closing() || type() != UV_NAMED_PIPE || uv_pipe_pending_count(pipe()) == 0) return nullptr;
  uv_handle_type kind = uv_pipe_pending_type(pipe());
  // A pipe takes any descriptor from libuv, also one that is only to be closed.
  uv_stream_block* taken = kind == UV_TCP ? make_tcp(home()) : make_pipe(home());
  int e = uv::accept(stream(), taken->stream());
  if (!wants_bytes() && uv::read_start(stream(), &on_alloc, &on_read) == 0)
    uv_read_stop(stream());  // libuv polls after an accept, even if nobody reads: for ever
  if (e == 0 && kind != UV_TCP && kind != UV_NAMED_PIPE) e = UV_ENOTSUP;
  if (e == 0) return taken;
  taken->disown();
  throw uv_error(e, "take a descriptor", name());
}

int uv_stream_block::descriptor() const noexcept {
  uv_os_fd_t fd;
  bool known = uv::fileno(reinterpret_cast<const uv_handle_t*>(&native_.stream), &fd) == 0;
  return known ? fd : -1;
}

void uv_stream_block::remember_peer() noexcept {
  sockaddr_storage storage{};
  int size = sizeof storage;
  int e = uv::tcp_getpeername(&native_.tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  if (e == 0) peer_ = endpoint(reinterpret_cast<sockaddr&>(storage));
}

endpoint uv_stream_block::peer() const {
  if (peer_.port() != 0) return peer_;
  sockaddr_storage storage{};
  int size = sizeof storage;
  int e = closing() || native_.stream.type != UV_TCP
              ? static_cast<int>(UV_ENOTCONN)
              : uv::tcp_getpeername(&native_.tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  if (e < 0) throw uv_error(e, "peer address", "tcp stream");
  return endpoint(reinterpret_cast<sockaddr&>(storage));
}

endpoint uv_stream_block::local() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  int e = closing() || native_.stream.type != UV_TCP
              ? static_cast<int>(UV_ENOTCONN)
              : uv::tcp_getsockname(&native_.tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  if (e < 0) throw uv_error(e, "local address", "tcp stream");
  return endpoint(reinterpret_cast<sockaddr&>(storage));
}

}  // namespace cuvee::inline v0::detail
