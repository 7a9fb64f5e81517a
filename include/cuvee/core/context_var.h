// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/context.h>
#include <cuvee/core/strand.h>

namespace cuvee::inline v0 {

template <class T>
class context_binding;

/// A variable with a value of its own in each task, such as a request id or a logger: a child starts with what
/// its parent had bound, and what it binds itself nobody else sees. Costs nothing where none is bound.
/// Lifetime: define it at namespace scope; it must outlive its bindings.
template <class T>
class context_var {
 public:
  explicit context_var(T fallback = T()) : fallback_(std::move(fallback)) {}
  context_var(const context_var&) = delete;
  context_var& operator=(const context_var&) = delete;

  /// The value bound innermost; the default given at construction if there is none.
  const T& get() const noexcept {
    for (const detail::context_node* n = detail::current_context(); n; n = n->up)
      if (n->key == this) return static_cast<const context_binding<T>*>(n)->value();
    return fallback_;
  }
  /// Binds a value for the running task and the children it starts, until the result is destroyed:
  /// `auto bound = request_id.bind(7);`. Spawned children get copies, made when they are spawned.
  /// Errors: operation_not_permitted outside of a task.
  /// Lifetime: a local variable of a task; not to be held over a `co_yield`.
  [[nodiscard]] context_binding<T> bind(T value) {
    return context_binding<T>(*this, std::move(value));
  }

 private:
  T fallback_;
};

template <class T>
class context_binding : detail::binding_node {
 public:
  context_binding(const context_var<T>& var, T value)
      : binding_node(&var), value_(std::move(value)), owner_(&detail::enter_binding(*this)) {}
  context_binding(const context_binding&) = delete;
  context_binding& operator=(const context_binding&) = delete;
  ~context_binding() override {
    if (owner_) leave(*owner_);
  }

  const T& value() const noexcept { return value_; }

 private:
  friend context_var<T>;
  struct copied {};
  context_binding(copied, const void* var, const T& value) : binding_node(var), value_(value) {}
  std::unique_ptr<binding_node> copy() const override {
    return std::unique_ptr<binding_node>(new context_binding(copied(), this->key, value_));
  }

  T value_;
  detail::strand* owner_ = nullptr;  // null: a copy
};

}  // namespace cuvee::inline v0
