// SPDX-License-Identifier: MIT
#include "handle_block.h"

#include "loop_state.h"

namespace cuvee::inline v0::detail {

void handle_block::opened(uv_handle_t* h) noexcept {
  handle_ = h;
  h->data = this;
  home_->handles_opened[h->type]++;
  opened();
}

void handle_block::opened() noexcept {
  closed_ = false;
  home_->handles.push_back(*this);
  if (home_->debug) [[unlikely]]
    home_->looking->note_handle(*this);
}

int handle_block::handle_descriptor() const noexcept {
  uv_os_fd_t fd = -1;
  if (handle_) uv_fileno(handle_, &fd);
  return fd;
}

void handle_block::close() { start_close(&uv_close); }

void handle_block::start_close(void (*closer)(uv_handle_t*, uv_close_cb)) {
  if (closing_ || closed_) return;
  closing_ = true;
  on_closing();
  if (handle_) closer(handle_, &closed_callback);
  else begin_close();
}

void handle_block::closed_callback(uv_handle_t* h) {
  auto& self = *static_cast<handle_block*>(h->data);
  loop_state& home = *self.home_;
  {
    turn t(home);
    self.finish_close();
  }
  home.free_if_closed();  // of a loop destroyed meanwhile, this was perhaps the last handle
}

void handle_block::finish_close() {
  closed_ = true;
  if (home_->debug) [[unlikely]]
    home_->looking->forget_handle(*this);
  unlink();
  on_closed();
  free_if_unused();
}

void handle_block::disown() {
  owned_ = false;
  if (closed_) free_if_unused();
  else close();
}

void handle_block::free_if_unused() {
  if (!closed_ || owned_ || busy() || linked()) return;
  // Whoever was told of the end and has not run since will ask the block what has happened. (An owner may outlive the
  // loop.)
  if (this_scheduler == home_ && home_->ready_head) home_->retire(*this);
  else delete this;
}

void handle_block::free_all(list<handle_block>& retired) noexcept {
  while (handle_block* b = retired.pop_front()) delete b;
}

}  // namespace cuvee::inline v0::detail
