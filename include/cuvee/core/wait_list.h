// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/strand.h>

namespace cuvee::inline v0::detail {

/// Base of awaiters that stand in the line of a primitive; linked while it waits.
struct wait_node : list_node {
  /// Leaving the line is all that a cancel needs, unless the derived awaiter says otherwise.
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  waiter* waiting = nullptr;
};

/// The line of those that wait for a primitive, first come first served. Whoever wakes a node first
/// gives it what it waits for: it counts as served from then on, even if it is cancelled in the
/// same turn.
template <class Node = wait_node>
class wait_list {
 public:
  wait_list() noexcept = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;
  // Whoever waits would never be woken, and write into what is gone when cancelled.
  ~wait_list() {
    if (!empty()) [[unlikely]]
      die("an object was destroyed while a task waited for it");
  }
  bool empty() const noexcept { return nodes_.empty(); }
  Node* front() noexcept { return nodes_.front(); }
  void add(Node& node, waiter& w) noexcept {
    node.waiting = &w;
    nodes_.push_back(node);
  }
  /// Takes the first out of the line, for the caller to serve and complete; null if nobody waits.
  Node* take() noexcept { return nodes_.pop_front(); }
  /// False if nobody waits.
  bool wake_one() {
    Node* node = take();
    if (node) node->waiting->complete();
    return node != nullptr;
  }
  /// Takes those that wait now, one after the other, for `serve(node)` to serve and complete; not
  /// those that a completion makes wait again.
  template <class F>
  void serve_all(F serve) {
    list<Node> now;  // completions may unlink nodes from it, and fill and wake `nodes_`
    now.splice(nodes_);
    while (Node* node = now.pop_front()) serve(*node);
  }
  void wake_all() {
    serve_all([](Node& node) { node.waiting->complete(); });
  }
  template <class F>
  void for_each(F f) {
    nodes_.for_each(f);
  }

 private:
  list<Node> nodes_;
};

}  // namespace cuvee::inline v0::detail
