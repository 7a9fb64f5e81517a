// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/scheduler.h>

#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace cuvee::inline v0 {

/// Why something was cancelled, and where the cancel was called.
struct cancel_reason {
  std::string text;  ///< empty if none was given
  std::source_location where;
};

namespace detail {

/// What a task runs under: cancel scopes and bound context variables, a chain from the inside out. A node
/// lives in the frame, group or child that made it and outlives every strand that points to it.
struct context_node {
  explicit context_node(const void* k) noexcept : key(k) {}
  context_node* up = nullptr;
  const void* key;  // what kind of node: &scope_key, or the address of a context variable
};

inline constexpr char scope_key = 0;

/// Whatever can cut a task short: scope, timeout, group, spawned child.
struct scope_node : context_node {
  static constexpr std::uint64_t never = ~std::uint64_t{0};

  scope_node() noexcept : context_node(&scope_key) {}

  std::uint64_t deadline = never;  // nanoseconds of the loop's clock
  bool shield = false;
  bool cancelled = false;
  std::unique_ptr<cancel_reason> reason;

  /// The first reason counts; where memory is short there is none.
  CUVEE_API void cancel_for(std::string_view text,
                            std::source_location where = std::source_location::current()) noexcept;
};

/// The innermost scope from `n` outwards, itself included; null if there is none.
CUVEE_API const scope_node* next_scope(const context_node* n) noexcept;

/// A bound context variable.
struct CUVEE_API binding_node : context_node {
  using context_node::context_node;
  virtual ~binding_node() = default;
  virtual std::unique_ptr<binding_node> copy() const = 0;
  /// Takes the node out of the chain of the strand that made it.
  void leave(strand& owner) noexcept;

  std::unique_ptr<binding_node> next_copy;  // owned, where this one is a copy for a spawned child
};

/// Puts the node on top of the running task's context. Errors: operation_not_permitted outside of a task.
CUVEE_API strand& enter_binding(binding_node& node);

/// Copies of what is bound between `from` and `until`, for a child that may outlive it; the last one's `up` is `until`.
CUVEE_API std::unique_ptr<binding_node> copy_bindings(const context_node* from,
                                                      context_node* until);

/// What a job on another thread runs under: copies of what its awaiter had bound.
extern CUVEE_API CUVEE_HOT_TLS constinit thread_local context_node* job_context;

/// The context of whoever runs now; null outside of tasks and jobs.
inline context_node* current_context() noexcept {
  return this_scheduler ? this_scheduler->context : job_context;
}

/// Starts children on behalf of a task that is not running, under that task's context.
class context_switch {
 public:
  context_switch(scheduler& s, context_node* context) noexcept
      : scheduler_(&s), before_(std::exchange(s.context, context)) {}
  context_switch(const context_switch&) = delete;
  context_switch& operator=(const context_switch&) = delete;
  ~context_switch() { scheduler_->context = before_; }

 private:
  scheduler* scheduler_;
  context_node* before_;
};

}  // namespace detail

/// The nearest deadline the running task is under, scopes and timeouts up to the innermost shield;
/// `time_point::max()` if there is none, `time_point::min()` once one of them was cancelled.
CUVEE_API time_point effective_deadline() noexcept;

/// Why the running task is being cancelled: for destructors and shielded clean-up. Null if it is not, or if only the
/// main task as a whole was. Lifetime: until the cancelled block has ended.
CUVEE_API const cancel_reason* current_cancel_reason() noexcept;

}  // namespace cuvee::inline v0
