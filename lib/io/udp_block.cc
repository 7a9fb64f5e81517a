// SPDX-License-Identifier: MIT
#include "udp_block.h"

#include "uv_error.h"

#include <memory>

namespace cuvee::inline v0::detail {

udp_block* udp_block::make(loop_state& l, descriptor fd, identity who) {
  std::unique_ptr<udp_block> b(new udp_block(l, std::move(fd), std::move(who)));
  int e = uv::poll_init_socket(l.uv, &b->handle_, b->fd());
  if (e < 0) throw uv_error(e, "make a udp socket", b->name());
  b->opened(uv::as_handle(&b->handle_));
  return b.release();
}

// ---- receiving

void udp_block::count_read(std::size_t datagrams, std::size_t bytes) noexcept {
  home().reads += datagrams;
  home().read_bytes += bytes;
}

int udp_block::take(udp_reader& r, mutable_bytes into) noexcept {
  ssize_t n = sys::receive_datagram(fd(), into, r.got_);
  if (n < 0) [[unlikely]]
    return blame_peer(r, static_cast<int>(n));
  count_read(1, static_cast<std::size_t>(n));
  return 0;
}

int udp_block::take(udp_reader& r, batch_memory& into) noexcept {
  into.filled = 0;
  int n = sys::receive_datagrams(fd(), into);
  if (n < 0) return blame_peer(r, n);
  auto came = static_cast<std::size_t>(n);
  into.show(came);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < came; i++) bytes += into.views[i].data.size();
  count_read(came, bytes);
  return 0;
}

// Nothing was received. What the kernel keeps for us says more than its status, which a send may
// also have got; and it must be fetched, or the socket would stay ready for ever.
int udp_block::blame_peer(udp_reader& r, int status) noexcept {
  if (!who_.keeps_peer_errors) return status;
  int found = sys::next_peer_error(fd(), r.got_.from);
  r.about_sender_ = found != 0;
  return found != 0 ? found : status;
}

// Only senders wait: nobody could be told, and what is kept would make the socket ready for ever.
void udp_block::forget_peer_errors() noexcept {
  endpoint about;
  while (who_.keeps_peer_errors && sys::next_peer_error(fd(), about) != 0) {
  }
}

int udp_block::start_reader(udp_reader& r) noexcept {
  int e = poll_also(UV_READABLE);
  if (e == 0) reader_ = &r;
  return e;
}

void udp_block::serve_reader() {
  int status = reader_->take_(*reader_);
  if (status == UV_EAGAIN) return;
  udp_reader& served = *std::exchange(reader_, nullptr);
  served.status_ = status;
  served.waiter_->complete();
}

// ---- sending

int udp_block::send(const_bytes data, const endpoint* to) noexcept {
  if (closing()) return UV_ECANCELED;
  // Linux would send it, and its answer would not be received.
  if (to && who_.peer && *to != *who_.peer) return UV_EISCONN;
  const endpoint* address = who_.peer ? nullptr : to;
  ssize_t n = sys::send_datagram(fd(), data, address);
  // The error of an earlier datagram, which receiving will tell of.
  if (n < 0 && n != UV_EAGAIN && who_.keeps_peer_errors)
    n = sys::send_datagram(fd(), data, address);
  if (n < 0) return static_cast<int>(n);
  home().writes++;
  home().written_bytes += static_cast<std::size_t>(n);
  return 0;
}

int udp_block::start_sender(udp_send_awaiter& a) noexcept {
  int e = poll_also(UV_WRITABLE);
  if (e == 0) line_.push_back(a);
  return e;
}

void udp_block::serve_line() {
  constexpr int most = 64;  // then others get a turn
  for (int served = 0; served < most; served++) {
    udp_send_awaiter* a = line_.front();
    int status = a ? send(a->data_, a->to()) : static_cast<int>(UV_EAGAIN);
    if (status == UV_EAGAIN) return;
    static_cast<list_node*>(a)->unlink();
    a->status_ = status;
    a->waiter_->complete();
  }
}

// ---- polling

int udp_block::poll_also(int events) noexcept {
  bool enough = (polled_ & events) == events;
  return enough ? 0 : poll_for(polled_ | events);
}

int udp_block::poll_for(int events) noexcept {
  if (events == polled_) return 0;
  int e = 0;
  if (events == 0) uv_poll_stop(&handle_);
  else e = uv::poll_start(&handle_, events, &on_event);
  if (e == 0) polled_ = events;
  return e;
}

void udp_block::on_event(uv_poll_t* h, int status, int events) {
  udp_block& self = of<udp_block>(h);
  turn t(self.home());
  if (status < 0) {
    // Of ICMP: libuv says EBADF and polls no more, the next call gets the true error. Stopped
    // properly, as libuv leaves the descriptor in its epoll set.
    self.poll_for(0);
    events = UV_READABLE | UV_WRITABLE;
    if (!self.reader_) self.forget_peer_errors();
  }
  int idle = 0;
  // Who was served a moment ago will soon ask again: polling stops only if that did not happen.
  if (!self.reader_) idle = events & UV_READABLE;
  else if (events & UV_READABLE) self.serve_reader();
  if (events & UV_WRITABLE) self.serve_line();
  // A socket that can be written to is ready at once, again and again.
  if (self.line_.empty()) idle |= UV_WRITABLE;
  int wanted = (self.reader_ ? UV_READABLE : 0) | (self.line_.empty() ? 0 : UV_WRITABLE);
  int e = self.poll_for((self.polled_ & ~idle) | wanted);
  if (e < 0) self.fail_waiting(e);
}

void udp_block::fail_waiting(int status) {
  if (udp_reader* r = std::exchange(reader_, nullptr)) {
    r->status_ = status;
    r->waiter_->complete();
  }
  while (udp_send_awaiter* a = line_.pop_front()) {
    a->status_ = status;
    a->waiter_->complete();
  }
}

void udp_block::on_closing() {
  poll_for(0);
  descriptor closed = std::move(fd_);  // at once: its port is free
  fail_waiting(UV_ECANCELED);
}

error udp_block::failure(int status, std::string_view operation, std::string_view subject) const {
  if (status == UV_ECANCELED) return error(errc::closed, operation, subject);
  if (status == UV_EBUSY) return error(errc::busy, operation, subject);
  if (status == UV_EISCONN)
    return error(uv_code(status), operation, subject,
                 "the socket is connected to " + who_.peer->to_string());
  return uv_error(status, operation, subject);
}

}  // namespace cuvee::inline v0::detail
