// SPDX-License-Identifier: MIT
#include "writable_block.h"

#include "uv_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace cuvee::inline v0::detail {

writable_block* writable_block::make(loop_state& l, int socket) {
  std::unique_ptr<writable_block> block(new writable_block(l));
  int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) throw uv_error(-errno, "watch a socket");
  int e = uv::poll_init(l.uv, &block->native_, fd);
  if (e < 0) {
    ::close(fd);
    throw uv_error(e, "watch a socket");
  }
  block->fd_ = fd;
  block->opened(uv::as_handle(&block->native_));
  return block.release();
}

void writable_block::on_closed() { ::close(fd_); }

int writable_block::start(waiter& w) noexcept {
  waiting_ = &w;
  // Whatever the status, trying again tells more.
  return uv::poll_start(&native_, UV_WRITABLE, [](uv_poll_t* h, int, int) {
    auto& self = of<writable_block>(h);
    turn t(self.home());
    self.waiting_->complete();
  });
}

bool writable_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  status_ = watch_->start(either_);
  if (status_ == 0)
    out_->await_drained(either_, 0);  // called at the stream's end, as nothing is queued
  return status_ == 0;
}

bool writable_awaiter::await_cancel(waiter&) noexcept {
  watch_->stop();
  out_->forget_drain();
  return true;
}

void writable_awaiter::event::happened(waiter* w) {
  writable_awaiter& a = *static_cast<event*>(w)->owner;
  a.watch_->stop();
  a.out_->forget_drain();
  a.waiter_->complete();
}

}  // namespace cuvee::inline v0::detail
