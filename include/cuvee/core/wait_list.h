// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/waiter.h>

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

/// The line of those that wait for a primitive, first come first served. Whoever wakes a node first gives it
/// what it waits for: it counts as served from then on, even if it is cancelled in the same turn.
template <class Node = wait_node>
class wait_list {
 public:
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
  /// Wakes those that wait now, not those that a completion makes wait again.
  void wake_all() {
    list_node end;  // a completion may unlink siblings, so a saved next link could dangle
    nodes_.push_back(end);
    while (static_cast<list_node*>(nodes_.front()) != &end) wake_one();
    end.unlink();
  }

 private:
  list<Node> nodes_;
};

}  // namespace cuvee::inline v0::detail
