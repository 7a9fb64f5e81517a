// SPDX-License-Identifier: MIT
#include "handle_block.h"

#include "loop_state.h"

namespace cuvee::inline v0::detail {

void handle_block::opened(uv_handle_t* h) noexcept {
  handle_ = h;
  h->data = this;
  closed_ = false;
  home_->handles.push_back(*this);
  home_->handles_opened[h->type]++;
  if (home_->debug) [[unlikely]]
    home_->looking->note_handle(*this);
}

void handle_block::close() { start_close(&uv_close); }

void handle_block::start_close(void (*closer)(uv_handle_t*, uv_close_cb)) {
  if (closing_ || closed_) return;
  closing_ = true;
  on_closing();
  closer(handle_, &closed_callback);
}

void handle_block::closed_callback(uv_handle_t* h) {
  auto& self = *static_cast<handle_block*>(h->data);
  loop_state& home = *self.home_;
  {
    turn t(home);
    self.closed_ = true;
    if (home.debug) [[unlikely]]
      home.looking->forget_handle(self);
    self.unlink();
    self.on_closed();
    self.free_if_unused();
  }
  home.free_if_closed();  // of a loop destroyed meanwhile, this was perhaps the last handle
}

void handle_block::disown() {
  owned_ = false;
  if (closed_) free_if_unused();
  else close();
}

void handle_block::free_if_unused() {
  if (closed_ && !owned_ && !busy()) delete this;
}

}  // namespace cuvee::inline v0::detail
