// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstddef>
#include <new>

namespace cuvee::inline v0::detail {

/// Recycled buffers above the frame pool's sizes; one free list a thread and size, of bounded length.
template <std::size_t Size>
class big_blocks {
 public:
  static char* get() {
    if (node* block = free_.head) {
      free_.head = block->next;
      free_.count--;
      return reinterpret_cast<char*>(block);
    }
    empty_at_thread_exit();
    return static_cast<char*>(::operator new(Size));
  }
  static void put(char* block) noexcept {
    if (CUVEE_ASAN || free_.count >= most_kept) return ::operator delete(block);
    free_.head = ::new (block) node{free_.head};
    free_.count++;
  }

 private:
  struct node {
    node* next;
  };
  struct cache {
    node* head;
    std::size_t count;
  };
  // Apart from the cache: a thread-local with a destructor costs a check on every access.
  struct emptier {
    ~emptier() {
      while (node* block = free_.head) {
        free_.head = block->next;
        ::operator delete(block);
      }
    }
  };
  static void empty_at_thread_exit() {
    static thread_local emptier at_exit;
    (void)at_exit;
  }
  static constexpr std::size_t most_kept = (8u << 20) / Size;
  static inline constinit thread_local cache free_ = {};
};

}  // namespace cuvee::inline v0::detail
