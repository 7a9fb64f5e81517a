// SPDX-License-Identifier: MIT
#include "write_watch.h"

namespace cuvee::inline v0::http::detail {

write_watch::write_watch(stream_block& b, duration limit, std::size_t writing)
    : timer_node(&on_timer), block_(&b), limit_(limit), unsent_(b.unsent() + writing) {
  start_timer(b.home(), *this, limit);
}

write_watch::~write_watch() { stop_timer(block_->home(), *this); }

void write_watch::on_timer(timer_node* n) {
  auto& self = *static_cast<write_watch*>(n);
  std::size_t unsent = self.block_->unsent();
  if (unsent >= self.unsent_) return self.block_->abort();
  self.unsent_ = unsent;
  start_timer(self.block_->home(), self, self.limit_);
}

}  // namespace cuvee::inline v0::http::detail
