// SPDX-License-Identifier: MIT
#pragma once

namespace cuvee::inline v0::detail {

/// A node of an intrusive doubly linked list; unlinked while `next` is null.
struct list_node {
  list_node* prev = nullptr;
  list_node* next = nullptr;

  bool linked() const noexcept { return next != nullptr; }
  void unlink() noexcept {
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }
};

/// An intrusive FIFO list of `T`, which derives from `list_node`. Owns nothing.
template <class T>
class list {
 public:
  list() noexcept { head_.prev = head_.next = &head_; }
  list(const list&) = delete;
  list& operator=(const list&) = delete;

  bool empty() const noexcept { return head_.next == &head_; }
  T* front() noexcept { return empty() ? nullptr : static_cast<T*>(head_.next); }
  void push_back(list_node& node) noexcept {
    node.prev = head_.prev;
    node.next = &head_;
    head_.prev->next = &node;
    head_.prev = &node;
  }
  T* pop_front() noexcept {
    T* node = front();
    if (node) static_cast<list_node*>(node)->unlink();
    return node;
  }
  /// Moves all of `other` behind what is here.
  void splice(list& other) noexcept {
    if (other.empty()) return;
    list_node& theirs = other.head_;
    head_.prev->next = theirs.next;
    theirs.next->prev = head_.prev;
    head_.prev = theirs.prev;
    theirs.prev->next = &head_;
    theirs.prev = theirs.next = &theirs;
  }
  /// Calls `f` for each element; `f` may unlink the element it is given, no other.
  template <class F>
  void for_each(F f) {
    for (list_node* n = head_.next; n != &head_;) {
      list_node* following = n->next;
      f(*static_cast<T*>(n));
      n = following;
    }
  }

 private:
  list_node head_;
};

}  // namespace cuvee::inline v0::detail
