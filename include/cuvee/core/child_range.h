// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>

#include <concepts>
#include <memory>
#include <string>
#include <vector>

namespace cuvee::inline v0 {

/// What a combinator takes: a task or an awaiter, by value.
template <class A>
concept awaitable = detail::is_task<A> || requires(A& a) {
  a.await_ready();
  a.await_resume();
};

/// A container of awaitables of one type: `std::vector<task<int>>`.
template <class R>
concept awaitable_range = awaitable<typename R::value_type> && requires(R& range) {
  { *range.begin() } -> std::convertible_to<typename R::value_type&>;
  range.end();
  range.size();
};

/// How many awaitables of a container run at once: `gather(width(8), std::move(tasks))`.
class width {
 public:
  /// Errors: invalid_argument for zero and less.
  template <std::integral Number>
  explicit width(Number most) : most_(static_cast<std::size_t>(most)) {
    if (most < 1)
      throw error(std::make_error_code(std::errc::invalid_argument), "width", std::to_string(most));
  }
  std::size_t most() const noexcept { return most_; }

 private:
  std::size_t most_;
};

namespace detail {

/// Children in place, in pooled chunks: one large block would be mapped and faulted in anew each time.
template <class A>
class child_store {
 public:
  template <class R>
  explicit child_store(R&& range) {
    chunks_.reserve((range.size() + per_chunk - 1) / per_chunk);
    for (auto& a : range) add(std::move(a));
  }
  child_store(child_store&&) = default;
  // Backwards, for the pool gives back the block it got last: so the next run, too, walks memory upwards.
  ~child_store() {
    while (!chunks_.empty()) chunks_.pop_back();
  }

  std::size_t size() const noexcept { return size_; }
  child<A>& operator[](std::size_t i) noexcept {
    return chunks_[i / per_chunk]->children[i % per_chunk];
  }

 private:
  static constexpr std::size_t per_chunk = sizeof(child<A>) < frame_largest_bytes / 2
                                               ? (frame_largest_bytes - 16) / sizeof(child<A>)
                                               : 1;
  static_assert(alignof(child<A>) <= 16, "the pool's blocks are aligned to 16 bytes");

  struct chunk : pooled {
    chunk() noexcept {}
    ~chunk() {
      while (used > 0) std::destroy_at(&children[--used]);
    }
    std::size_t used = 0;
    union {
      child<A> children[per_chunk];
    };
  };
  void add(A&& a) {
    if (size_ % per_chunk == 0) chunks_.emplace_back(new chunk);
    chunk& last = *chunks_.back();
    std::construct_at(&last.children[last.used], std::move(a));
    last.used++;
    size_++;
  }

  std::vector<std::unique_ptr<chunk>> chunks_;
  std::size_t size_ = 0;
};

/// A combinator over a range, of which some may have to wait for their turn.
template <class Derived, class A>
class range_awaiter : public combinator_awaiter<Derived> {
 public:
  template <class R>
  explicit range_awaiter(R&& range) : children_(std::move(range)), most_(children_.size()) {}
  template <class R>
  range_awaiter(R&& range, width limit) : children_(std::move(range)), most_(limit.most()) {}

 protected:
  friend combinator_awaiter<Derived>;

  std::size_t size() const noexcept { return children_.size(); }
  child<A>& nth(std::size_t i) noexcept { return children_[i]; }
  template <class F>
  void for_each(F f) {
    for (std::size_t i = 0; i < size(); i++) f(children_[i]);
  }
  void start_children() {
    remember_context();
    fill();
  }
  void child_left() {
    running_--;
    if (next_ >= size()) [[likely]]
      return;
    context_switch as_at_first(*home_, context_);
    fill();
  }
  /// Children that start later, on behalf of whoever made room for them, run under the context of the first ones.
  void remember_context() {
    home_ = &require_scheduler();
    context_ = home_->context;
  }

  scheduler* home_ = nullptr;
  context_node* context_ = nullptr;

 private:
  void fill() {
    if (filling_) return;  // a child that ends while it starts: the loop below goes on
    filling_ = true;
    while (next_ < size() && running_ < most_) {
      running_++;
      if (!this->start_child(children_[next_++])) running_--;
    }
    filling_ = false;
  }

  child_store<A> children_;
  std::size_t most_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  bool filling_ = false;
};

}  // namespace detail
}  // namespace cuvee::inline v0
