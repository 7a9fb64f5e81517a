// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/queue_bound.h>
#include <cuvee/core/queue_order.h>
#include <cuvee/core/wait_list.h>

#include <exception>
#include <optional>

namespace cuvee::inline v0::detail {

enum class ending : std::uint8_t {
  none,  // or failed: then `failure` says how
  done,
  over,    // no item comes or is taken any more
  closed,  // the end of a channel that it waited at was closed
};

/// One of several owners of an exchange, if there are several: it can end its own waiters.
struct exchange_end {
  std::size_t waiting = 0;
  bool closed = false;
};

struct exchange_node : wait_node {
  explicit exchange_node(exchange_end* e) noexcept : end(e) {}

  /// Inside a catch block; out of line, since every put and get has one.
  [[gnu::noinline, gnu::cold]] void fail() noexcept { failure = std::current_exception(); }

  exchange_end* end;
  ending how = ending::none;
  std::exception_ptr failure;  // what moving the item threw
};

template <class T>
struct put_node : exchange_node {
  put_node(exchange_end* e, T&& item) noexcept(std::is_nothrow_move_constructible_v<T>)
      : exchange_node(e), value(std::move(item)) {}

  T value;
};

template <class T>
struct get_node : exchange_node {
  using exchange_node::exchange_node;

  std::optional<T> value;
};

/// A line of those who put or get.
template <class Node>
class exchange_line {
 public:
  std::size_t size() const noexcept { return size_; }
  Node* front() noexcept { return nodes_.front(); }
  void add(Node& n, waiter& w) noexcept {
    nodes_.add(n, w);
    size_++;
    if (n.end) n.end->waiting++;
  }
  void remove(Node& n) noexcept {
    n.unlink();
    size_--;
    if (n.end) n.end->waiting--;
  }
  [[gnu::noinline]] void finish(Node& n, ending how) {
    remove(n);
    n.how = how;
    n.waiting->complete();
  }
  void finish_all(ending how) {
    while (Node* n = front()) finish(*n, how);
  }
  /// Those of one end. The others keep their order.
  void finish_of(const exchange_end& end) {
    if (end.waiting == 0) return;
    wait_list<Node> own;
    for (std::size_t left = size_; left > 0; left--) {
      Node* n = nodes_.take();
      (n->end == &end ? own : nodes_).add(*n, *n->waiting);
    }
    while (Node* n = own.front()) finish(*n, ending::closed);
  }

 private:
  wait_list<Node> nodes_;
  std::size_t size_ = 0;
};

/// What queues and channels share: items up to a bound between a line of those who put and one of those who
/// get. Nobody gets in line while he could be served, and who is served has his item at that moment:
/// getters wait only where nothing is to be had, putters only where nothing fits.
/// If moving an item throws, the operation that moved it fails and the item stays where it was.
/// A completion may put and get here in turn, so each comes after everything else is settled.
template <class T, class Order>
class exchange {
 public:
  explicit exchange(queue_bound bound, Order order = {})
      : items_(std::move(order)), bound_(bound) {}
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// True: ended, one way or the other. The usual case, where nobody waits and nothing can throw, is meant to
  /// be inlined.
  bool put(put_node<T>& n) noexcept {
    if (getters_.size() != 0 || items_.size() >= bound_.items() || !items_.pushes_safely() || over_)
      return put_slowly(n);
    items_.push(std::move(n.value));
    accepted_++;
    n.how = ending::done;
    return true;
  }
  bool get(get_node<T>& n) noexcept {
    if (items_.size() == 0 || !Order::takes_safely) return get_slowly(n);
    items_.take(n.value);
    n.how = ending::done;
    if (putters_.size() != 0) admit();
    return true;
  }
  void wait(put_node<T>& n, waiter& w) noexcept { putters_.add(n, w); }
  void wait(get_node<T>& n, waiter& w) noexcept { getters_.add(n, w); }
  void withdraw(put_node<T>& n) noexcept { putters_.remove(n); }
  void withdraw(get_node<T>& n) noexcept { getters_.remove(n); }

