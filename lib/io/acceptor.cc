// SPDX-License-Identifier: MIT
#include "acceptor.h"

#include "uv_error.h"

#include <cerrno>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

constexpr duration pause_length = std::chrono::milliseconds(100);
constexpr std::uint64_t report_again_ns = 60'000'000'000;

// Of a connection that ended before it was accepted, or that a firewall refused.
bool concerns_one_connection(int status) noexcept {
  switch (-status) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
#if defined(ENONET)
    case ENONET:
#endif
      return true;
    default: return false;
  }
}

bool passes(int status) noexcept {
  return status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOBUFS || status == UV_ENOMEM;
}

}  // namespace

acceptor* acceptor::make(loop_state& l, descriptor fd, block_maker maker, std::string name) {
  std::unique_ptr<acceptor> a(new acceptor(l, std::move(fd), maker, std::move(name)));
  int e = uv::poll_init_socket(l.uv, &a->handle_, a->fd());
  if (e < 0) throw uv_error(e, "listen", a->name_);
  a->opened(uv::as_handle(&a->handle_));
  return a.release();
}

void acceptor::add(acceptor& more) noexcept {
  acceptor* last = this;
  while (last->next_) last = last->next_;
  last->next_ = &more;
  more.head_ = this;
}

void acceptor::close_all() {
  for (acceptor* a = this; a; a = a->next_) a->close();
}

void acceptor::disown_all() {
  for (acceptor* a = this; a;) std::exchange(a, a->next_)->disown();
}

// ---- taking connections

bool acceptor::take(accept_node& a) noexcept {
  for (acceptor* s = this; s; s = s->next_)
    if (s->more_ && s->take_own(a)) return true;
  return false;
}

// Returns: whether `a` has its connection or its error.
bool acceptor::take_own(accept_node& a) noexcept {
  constexpr int most_skipped = 64;  // then others get a turn
  for (int skipped = 0; !accepted_ && skipped < most_skipped; skipped++) {
    sockaddr_storage from;
    int fd = sys::accept(fd_.get(), from);
    if (fd >= 0) {
      accepted_ = descriptor(fd);
      if (from.ss_family != AF_UNIX) accepted_from_ = endpoint(reinterpret_cast<sockaddr&>(from));
    } else if (!concerns_one_connection(fd)) {
      more_ = false;
      if (fd == -EAGAIN || fd == -EWOULDBLOCK) return false;
      if (passes(fd)) return pause(fd), false;
      a.status_ = fd;
      return true;
    }
  }
  if (!accepted_) return false;
  int e = adopt(a);
  if (e == 0) return true;
  more_ = false;
  pause(e);
  return false;
}

int acceptor::adopt(accept_node& a) noexcept {
  uv_stream_block* block = nullptr;
  try {
    block = maker_(home());
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  } catch (const error& e) {
    return -e.code().value();
  }
  int e = block->type() == UV_TCP ? uv::tcp_open(block->tcp(), accepted_.get())
                                  : uv::pipe_open(block->pipe(), accepted_.get());
  if (e < 0) {
    block->disown();
    return e;
  }
  accepted_.release();
  block->set_peer(accepted_from_);
  a.accepted_ = block;
  return 0;
}

void acceptor::serve_line() noexcept {
  while (accept_node* a = line_.front()) {
    if (!take(*a)) return;
    static_cast<list_node*>(a)->unlink();
    a->waiter_->complete();
  }
}

void acceptor::wait(accept_node& a) {
  line_.push_back(a);
  for (acceptor* s = this; s; s = s->next_) {
    int e = s->poll();
    if (e == 0) continue;
    static_cast<list_node&>(a).unlink();
    a.status_ = e;
    return a.waiter_->complete();
  }
}

// ---- polling

int acceptor::poll() noexcept {
  if (broken_ != 0) return broken_;
  if (polling_ || timer_node::armed()) return 0;
  int e = uv::poll_start(&handle_, UV_READABLE, &on_event);
  polling_ = e == 0;
  return e;
}

void acceptor::stop_polling() noexcept {
  if (polling_) uv_poll_stop(&handle_);
  polling_ = false;
}

void acceptor::on_event(uv_poll_t* h, int status, int) {
  acceptor& self = of<acceptor>(h);
  acceptor& head = *self.head_;
  turn t(self.home());
  if (status < 0) {  // libuv has stopped polling; the socket is no listener any more
    self.polling_ = false;
    self.broken_ = status;
    while (accept_node* a = head.line_.pop_front()) {
      a->status_ = status;
      a->waiter_->complete();
    }
    return;
  }
  self.more_ = true;
  // Who was served a moment ago will soon ask again: polling stops only if that did not happen.
  if (head.line_.empty()) self.stop_polling();
  else head.serve_line();
}

// Clients wait in the kernel meanwhile.
void acceptor::pause(int status) noexcept {
  std::uint64_t now = home().now();
  try {
    start_timer(home(), *this, pause_length);
    stop_polling();
    if (reported_ != 0 && now - reported_ < report_again_ns) return;
    reported_ = now;
    home().report_error("accepting pauses until there is room again",
                        std::make_exception_ptr(uv_error(status, "accept", name_)));
  } catch (const std::bad_alloc&) {  // of the timer: then the next poll tries again
    return;
  }
}

void acceptor::on_resume(timer_node* n) {
  auto& self = static_cast<acceptor&>(*n);
  self.more_ = true;
  if (self.head_->line_.empty()) return;
  self.head_->serve_line();
  if (self.head_->line_.empty()) return;
  int e = self.poll();
  if (e != 0 && !self.timer_node::armed()) self.pause(e);
}

void acceptor::on_closing() {
  stop_timer(home(), *this);
  stop_polling();
  more_ = false;
  descriptor closed = std::move(fd_);  // at once: new connections are refused
  while (accept_node* a = line_.pop_front()) a->waiter_->complete();
  end_.set();
}

}  // namespace cuvee::inline v0::detail
