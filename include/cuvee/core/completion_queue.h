// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/wait_list.h>

#include <cstddef>
#include <utility>

namespace cuvee::inline v0::detail {

/// A known number of nodes in the order in which they are done, for those that wait for the next.
template <class Node>
class completion_queue {
 public:
  class next_awaiter;

  explicit completion_queue(std::size_t expected) noexcept : left_(expected) {}
  completion_queue(const completion_queue&) = delete;
  completion_queue& operator=(const completion_queue&) = delete;

  void push(Node& node) {
    next_awaiter* first = waiting_.take();
    if (!first) return done_.push_back(node);
    left_--;
    first->got_ = &node;
    first->waiting->complete();
    if (left_ == 0) waiting_.wake_all();
  }
  std::size_t left() const noexcept { return left_; }

 private:
  /// For an awaiter that was served and goes without having been resumed.
  void put_back(Node& node) {
    left_++;
    list<Node> rest;
    rest.splice(done_);
    push(node);
    done_.splice(rest);
  }

  list<Node> done_;
  wait_list<next_awaiter> waiting_;
  std::size_t left_;  // not handed over yet
};

/// The next node, handed over when it is done; null when all have been.
template <class Node>
class completion_queue<Node>::next_awaiter : public wait_node {
 public:
  explicit next_awaiter(completion_queue& queue) noexcept : queue_(&queue) {}
  next_awaiter(next_awaiter&& other) noexcept : queue_(other.queue_) {}  // before it starts
  ~next_awaiter() {
    if (got_) queue_->put_back(*got_);
  }

  bool await_ready() noexcept {
    got_ = queue_->done_.pop_front();
    if (got_) queue_->left_--;
    return got_ || queue_->left_ == 0;
  }
  void await_suspend(waiter& w) noexcept { queue_->waiting_.add(*this, w); }
  Node* await_resume() noexcept { return std::exchange(got_, nullptr); }

 private:
  friend completion_queue;
  completion_queue* queue_;
  Node* got_ = nullptr;
};

}  // namespace cuvee::inline v0::detail
