// SPDX-License-Identifier: MIT
#include "deadline_timer.h"

#include <utility>

namespace cuvee::inline v0::http::detail {

deadline_timer::deadline_timer(stream_block& b) noexcept
    : timer_node(&on_timer), block_(&b), loop_(b.home()) {}

void deadline_timer::move_to(std::uint64_t at) {
  stop_timer(loop_, *this);
  start_timer_at(loop_, *this, at);
}

void deadline_timer::cancel() noexcept {
  at_ = never;
  stop_timer(loop_, *this);
}

void deadline_timer::on_timer(timer_node* n) {
  auto& self = *static_cast<deadline_timer*>(n);
  if (self.at_ == never) return;
  if (self.at_ > n->at) return start_timer_at(self.loop_, self, self.at_);
  self.passed_ = std::exchange(self.at_, never);
  self.block_->time_out();
}

}  // namespace cuvee::inline v0::http::detail
