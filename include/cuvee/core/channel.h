// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/exchange.h>

#include <algorithm>
#include <span>

namespace cuvee::inline v0 {

struct channel_statistics {
  std::size_t buffered = 0;           ///< items that are in the channel
  std::size_t senders = 0;            ///< open ones
  std::size_t receivers = 0;          ///< open ones
  std::size_t waiting_senders = 0;    ///< tasks suspended in `send`
  std::size_t waiting_receivers = 0;  ///< tasks suspended in `recv` or `recv_into`
};

namespace detail {

template <class T>
struct channel_state {
  explicit channel_state(queue_bound bound) : items(bound) {}

  exchange<T, fifo_order<T>> items;
  std::size_t senders = 0;    // open ones
  std::size_t receivers = 0;  // open ones
  std::size_t ends = 0;       // objects that refer to this, also closed ones

  channel_statistics statistics() const noexcept {
    return {items.size(), senders, receivers, items.waiting_putters(), items.waiting_getters()};
  }
};

enum class side { sending, receiving };

/// What senders and receivers share. On the heap, since a sender may move while it waits.
template <class T, side Side>
class channel_end : public exchange_end {
 public:
  explicit channel_end(channel_state<T>& s) noexcept : state(&s) {
    state->ends++;
    open_ones()++;
  }
  channel_end(const channel_end&) = delete;
  channel_end& operator=(const channel_end&) = delete;
  ~channel_end() {
    close();
    if (--state->ends == 0) delete state;
  }

  void close() {
    if (std::exchange(closed, true)) return;
    open_ones()--;
    if constexpr (Side == side::sending) state->items.finish_putters_of(*this);
    else state->items.finish_getters_of(*this);
    if (open_ones() != 0) return;
    state->items.finish();
    if constexpr (Side == side::receiving) state->items.drop_items();
  }

  channel_state<T>* state;

 private:
  std::size_t& open_ones() noexcept {
    return Side == side::sending ? state->senders : state->receivers;
  }
};

/// Owns an end; a copy is an end of its own.
template <class T, side Side>
class channel_handle {
 public:
  explicit channel_handle(channel_state<T>& s) : end_(std::make_unique<channel_end<T, Side>>(s)) {}
  channel_handle(const channel_handle& other)
      : end_(other.closed() ? nullptr
                            : std::make_unique<channel_end<T, Side>>(*other.end_->state)) {}
  channel_handle(channel_handle&&) noexcept = default;
  channel_handle& operator=(channel_handle other) noexcept {
    std::swap(end_, other.end_);
    return *this;
  }

  /// Closes this end, not its clones. Operations that wait at it fail with `closed`, and so do later ones.
  void close() {
    if (end_) end_->close();
  }
  bool closed() const noexcept { return !end_ || end_->closed; }
  /// Of the whole channel; all zero for an end that was moved from or copied from a closed one.
  channel_statistics statistics() const noexcept {
    return end_ ? end_->state->statistics() : channel_statistics();
  }

 protected:
  std::unique_ptr<channel_end<T, Side>> end_;
};

template <class T>
class recv_base : public exchange_get<T, fifo_order<T>> {
 protected:
  explicit recv_base(channel_end<T, side::receiving>* end) noexcept
      : exchange_get<T, fifo_order<T>>(end ? &end->state->items : nullptr, end) {}

  /// True: this receiver was closed before it was asked.
  bool refused() noexcept {
    if (this->end && !this->end->closed) [[likely]]
      return false;
    this->how = ending::closed;
    return true;
  }
  /// For an awaiter that has no item. The end of the channel is no error.
  void check() const {
    if (this->failure) std::rethrow_exception(this->failure);
    if (this->how == ending::closed) throw error(errc::closed, "recv", "channel");
  }
};

/// Where a batch goes. `emplace` succeeds or changes nothing.
template <class T>
struct vector_batch {
  std::size_t limit;
  std::vector<T> items;

  std::size_t size() const noexcept { return items.size(); }
  void make_room(std::size_t n) { items.reserve(n); }
  void emplace(T&& item) { items.push_back(std::move(item)); }
  std::vector<T> result() { return std::move(items); }
};
template <class T>
struct span_batch {
  std::size_t limit;
  T* items;
  std::size_t count = 0;

  std::size_t size() const noexcept { return count; }
  void make_room(std::size_t) noexcept {}
  void emplace(T&& item) {
    items[count] = std::move(item);
    count++;
  }
  std::size_t result() const noexcept { return count; }
};

template <class T, class Batch>
class recv_batch_awaiter : public recv_base<T> {
 public:
  recv_batch_awaiter(channel_end<T, side::receiving>* end, Batch&& batch) noexcept
      : recv_base<T>(end), batch_(std::move(batch)) {}

  bool await_ready() noexcept {
    if (batch_.limit == 0 || this->refused()) return true;
    try {
      take_all();
    } catch (...) {  // what was taken before counts; the next call meets the failure again
      this->failure = std::current_exception();
      return true;
    }
    if (batch_.size() != 0) return true;
    if (this->exchange_->over()) this->how = ending::over;
    return this->exchange_->over();
  }
  auto await_resume() {
    if (this->value) batch_.emplace(std::move(*this->value));
    if (batch_.size() == 0) this->check();
    return batch_.result();
  }

 private:
  void take_all() {
    auto& items = *this->exchange_;
    std::size_t n = std::min(batch_.limit, items.size() + items.waiting_putters());
    // For one at least, though there be none: what is handed over later must not want memory.
    batch_.make_room(std::max(n, std::size_t{1}));
    while (batch_.size() < n && items.take(batch_)) continue;
  }

