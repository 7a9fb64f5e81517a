// SPDX-License-Identifier: MIT
#include <cuvee/core/context.h>
#include <cuvee/core/strand.h>

namespace cuvee::inline v0 {

namespace detail {

constinit thread_local context_node* job_context = nullptr;

strand& enter_binding(binding_node& node) {
  scheduler* home = this_scheduler;
  if (!home || !home->running)
    throw error(std::make_error_code(std::errc::operation_not_permitted), "bind",
                "a context variable", "outside of a task");
  node.up = home->context;
  home->context = home->running->context = &node;
  return *home->running;
}

void binding_node::leave(strand& owner) noexcept {
  // Usually the top; below it only where bindings end out of order.
  context_node** at = &owner.context;
  while (*at && *at != this) at = &(*at)->up;
  if (*at) *at = up;
  if (owner.home->running == &owner) owner.home->context = owner.context;
}

std::unique_ptr<binding_node> copy_bindings(const context_node* from, context_node* until) {
  std::unique_ptr<binding_node> first;
  binding_node* last = nullptr;
  for (; from && from != until; from = from->up) {
    if (from->key == &scope_key) continue;
    auto node = static_cast<const binding_node*>(from)->copy();
    node->up = until;
    binding_node* added = node.get();
    if (last) last->up = added, last->next_copy = std::move(node);
    else first = std::move(node);
    last = added;
  }
  return first;
}

void scope_node::cancel_for(std::string_view text, std::source_location where) noexcept {
  if (cancelled) return;
  cancelled = true;
  try {
    reason = std::make_unique<cancel_reason>(cancel_reason{std::string(text), where});
  } catch (const std::bad_alloc&) {
  }
}

const scope_node* next_scope(const context_node* n) noexcept {
  while (n && n->key != &scope_key) n = n->up;
  return static_cast<const scope_node*>(n);
}

}  // namespace detail

time_point effective_deadline() noexcept {
  std::uint64_t nearest = detail::scope_node::never;
  const detail::scope_node* s = detail::next_scope(detail::current_context());
  for (; s; s = s->shield ? nullptr : detail::next_scope(s->up)) {
    if (s->cancelled) return time_point::min();
    if (s->deadline < nearest) nearest = s->deadline;
  }
  if (nearest == detail::scope_node::never) return time_point::max();
  return time_point(duration(static_cast<duration::rep>(nearest)));
}

const cancel_reason* current_cancel_reason() noexcept {
  // Past shields, or clean-up behind one could not tell why it runs.
  const detail::scope_node* s = detail::next_scope(detail::current_context());
  while (s && !s->reason) s = detail::next_scope(s->up);
  return s ? s->reason.get() : nullptr;
}

}  // namespace cuvee::inline v0
