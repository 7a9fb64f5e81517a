// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/group.h>

#include <unordered_set>
#include <vector>

namespace cuvee::inline v0::detail {

template <class H>
struct handle_traits;
template <class T>
struct handle_traits<task_handle<T>> {
  using value = T;
};
template <class T>
struct handle_traits<task_handle<T>*> {
  using value = T;
};
template <class R>
using handles_value = typename handle_traits<typename R::value_type>::value;

/// A container of task handles or of pointers to them.
template <class R>
concept handle_range = requires { typename handles_value<R>; };

/// The addresses of the handles, each once.
template <handle_range R>
auto addresses_of(R& handles) {
  using handle = task_handle<handles_value<R>>;
  std::vector<handle*> all;
  all.reserve(handles.size());
  if constexpr (std::is_pointer_v<typename R::value_type>) {
    std::unordered_set<handle*> seen;
    for (handle* h : handles)
      if (seen.insert(h).second) all.push_back(h);
  } else {
    for (handle& h : handles) all.push_back(&h);
  }
  return all;
}

/// Learns of a child's end without being a task. Stays in place once it is attached.
template <class T>
struct handle_watch : waiter, list_node {
  handle_watch(task_handle<T>& h, complete_fn ended) : waiter(ended), handle(&h), join(h.join()) {}
  handle_watch(handle_watch&&) = default;  // before it is attached
  ~handle_watch() { detach(); }

  /// False: the child has ended already.
  bool attach(void* to) {
    owner = to;
    if (join.await_ready()) return false;
    join.await_suspend(*this);
    attached = true;
    return true;
  }
  void detach() noexcept {
    if (std::exchange(attached, false)) join.await_cancel(*this);
  }

  void visit(visitor& v) { join.visit(v); }

  task_handle<T>* handle;
  void* owner = nullptr;
  bool attached = false;

 private:
  decltype(std::declval<task_handle<T>&>().join()) join;
};

}  // namespace cuvee::inline v0::detail