  Batch batch_;
};

}  // namespace detail

/// The end of a channel that items go in at. A copy is one more sender; the channel ends for its receivers when
/// the last one is closed or destroyed. A coroutine's parameter lives as long as its frame: a child of `gather` that
/// returns a value keeps it until all children have ended; there, close it or move it into a local variable.
template <class T>
class sender : public detail::channel_handle<T, detail::side::sending> {
 public:
  class send_awaiter;
  using detail::channel_handle<T, detail::side::sending>::channel_handle;

  /// Sends an item; waits while the channel is full, with a bound of 0 until somebody receives it.
  /// Errors: broken_pipe if every receiver is closed, also while it waits; closed if this sender is.
  /// Cancel: safe, at once; the item was not sent and is destroyed. Lifetime: needs this sender.
  [[nodiscard]] send_awaiter send(T item) {
    return send_awaiter(this->end_.get(), std::move(item));
  }

  /// Returns: false if the channel is full, or nobody waits where the bound is 0; `item` is then untouched.
  /// Errors: as for `send`.
  template <class U = T>
    requires std::constructible_from<T, U>
  [[nodiscard]] bool try_send(U&& item) {
    if (this->closed()) throw error(errc::closed, "try_send", "channel");
    if (items().over())
      throw error(std::make_error_code(std::errc::broken_pipe), "try_send", "channel");
    return items().offer(std::forward<U>(item));
  }

 private:
  auto& items() noexcept { return this->end_->state->items; }
};

/// The end of a channel that items come out of. A copy is one more receiver, and each item goes to one of them.
/// When the last one is closed or destroyed, what is buffered is dropped and senders fail.
template <class T>
class receiver : public detail::channel_handle<T, detail::side::receiving> {
 public:
  class recv_awaiter;
  using recv_many_awaiter = detail::recv_batch_awaiter<T, detail::vector_batch<T>>;
  using recv_into_awaiter = detail::recv_batch_awaiter<T, detail::span_batch<T>>;
  using detail::channel_handle<T, detail::side::receiving>::channel_handle;

  /// Receives the next item; waits while there is none.
  /// Returns: empty at the end of the channel: every sender is closed and all they sent was received. So
  /// `while (auto item = co_await rx.recv())` ends by itself.
  /// Errors: closed if this receiver is, also while it waits. Cancel: safe, at once; no item is lost.
  /// Lifetime: needs this receiver.
  [[nodiscard]] recv_awaiter recv() noexcept { return recv_awaiter(this->end_.get()); }

  /// Receives what is there, at most `limit` items; waits for the first one.
  /// Returns: a vector, empty only at the end of the channel or if `limit` is 0.
  /// Errors, Cancel, Lifetime: as for `recv`.
  [[nodiscard]] recv_many_awaiter recv(std::size_t limit) noexcept {
    return {this->end_.get(), detail::vector_batch<T>{limit, {}}};
  }

  /// The same into `items`. Returns: how many; 0 only at the end of the channel or if `items` is empty.
  /// Errors, Cancel, Lifetime: as for `recv`; what an assignment throws. `items` lives as long.
  [[nodiscard]] recv_into_awaiter recv_into(std::span<T> items) noexcept {
    return {this->end_.get(), detail::span_batch<T>{items.size(), items.data()}};
  }

  /// Returns: empty if there is nothing to receive yet.
  /// Errors: end_of_stream at the end of the channel; closed if this receiver is.
  [[nodiscard]] std::optional<T> try_recv() {
    if (this->closed()) throw error(errc::closed, "try_recv", "channel");
    std::optional<T> item;
    auto& items = this->end_->state->items;
    if (!items.take(item) && items.over()) throw error(errc::end_of_stream, "try_recv", "channel");
    return item;
  }
};

/// A queue with two sides that know of each other: `auto [tx, rx] = channel<job>(16)`. Either side may have
/// many owners, within one loop, and learns when the other is gone.
/// Errors: invalid_argument if the bound is negative.
template <class T>
[[nodiscard]] std::pair<sender<T>, receiver<T>> channel(queue_bound bound = 0) {
  auto state = std::make_unique<detail::channel_state<T>>(bound);
  sender<T> tx(*state);
  auto& shared = *state.release();
  receiver<T> rx(shared);
  return {std::move(tx), std::move(rx)};
}

template <class T>
class sender<T>::send_awaiter : public detail::exchange_put<T, detail::fifo_order<T>> {
  using base = detail::exchange_put<T, detail::fifo_order<T>>;

 public:
  send_awaiter(detail::channel_end<T, detail::side::sending>* end, T&& item)
      : base(end ? &end->state->items : nullptr, end, std::move(item)) {}

  bool await_ready() noexcept {
    if (!this->end || this->end->closed) [[unlikely]] {
      this->how = detail::ending::closed;
      return true;
    }
    return base::await_ready();
  }
  void await_resume() {
    if (this->how != detail::ending::done) [[unlikely]]
      await_result().value();
  }
  result<void> await_result() {
    if (this->failure) std::rethrow_exception(this->failure);
    if (this->how == detail::ending::closed) return error(errc::closed, "send", "channel");
    if (this->how == detail::ending::over)
      return error(std::make_error_code(std::errc::broken_pipe), "send", "channel");
    return {};
  }
};

template <class T>
class receiver<T>::recv_awaiter : public detail::recv_base<T> {
 public:
  explicit recv_awaiter(detail::channel_end<T, detail::side::receiving>* end) noexcept
      : detail::recv_base<T>(end) {}

  bool await_ready() noexcept { return this->refused() || detail::recv_base<T>::await_ready(); }
  std::optional<T> await_resume() {
    if (!this->value) [[unlikely]]
      this->check();
    return std::move(this->value);
  }
};

}  // namespace cuvee::inline v0
