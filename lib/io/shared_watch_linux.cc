// SPDX-License-Identifier: MIT
#include "shared_watch.h"

#include "core/loop_state.h"
#include "uv_error.h"

#include <sys/epoll.h>

#include <cerrno>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

constexpr unsigned end_events = EPOLLHUP | EPOLLERR | EPOLLRDHUP;

}  // namespace

shared_watch* shared_watch::make(loop_state& l, int fd, shared_watcher& to) {
  std::unique_ptr<shared_watch> watch(new shared_watch(l));
  watch->poll_ = descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!watch->poll_) throw uv_error(-errno, "watch a descriptor");
  epoll_event nothing{};
  if (epoll_ctl(watch->poll_.get(), EPOLL_CTL_ADD, fd, &nothing) != 0) {
    if (errno == EPERM) return nullptr;
    throw uv_error(-errno, "watch a descriptor");
  }
  int e = uv::poll_init(l.uv, &watch->native_, watch->poll_.get());
  if (e < 0) throw uv_error(e, "watch a descriptor");
  watch->fd_ = fd;
  watch->to_ = &to;
  watch->opened(uv::as_handle(&watch->native_));
  return watch.release();
}

int shared_watch::want(unsigned events) noexcept {
  if (events == wanted_ || closing()) return 0;
  epoll_event e{};
  if (events & UV_READABLE) e.events |= EPOLLIN | EPOLLRDHUP;
  if (events & UV_WRITABLE) e.events |= EPOLLOUT;
  if (epoll_ctl(poll_.get(), EPOLL_CTL_MOD, fd_, &e) != 0) return -errno;
  int status = 0;
  if (events == 0) uv_poll_stop(&native_);
  else if (wanted_ == 0) status = uv::poll_start(&native_, UV_READABLE, &on_event);
  if (status == 0) wanted_ = events;
  return status;
}

void shared_watch::on_event(uv_poll_t* h, int, int) {
  auto& self = of<shared_watch>(h);
  turn t(self.home());
  epoll_event e{};
  // Nothing: another process was quicker.
  if (!self.to_ || epoll_wait(self.poll_.get(), &e, 1, 0) != 1) return;
  unsigned events = 0;
  if (e.events & (EPOLLIN | end_events)) events |= UV_READABLE;
  if (e.events & (EPOLLOUT | end_events)) events |= UV_WRITABLE;
  self.to_->ready(events & self.wanted_);
}

}  // namespace cuvee::inline v0::detail
