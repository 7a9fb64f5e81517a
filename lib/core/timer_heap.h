// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/scheduler.h>

#include <vector>

namespace cuvee::inline v0::detail {

/// A 4-ary heap of timer nodes by (deadline, start order); a node knows its place, so removal is cheap
/// and leaves nothing behind.
class timer_heap {
 public:
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  std::uint64_t next_deadline() const noexcept { return entries_.front().at; }
  /// Alike; the end of time if there is none.
  std::uint64_t earliest() const noexcept { return empty() ? ~std::uint64_t{0} : next_deadline(); }
  timer_node& front() noexcept { return *entries_.front().node; }
  void add(timer_node& node, std::uint64_t at);
  void remove(timer_node& node) noexcept;

 private:
  struct entry {
    std::uint64_t at;
    timer_node* node;
  };
  static bool earlier(const entry& a, const entry& b) noexcept {
    return a.at < b.at || (a.at == b.at && a.node->order < b.node->order);
  }
  void place(std::size_t i, entry e) noexcept {
    entries_[i] = e;
    e.node->index = static_cast<std::uint32_t>(i);
  }
  void sift_up(std::size_t i, entry e) noexcept;
  void sift_down(std::size_t i, entry e) noexcept;

  std::vector<entry> entries_;
  std::uint64_t started_ = 0;
};

}  // namespace cuvee::inline v0::detail