  /// Without waiting; false if nothing fits, and then `item` is untouched.
  template <class U>
  bool offer(U&& item) {
    if (get_node<T>* g = getters_.front()) {
      g->value.emplace(std::forward<U>(item));
      accepted_++;
      getters_.finish(*g, ending::done);
      return true;
    }
    if (items_.size() >= bound_.items()) return false;
    items_.push(std::forward<U>(item));
    accepted_++;
    return true;
  }
  /// Without waiting; false if there is nothing.
  template <class Slot>
  bool take(Slot& into) {
    if (items_.size() != 0) {
      items_.take(into);
      if (putters_.size() != 0) admit();
      return true;
    }
    put_node<T>* p = putters_.front();
    if (!p) return false;
    into.emplace(std::move(p->value));
    accepted_++;
    putters_.finish(*p, ending::done);
    return true;
  }

  /// No item is accepted any more; those who wait are told.
  void finish() {
    over_ = true;
    putters_.finish_all(ending::over);
    getters_.finish_all(ending::over);
  }
  /// Returns: how many items were dropped.
  std::size_t drop_items() noexcept {
    std::size_t dropped = items_.size();
    items_.clear();
    return dropped;
  }
  void finish_putters_of(const exchange_end& end) { putters_.finish_of(end); }
  void finish_getters_of(const exchange_end& end) { getters_.finish_of(end); }

  bool over() const noexcept { return over_; }
  std::size_t size() const noexcept { return items_.size(); }
  queue_bound bound() const noexcept { return bound_; }
  std::size_t waiting_putters() const noexcept { return putters_.size(); }
  std::size_t waiting_getters() const noexcept { return getters_.size(); }
  std::uint64_t accepted() const noexcept { return accepted_; }

 private:
  [[gnu::noinline]] bool put_slowly(put_node<T>& n) noexcept {
    if (over_) {
      n.how = ending::over;
      return true;
    }
    try {
      if (!offer(std::move(n.value))) return false;
      n.how = ending::done;
    } catch (...) {
      n.fail();
    }
    return true;
  }
  [[gnu::noinline]] bool get_slowly(get_node<T>& n) noexcept {
    try {
      if (!take(n.value)) {
        if (over_) n.how = ending::over;
        return over_;
      }
      n.how = ending::done;
    } catch (...) {
      n.fail();
    }
    return true;
  }
  // A place is free for the first in line. If his item cannot be moved he is told, and it is the next one's.
  [[gnu::noinline]] void admit() {
    for (put_node<T>* p; (p = putters_.front()) && items_.size() < bound_.items();) {
      ending how = ending::done;
      try {
        items_.push(std::move(p->value));
        accepted_++;
      } catch (...) {
        p->fail();
        how = ending::none;
      }
      putters_.finish(*p, how);
    }
  }

  Order items_;
  exchange_line<put_node<T>> putters_;
  exchange_line<get_node<T>> getters_;
  queue_bound bound_;
  bool over_ = false;
  std::uint64_t accepted_ = 0;
};

template <class T, class Order>
class exchange_put : public put_node<T> {
 public:
  bool await_ready() noexcept { return exchange_->put(*this); }
  void await_suspend(waiter& w) noexcept { exchange_->wait(*this, w); }
  bool await_cancel(waiter&) noexcept {
    exchange_->withdraw(*this);
    return true;
  }

 protected:
  exchange_put(exchange<T, Order>* e, exchange_end* end, T&& item)
      : put_node<T>(end, std::move(item)), exchange_(e) {}

  exchange<T, Order>* exchange_;
};

template <class T, class Order>
class exchange_get : public get_node<T> {
 public:
  bool await_ready() noexcept { return exchange_->get(*this); }
  void await_suspend(waiter& w) noexcept { exchange_->wait(*this, w); }
  bool await_cancel(waiter&) noexcept {
    exchange_->withdraw(*this);
    return true;
  }

 protected:
  exchange_get(exchange<T, Order>* e, exchange_end* end) noexcept
      : get_node<T>(end), exchange_(e) {}

  exchange<T, Order>* exchange_;
};

}  // namespace cuvee::inline v0::detail
