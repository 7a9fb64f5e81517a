// SPDX-License-Identifier: MIT
#include "timer_heap.h"

#include <algorithm>

namespace cuvee::inline v0::detail {

void timer_heap::add(timer_node& node, std::uint64_t at) {
  entries_.push_back({});
  node.at = at;
  node.order = started_++;
  sift_up(entries_.size() - 1, {at, &node});
}

void timer_heap::remove(timer_node& node) noexcept {
  if (!node.armed()) return;
  std::size_t i = node.index;
  node.index = timer_node::idle;
  entry last = entries_.back();
  entries_.pop_back();
  if (i == entries_.size()) return;
  if (i != 0 && earlier(last, entries_[(i - 1) / 4])) sift_up(i, last);
  else sift_down(i, last);
}

void timer_heap::sift_up(std::size_t i, entry e) noexcept {
  while (i != 0) {
    std::size_t parent = (i - 1) / 4;
    if (!earlier(e, entries_[parent])) break;
    place(i, entries_[parent]);
    i = parent;
  }
  place(i, e);
}

void timer_heap::sift_down(std::size_t i, entry e) noexcept {
  for (std::size_t size = entries_.size();;) {
    std::size_t first = i * 4 + 1;
    if (first >= size) break;
    std::size_t least = first;
    for (std::size_t k = first + 1; k < std::min(first + 4, size); k++)
      if (earlier(entries_[k], entries_[least])) least = k;
    if (!earlier(entries_[least], e)) break;
    place(i, entries_[least]);
    i = least;
  }
  place(i, e);
}

}  // namespace cuvee::inline v0::detail
