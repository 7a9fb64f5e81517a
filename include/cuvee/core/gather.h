// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>

#include <tuple>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {

template <class... A>
class gather_awaiter : public combinator_awaiter<gather_awaiter<A...>> {
 public:
  explicit gather_awaiter(A&&... a) : children_(child<A>(std::move(a))...) {}

  bool await_must_resume() {
    bool all = true;
    for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all || this->failures_;
  }
  auto await_resume() {
    if (this->failures_) std::rethrow_exception(this->failures_.combined());
    if constexpr ((std::is_void_v<typename child<A>::result_type> && ...)) {
      for_each([](auto& c) { c.take(); });  // tells a leaf that its result has arrived
    } else {
      return std::apply(
          [](auto&... c) {
            return std::tuple<stored<typename child<A>::result_type>...>{c.take()...};
          },
          children_);
    }
  }

 private:
  friend combinator_awaiter<gather_awaiter>;
  template <class F>
  void for_each(F f) {
    std::apply([&](auto&... c) { (f(c), ...); }, children_);
  }
  bool ends(bool failed) { return failed; }

  std::tuple<child<A>...> children_;
};

template <class T>
class gather_range_awaiter : public combinator_awaiter<gather_range_awaiter<T>> {
 public:
  explicit gather_range_awaiter(std::vector<task<T>>&& tasks) : size_(tasks.size()) {
    chunks_.reserve((size_ + per_chunk - 1) / per_chunk);
    for (std::size_t i = 0; i < size_; i++) {
      if (i % per_chunk == 0) chunks_.emplace_back(new chunk);
      chunks_.back()->children[i % per_chunk].reset(std::move(tasks[i]));
    }
  }

  bool await_must_resume() {
    bool all = true;
    for_each([&](auto& c) { all &= c.state() == outcome::completed; });
    return all || this->failures_;
  }
  auto await_resume() {
    if (this->failures_) std::rethrow_exception(this->failures_.combined());
    if constexpr (!std::is_void_v<T>) {
      std::vector<T> results;
      results.reserve(size_);
      for_each([&](auto& c) { results.push_back(c.take()); });
      return results;
    }
  }

 private:
  friend combinator_awaiter<gather_range_awaiter>;
  // Pooled chunks: one large block would be mapped and faulted in anew each time.
  static constexpr std::size_t per_chunk = frame_largest_bytes / sizeof(child<task<T>>);
  struct chunk : pooled {
    child<task<T>> children[per_chunk];
  };

  template <class F>
  void for_each(F f) {
    for (std::size_t i = 0; i < size_; i++) f(chunks_[i / per_chunk]->children[i % per_chunk]);
  }
  bool ends(bool failed) { return failed; }

  std::vector<std::unique_ptr<chunk>> chunks_;
  std::size_t size_;
};

}  // namespace detail

/// Runs awaitables concurrently and waits for all of them.
/// Returns: a tuple in argument order, `std::monostate` for void ones; nothing if all are void.
/// Errors: the first failure, after the others were cancelled and have ended; later ones are
/// `suppressed` on it.
/// Cancel: as its children; if all of them completed all the same, the result wins.
template <class... A>
auto gather(A... awaitables) {
  return detail::gather_awaiter<A...>(std::move(awaitables)...);
}

/// The same for any number of tasks. Returns: a vector in the same order; nothing for `task<void>`.
template <class T>
auto gather(std::vector<task<T>> tasks) {
  return detail::gather_range_awaiter<T>(std::move(tasks));
}

}  // namespace cuvee::inline v0
