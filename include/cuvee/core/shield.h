// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>

namespace cuvee::inline v0 {

namespace detail {

template <class A>
class shield_awaiter : combinator, scope_around<A> {
 public:
  explicit shield_awaiter(A&& a) : child_(std::move(a)) {}
  shield_awaiter(shield_awaiter&&) = default;  // before it starts

  bool await_ready() noexcept { return false; }
  bool await_early_cancel() noexcept { return false; }
  bool await_suspend(waiter& w) {
    parent = &w;
    pending = 2;
    child_ended = [](combinator& c, const std::exception_ptr*) {
      if (--c.pending == 0) c.parent->complete();
    };
    if constexpr (runs_tasks<A>) scope_node::shield = true;
    start_under<A>(*this, child_, *this);
    return --pending != 0;
  }
  bool await_cancel(waiter&) noexcept { return false; }
  void visit(visitor& v) { visit_body(child_, v); }
  auto await_resume() {
    if constexpr (std::is_void_v<typename child<A>::result_type>) child_.take();
    else return child_.take();
  }

 private:
  child<A> child_;
};

}  // namespace detail

/// Runs an awaitable to its end whatever happens to the awaiting task; a cancel that arrives meanwhile
/// is delivered at the next await. For clean-up that must await.
/// Cancel: shielded.
template <class A>
[[nodiscard]] auto shield(A awaitable) {
  return detail::shield_awaiter<A>(std::move(awaitable));
}

}  // namespace cuvee::inline v0
