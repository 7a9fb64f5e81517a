// SPDX-License-Identifier: MIT
#include <cuvee/core/scope.h>

namespace cuvee::inline v0 {

void cancel_scope::cancel(std::string text, std::source_location where) {
  if (body_) detail::refuse_foreign_thread(*home_, "cancel a scope");
  cancel_for(text, where);
  if (body_) body_->cancel();
}

void cancel_scope::set_deadline(time_point when) {
  auto at = when.time_since_epoch().count();
  if (when == time_point::max()) scope_node::deadline = never;
  else scope_node::deadline = at < 0 ? 0 : static_cast<std::uint64_t>(at);
  rearm();
}

void cancel_scope::expire_in(duration length) {
  if (length == duration::max()) return clear_deadline();
  time_point now(duration(static_cast<duration::rep>(clock_ns(detail::require_scheduler()))));
  set_deadline(length > time_point::max() - now ? time_point::max() : now + length);
}

time_point cancel_scope::deadline() const noexcept {
  if (scope_node::deadline == never) return time_point::max();
  return time_point(duration(static_cast<duration::rep>(scope_node::deadline)));
}

void cancel_scope::set_shield(bool on) {
  shield = on;
  if (!on && outer_asked_) outer_cancel();
}

void cancel_scope::on_timer(timer_node* n) {
  auto& self = *static_cast<cancel_scope*>(n);
  if (self.cancelled) return;
  self.expired_ = true;
  self.cancel_for("its deadline passed");
  self.body_->cancel();
}

void cancel_scope::rearm() {
  if (!body_) return;
  if (armed()) stop_timer(*home_, *this);
  arm(*home_);
}

// Also before the body begins: where there is no memory for the timer, nothing has.
void cancel_scope::arm(detail::scheduler& home) {
  home_ = &home;
  if (scope_node::deadline != never && !cancelled)
    start_timer_at(home, *this, scope_node::deadline);
}

void cancel_scope::enter(detail::strand& body) {
  body_ = &body;
  up = body.context;
  body.context = this;
  absorbed_ = outer_sent_ = false;
  if (cancelled) body.cancel();
}

void cancel_scope::leave(bool body_cancelled) noexcept {
  absorbed_ = body_cancelled && !outer_sent_;
  if (armed()) stop_timer(*home_, *this);
  outer_asked_ = false;  // it was asked of this block, not of a later one
  body_ = nullptr;
  up = nullptr;
}

void cancel_scope::outer_cancel() {
  outer_asked_ = true;
  if (shield || !body_) return;
  outer_sent_ = true;
  body_->cancel();
}

}  // namespace cuvee::inline v0
