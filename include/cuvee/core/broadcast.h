// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/queue_order.h>
#include <cuvee/core/wait_list.h>

#include <optional>

namespace cuvee::inline v0 {

/// A subscriber was too slow: the oldest items it had not received were overwritten. Receiving goes on with
/// the oldest that is left. Code: `errc::limit_exceeded`.
class CUVEE_API lagged_error : public error {
 public:
  explicit lagged_error(std::uint64_t missed);
  ~lagged_error() override;

  /// How many items were lost to this subscriber.
  std::uint64_t missed() const noexcept { return missed_; }

 private:
  std::uint64_t missed_;
};

struct broadcast_statistics {
  std::size_t kept = 0;         ///< items that a subscriber may still receive
  std::size_t subscribers = 0;  ///< open ones
  std::uint64_t sent = 0;       ///< items that had a subscriber
};

template <class T>
class subscription;

namespace detail {

template <class T>
struct subscriber;

[[noreturn]] CUVEE_API void refuse_broadcast_capacity();
CUVEE_API error broadcast_error(std::error_code code, const char* operation);

enum class broadcast_end : std::uint8_t { none, done, over, closed, busy };

template <class T>
struct broadcast_node : wait_node {
  std::optional<T> value;
  subscriber<T>* from = nullptr;
  std::uint64_t missed = 0;
  std::exception_ptr failure;  // what copying the item threw
  broadcast_end how = broadcast_end::none;

  void finish(broadcast_end end);
};

template <class T>
struct broadcast_state {
  item_buffer<T> kept;
  std::uint64_t next = 0;  // the number of the item that is sent next
  std::size_t capacity;
  std::size_t subscribers = 0;
  std::size_t owners = 1;
  bool over = false;
  wait_list<broadcast_node<T>> waiting;

  explicit broadcast_state(std::size_t n) : capacity(n) {}
  std::uint64_t oldest() const noexcept { return next - kept.size(); }
  void release() {
    if (--owners == 0) delete this;
  }
  void add(T&& item) {
    kept.emplace_back(std::move(item));
    next++;
    if (kept.size() > capacity) kept.pop_front();
  }
  /// Who waits lacks just the last item. A completion may make its subscriber wait again, for the next.
  void serve() {
    for (broadcast_node<T>* n; (n = waiting.front()) && n->from->position != next;) {
      try {
        n->value.emplace(std::as_const(kept.back()));
        n->from->position++;
      } catch (...) {
        n->failure = std::current_exception();
      }
      n->finish(n->failure ? broadcast_end::none : broadcast_end::done);
    }
  }
  void finish() {
    over = true;
    while (broadcast_node<T>* n = waiting.front()) n->finish(broadcast_end::over);
  }
};

/// On the heap, since a subscription may move while it waits.
template <class T>
struct subscriber {
  broadcast_state<T>* state;
  std::uint64_t position;  // the number of the item that comes next
  broadcast_node<T>* waiting = nullptr;
  bool closed = false;

  explicit subscriber(broadcast_state<T>& s) noexcept : state(&s), position(s.next) {
    s.subscribers++;
    s.owners++;
  }
  subscriber(const subscriber&) = delete;
  subscriber& operator=(const subscriber&) = delete;
  ~subscriber() {
    close();
    state->release();
  }
  void close() {
    if (std::exchange(closed, true)) return;
    if (--state->subscribers == 0) state->kept.clear();
    if (waiting) waiting->finish(broadcast_end::closed);
  }
  /// Returns: how many items are gone that were never received; from then on they do not count.
  std::uint64_t skip_missed() noexcept {
    std::uint64_t from = std::max(position, state->oldest());
    return from - std::exchange(position, from);
  }
  /// False if there is nothing new.
  bool take(std::optional<T>& into) {
    if (position == state->next) return false;
    into.emplace(std::as_const(state->kept[position - state->oldest()]));
    position++;
    return true;
  }
};

template <class T>
void broadcast_node<T>::finish(broadcast_end end) {
  this->unlink();
  from->waiting = nullptr;
  how = end;
  this->waiting->complete();
}

}  // namespace detail

/// Sends items to all who have subscribed, within one loop: each sees every item sent after it subscribed. The
/// sender never waits. The last `capacity` items are kept for those who are slow; who falls further behind
/// loses the oldest and is told how many. Items are copied for each subscriber; send a
/// `std::shared_ptr<const T>` where that is dear.
template <class T>
class broadcast {
  static_assert(std::is_copy_constructible_v<T>, "each subscriber receives a copy");

