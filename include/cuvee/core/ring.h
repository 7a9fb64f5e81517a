// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0::detail {

/// A double-ended queue in one block of a power of two, which doubles when it is full and is kept when it
/// empties. Only for types whose move cannot throw: growing moves the items.
template <class T>
class ring {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  ring() noexcept = default;
  ring(ring&& other) noexcept
      : items_(std::exchange(other.items_, nullptr)),
        slots_(std::exchange(other.slots_, 0)),
        first_(std::exchange(other.first_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  ring& operator=(ring&&) = delete;
  ~ring() {
    clear();
    if (items_) std::allocator<T>().deallocate(items_, slots_);
  }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  /// The next `emplace_back` allocates.
  bool at_capacity() const noexcept { return size_ == slots_; }
  T& front() noexcept { return slot(0); }
  T& back() noexcept { return slot(size_ - 1); }
  T& operator[](std::size_t i) noexcept { return slot(i); }

  /// `item` is none of the ring's own.
  template <class U>
  void emplace_back(U&& item) {
    if (at_capacity()) [[unlikely]]
      grow();
    std::construct_at(&slot(size_), std::forward<U>(item));
    size_++;
  }
  // The counts come first: a destructor may look at the queue again.
  void pop_front() noexcept {
    T* item = &front();
    first_++;
    size_--;
    std::destroy_at(item);
  }
  void pop_back() noexcept {
    T* item = &back();
    size_--;
    std::destroy_at(item);
  }
  void clear() noexcept {
    while (!empty()) pop_front();
  }

 private:
  static constexpr std::size_t first_slots = 8;

  T& slot(std::size_t i) noexcept { return items_[(first_ + i) & (slots_ - 1)]; }
  void grow() {
    std::size_t slots = slots_ == 0 ? first_slots : 2 * slots_;
    T* items = std::allocator<T>().allocate(slots);
    for (std::size_t i = 0; i < size_; i++) {
      std::construct_at(items + i, std::move(slot(i)));
      std::destroy_at(&slot(i));
    }
    if (items_) std::allocator<T>().deallocate(items_, slots_);
    items_ = items;
    slots_ = slots;
    first_ = 0;
  }

  T* items_ = nullptr;
  std::size_t slots_ = 0;
  std::size_t first_ = 0;  // only its low bits count
  std::size_t size_ = 0;
};

}  // namespace cuvee::inline v0::detail
