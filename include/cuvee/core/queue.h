// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/exchange.h>

namespace cuvee::inline v0 {

struct queue_statistics {
  std::size_t size = 0;             ///< items that are in the queue
  std::size_t waiting_putters = 0;  ///< tasks suspended in `put`
  std::size_t waiting_getters = 0;  ///< tasks suspended in `get`
  std::uint64_t unfinished = 0;     ///< items put that no `task_done` was called for
};

/// What `close` does with the items that are left.
enum class closing { drain, immediate };

/// Items that tasks hand to other tasks, within one loop. Who waits is served first come first served; nobody
/// who comes later overtakes. `queue`, `lifo_queue` and `priority_queue` name its orders. For producers and
/// consumers that come and go, where the end of the items must be known, use `channel`.
/// If moving a `T` throws, the call that moved it throws that, and the item stays where it was.
/// Lifetime: outlives those who wait for it.
template <class T, class Order>
class basic_queue {
 public:
  class put_awaiter;
  class get_awaiter;
  class join_awaiter;

  explicit basic_queue(queue_bound bound, Order order = {}) : exchange_(bound, std::move(order)) {}
  basic_queue(const basic_queue&) = delete;
  basic_queue& operator=(const basic_queue&) = delete;

  /// Adds an item; waits while the queue is full. With a bound of 0 it waits for the one who gets it.
  /// Errors: closed, also while it waits. Cancel: safe, at once; the item was not put and is destroyed.
  [[nodiscard]] put_awaiter put(T item) { return put_awaiter(exchange_, std::move(item)); }

  /// Takes the next item; waits while there is none.
  /// Errors: closed, once a closed queue is empty. Cancel: safe, at once; no item is lost.
  [[nodiscard]] get_awaiter get() noexcept { return get_awaiter(exchange_); }

  /// Waits until `task_done` was called for every item that was put or until the rest was dropped.
  /// Cancel: safe, at once.
  [[nodiscard]] join_awaiter join() noexcept { return join_awaiter(*this); }

  /// Returns: false if the queue is full, or nobody waits where the bound is 0; `item` is then untouched.
  /// Errors: closed.
  template <class U = T>
    requires std::constructible_from<T, U>
  [[nodiscard]] bool try_put(U&& item) {
    if (exchange_.over()) throw error(errc::closed, "try_put", "queue");
    return exchange_.offer(std::forward<U>(item));
  }

  /// Returns: empty if there is nothing to get. Errors: closed, once a closed queue is empty.
  [[nodiscard]] std::optional<T> try_get() {
    std::optional<T> item;
    if (!exchange_.take(item) && exchange_.over()) throw error(errc::closed, "try_get", "queue");
    return item;
  }

  /// An item that was got has been dealt with; the last one wakes `join`.
  /// Errors: invalid_argument if called more often than items were put.
  void task_done() {
    if (unfinished() == 0)
      throw error(std::make_error_code(std::errc::invalid_argument), "task_done", "queue",
                  "more calls than items");
    finished_++;
    if (unfinished() == 0) joiners_.wake_all();
  }

  /// Lets nothing more in: `put` fails, also for those who wait in it. With `closing::drain` `get` gives what
  /// is left before it fails; with `closing::immediate` that is dropped, and `join` does not wait for it.
  void close(closing how = closing::drain) {
    exchange_.finish();
    if (how == closing::drain) return;
    finished_ += exchange_.drop_items();
    if (unfinished() == 0) joiners_.wake_all();
  }

  bool closed() const noexcept { return exchange_.over(); }
  std::size_t size() const noexcept { return exchange_.size(); }
  bool empty() const noexcept { return size() == 0; }
  /// True where `put` would wait, unless somebody waits in `get`.
  bool full() const noexcept { return size() >= bound().items(); }
  queue_bound bound() const noexcept { return exchange_.bound(); }
  queue_statistics statistics() const noexcept {
    return {size(), exchange_.waiting_putters(), exchange_.waiting_getters(), unfinished()};
  }

 private:
  std::uint64_t unfinished() const noexcept { return exchange_.accepted() - finished_; }

  detail::exchange<T, Order> exchange_;
  detail::wait_list<> joiners_;
  std::uint64_t finished_ = 0;
};

/// First in, first out.
template <class T>
using queue = basic_queue<T, detail::fifo_order<T>>;

/// Last in, first out.
template <class T>
using lifo_queue = basic_queue<T, detail::lifo_order<T>>;

/// `Compare(a, b)` says that `a` goes first: by default the least item does. Equal items leave in the order
/// they came in. A comparison that throws fails the call that made it and changes nothing.
template <class T, class Compare = std::less<>>
using priority_queue = basic_queue<T, detail::priority_order<T, Compare>>;

template <class T, class Order>
class basic_queue<T, Order>::put_awaiter : public detail::exchange_put<T, Order> {
 public:
  put_awaiter(detail::exchange<T, Order>& e, T&& item)
      : detail::exchange_put<T, Order>(&e, nullptr, std::move(item)) {}

  void await_resume() {
    if (this->how != detail::ending::done) [[unlikely]]
      refuse();
  }
  result<void> await_result() {
    if (this->failure) std::rethrow_exception(this->failure);
    if (this->how == detail::ending::over) return closed();
    return {};
  }

 private:
  static error closed() { return error(errc::closed, "put", "queue"); }
  [[noreturn, gnu::noinline, gnu::cold]] void refuse() const {
    if (this->failure) std::rethrow_exception(this->failure);
    throw closed();
  }
};

template <class T, class Order>
class basic_queue<T, Order>::get_awaiter : public detail::exchange_get<T, Order> {
 public:
  explicit get_awaiter(detail::exchange<T, Order>& e) noexcept
      : detail::exchange_get<T, Order>(&e, nullptr) {}

  T await_resume() {
    if (this->value) [[likely]]
      return std::move(*this->value);
    refuse();
  }
  result<T> await_result() {
    if (this->value) return std::move(*this->value);
    if (this->failure) std::rethrow_exception(this->failure);
    return closed();
  }

 private:
  static error closed() { return error(errc::closed, "get", "queue"); }
  [[noreturn, gnu::noinline, gnu::cold]] void refuse() const {
    if (this->failure) std::rethrow_exception(this->failure);
    throw closed();
  }
};

template <class T, class Order>
class basic_queue<T, Order>::join_awaiter : public detail::wait_node {
 public:
  explicit join_awaiter(basic_queue& q) noexcept : queue_(&q) {}

  bool await_ready() const noexcept { return queue_->unfinished() == 0; }
  void await_suspend(waiter& w) noexcept { queue_->joiners_.add(*this, w); }
  void await_resume() const noexcept {}

 private:
  basic_queue* queue_;
};

}  // namespace cuvee::inline v0