 public:
  /// Errors: invalid_argument if `capacity` is 0.
  explicit broadcast(std::size_t capacity) {
    if (capacity == 0) detail::refuse_broadcast_capacity();
    state_ = new detail::broadcast_state<T>(capacity);
  }
  broadcast(const broadcast&) = delete;
  broadcast& operator=(const broadcast&) = delete;
  ~broadcast() {
    state_->finish();
    state_->release();
  }

  [[nodiscard]] subscription<T> subscribe() { return subscription<T>(*state_); }

  /// Returns: to how many subscribers; 0 if the item was dropped since there are none.
  /// Errors: closed.
  std::size_t send(T item) {
    if (state_->over) throw detail::broadcast_error(errc::closed, "send");
    if (state_->subscribers == 0) return 0;
    state_->add(std::move(item));
    std::size_t count = state_->subscribers;
    state_->serve();
    return count;
  }

  /// Subscribers still receive what is kept for them, then the end.
  void close() { state_->finish(); }
  bool closed() const noexcept { return state_->over; }
  broadcast_statistics statistics() const noexcept {
    return {state_->kept.size(), state_->subscribers, state_->next};
  }

 private:
  detail::broadcast_state<T>* state_ = nullptr;
};

/// Receives what is sent after it was made. May outlive the `broadcast`.
template <class T>
class subscription {
 public:
  class recv_awaiter;

  explicit subscription(detail::broadcast_state<T>& s)
      : subscriber_(std::make_unique<detail::subscriber<T>>(s)) {}

  /// Receives the next item; waits while there is none.
  /// Returns: empty at the end: the broadcast was closed or destroyed and all that is kept was received.
  /// Errors: lagged_error, and the call after it goes on; closed if this subscription is, also while it waits; busy
  /// if another `recv` waits; what copying the item throws, and the next call meets that item again.
  /// Cancel: safe, at once; no item is lost. Lifetime: needs this subscription.
  [[nodiscard]] recv_awaiter recv() noexcept { return recv_awaiter(subscriber_.get()); }

  /// Returns: empty if there is nothing new.
  /// Errors: end_of_stream at the end; else as for `recv`.
  [[nodiscard]] std::optional<T> try_recv() {
    if (closed()) throw detail::broadcast_error(errc::closed, "try_recv");
    if (std::uint64_t missed = subscriber_->skip_missed()) throw lagged_error(missed);
    std::optional<T> item;
    if (!subscriber_->take(item) && subscriber_->state->over)
      throw detail::broadcast_error(errc::end_of_stream, "try_recv");
    return item;
  }

  /// Ends the subscription; a `recv` that waits fails with `closed`.
  void close() {
    if (subscriber_) subscriber_->close();
  }
  bool closed() const noexcept { return !subscriber_ || subscriber_->closed; }

 private:
  std::unique_ptr<detail::subscriber<T>> subscriber_;
};

template <class T>
class subscription<T>::recv_awaiter : public detail::broadcast_node<T> {
  using end = detail::broadcast_end;

 public:
  explicit recv_awaiter(detail::subscriber<T>* s) noexcept { this->from = s; }

  bool await_ready() noexcept {
    this->how = ready_end();
    return this->how != end::none || this->missed != 0 || this->failure;
  }
  void await_suspend(waiter& w) noexcept {
    this->from->waiting = this;
    this->from->state->waiting.add(*this, w);
  }
  bool await_cancel(waiter&) noexcept {
    this->unlink();
    this->from->waiting = nullptr;
    return true;
  }
  std::optional<T> await_resume() {
    if (!this->value) [[unlikely]]
      check();
    return std::move(this->value);
  }

 private:
  end ready_end() noexcept {
    detail::subscriber<T>* s = this->from;
    if (!s || s->closed) return end::closed;
    if (s->waiting) return end::busy;
    this->missed = s->skip_missed();
    if (this->missed != 0) return end::none;
    try {
      if (s->take(this->value)) return end::done;
    } catch (...) {
      this->failure = std::current_exception();
      return end::none;
    }
    return s->state->over ? end::over : end::none;
  }
  void check() const {
    if (this->missed != 0) throw lagged_error(this->missed);
    if (this->failure) std::rethrow_exception(this->failure);
    if (this->how == end::closed) throw detail::broadcast_error(errc::closed, "recv");
    if (this->how == end::busy) throw detail::broadcast_error(errc::busy, "recv");
  }
};

}  // namespace cuvee::inline v0
