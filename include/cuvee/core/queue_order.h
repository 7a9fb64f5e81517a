// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/ring.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

// The items of a queue and the order they leave it in. `push` and `take` either succeed or throw and leave
// the items as they were, whatever T's move, a comparison or the allocator throws. `take` moves the item into
// anything that has an `emplace`. `pushes_safely` and `takes_safely` tell where the next one cannot throw.
namespace cuvee::inline v0::detail {

/// Growing a ring moves what it holds; a deque never does.
template <class T>
using item_buffer =
    std::conditional_t<std::is_nothrow_move_constructible_v<T>, ring<T>, std::deque<T>>;

enum class taken_first : bool { oldest, newest };

template <class T, taken_first First>
class line_order {
 public:
  static constexpr bool takes_safely = std::is_nothrow_move_constructible_v<T>;

  std::size_t size() const noexcept { return items_.size(); }
  bool pushes_safely() const noexcept {
    if constexpr (takes_safely) return !items_.at_capacity();
    else return false;
  }
  template <class U>
  void push(U&& item) {
    items_.emplace_back(std::forward<U>(item));
  }
  template <class Slot>
  void take(Slot& into) {
    if constexpr (First == taken_first::oldest) {
      into.emplace(std::move(items_.front()));
      items_.pop_front();
    } else {
      into.emplace(std::move(items_.back()));
      items_.pop_back();
    }
  }
  void clear() noexcept { items_.clear(); }

 private:
  item_buffer<T> items_;
};
template <class T>
using fifo_order = line_order<T, taken_first::oldest>;
template <class T>
using lifo_order = line_order<T, taken_first::newest>;

/// A binary heap. Its comparisons are all made before anything moves, and what moves then cannot throw.
template <class T, class Compare>
class priority_order {
 public:
  static constexpr bool takes_safely = false;

  priority_order(Compare before = {}) : before_(std::move(before)) {}

  std::size_t size() const noexcept { return heap_.size(); }
  bool pushes_safely() const noexcept { return false; }
  template <class U>
  void push(U&& item) {
    entry added{held(std::forward<U>(item)), pushed_ + 1};
    std::size_t hole = heap_.size(), target = hole;
    while (target > 0 && goes_first(added, heap_[parent(target)])) target = parent(target);
    heap_.push_back(std::move(added));
    pushed_++;
    if (hole == target) return;
    entry rising = std::move(heap_[hole]);
    for (; hole != target; hole = parent(hole)) heap_[hole] = std::move(heap_[parent(hole)]);
    heap_[target] = std::move(rising);
  }

  template <class Slot>
  void take(Slot& into) {
    std::array<std::size_t, deepest> path;
    std::size_t steps = path_of_last(path);
    into.emplace(std::move(heap_.front().item.get()));
    std::size_t hole = 0;
    for (std::size_t i = 0; i < steps; hole = path[i++]) heap_[hole] = std::move(heap_[path[i]]);
    if (hole + 1 != heap_.size()) heap_[hole] = std::move(heap_.back());
    heap_.pop_back();
  }
  void clear() noexcept { heap_.clear(); }

 private:
  struct in_place {
    template <class U>
    explicit in_place(U&& item) : value(std::forward<U>(item)) {}
    T& get() noexcept { return value; }
    const T& get() const noexcept { return value; }
    T value;
  };
  struct boxed {
    template <class U>
    explicit boxed(U&& item) : value(std::make_unique<T>(std::forward<U>(item))) {}
    T& get() noexcept { return *value; }
    const T& get() const noexcept { return *value; }
    std::unique_ptr<T> value;
  };
  static constexpr bool moves_safely =
      std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
  using held = std::conditional_t<moves_safely, in_place, boxed>;
  struct entry {
    held item;
    std::uint64_t order;  // equals leave in the order they came
  };
  static constexpr std::size_t deepest = 8 * sizeof(std::size_t);

  static std::size_t parent(std::size_t i) noexcept { return (i - 1) / 2; }
  bool goes_first(const entry& a, const entry& b) const {
    if (before_(a.item.get(), b.item.get())) return true;
    return a.order < b.order && !before_(b.item.get(), a.item.get());
  }
  // The places that move up by one when the last entry fills the hole that the first one leaves.
  std::size_t path_of_last(std::array<std::size_t, deepest>& path) const {
    std::size_t end = heap_.size() - 1, steps = 0;
    for (std::size_t child = 1; child < end; child = 2 * child + 1) {
      if (child + 1 < end && goes_first(heap_[child + 1], heap_[child])) child++;
      if (!goes_first(heap_[child], heap_[end])) break;
      path[steps++] = child;
    }
    return steps;
  }

  std::vector<entry> heap_;
  std::uint64_t pushed_ = 0;
  [[no_unique_address]] Compare before_;
};

}  // namespace cuvee::inline v0::detail
