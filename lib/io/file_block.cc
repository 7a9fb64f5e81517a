// SPDX-License-Identifier: MIT
#include "file_block.h"

#include <unistd.h>

#include <cerrno>

namespace cuvee::inline v0::detail {

void fs_block::on_closed() {
  while (fs_close_awaiter* a = closers_.pop_front()) a->waiter_->complete();
}

void fs_block::close_later(int status) noexcept {
  close_status_ = status;
  home().at_turn_end(*this);
}

void fs_block::close_done(int status) {
  loop_state& l = home();
  {
    turn t(l);
    l.pool_requests--;
    close_status_ = status;
    finish_close();
  }
  l.free_if_closed();
}

void file_block::submit_close() {
  int e = uv::fs_close(home().uv, &close_request_, fd_, [](uv_fs_t* r) {
    auto status = static_cast<int>(r->result);
    auto& self = *static_cast<file_block*>(r->data);
    uv_fs_req_cleanup(r);
    self.close_done(status);
  });
  close_request_.data = this;
  if (e == 0) home().pool_requests++;
  else close_later(::close(fd_) == 0 || errno == EINTR ? 0 : -errno);  // the last resort blocks
}

}  // namespace cuvee::inline v0::detail
