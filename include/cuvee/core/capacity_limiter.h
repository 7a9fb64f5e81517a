// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>
#include <cuvee/core/wait_list.h>

#include <cstddef>
#include <optional>
#include <utility>

namespace cuvee::inline v0 {

class capacity_limiter;
class capacity_token;

/// Somebody a `capacity_limiter` lends at most one token to: a connection, a user, a job. Not a
/// task by itself, because a token may outlive the task that asked for it.
/// Lifetime: may end before its tokens do.
class borrower {
 public:
  borrower() noexcept = default;
  borrower(const borrower&) = delete;
  borrower& operator=(const borrower&) = delete;
  ~borrower();

 private:
  friend class capacity_token;
  friend class capacity_limiter;
  detail::list<capacity_token> tokens_;
};

/// A unit of a limiter's capacity, until it is destroyed or released: on the loop's thread, but
/// otherwise by whom and when you like. Lifetime: the limiter outlives it.
class [[nodiscard]] capacity_token : detail::list_node {
 public:
  /// Holds nothing.
  capacity_token() noexcept = default;
  capacity_token(capacity_token&& other) noexcept { take(other); }
  CUVEE_API capacity_token& operator=(capacity_token&& other) noexcept;
  ~capacity_token() { drop(); }

  /// Errors: operation_not_permitted if it holds nothing.
  CUVEE_API void release();
  bool owns_token() const noexcept { return state_ == state::lent; }

 private:
  friend class borrower;
  friend class capacity_limiter;
  friend class detail::list<capacity_token>;
  enum class state : unsigned char { empty, awaited, lent };

  CUVEE_API void take(capacity_token& other) noexcept;
  CUVEE_API void drop() noexcept;

  capacity_limiter* limiter_ = nullptr;
  state state_ = state::empty;
};

/// Limits how many do something at once; the limit can be moved while they do it. Those who wait
/// are served in the order of asking.
class CUVEE_API capacity_limiter {
 public:
  class acquire_awaiter;
  struct statistics_snapshot {
    std::size_t borrowed, total, waiting;
  };

  /// With a total of 0 everybody waits until it is raised.
  explicit capacity_limiter(std::size_t total) noexcept : total_(total) {}
  capacity_limiter(const capacity_limiter&) = delete;
  capacity_limiter& operator=(const capacity_limiter&) = delete;

  /// Borrows a token. Every call counts as another borrower.
  /// Cancel: safe, no token is borrowed.
  [[nodiscard]] acquire_awaiter acquire() noexcept;
  /// The same on behalf of `who`, who cannot borrow twice.
  /// Errors: resource_deadlock_would_occur if `who` has a token of this limiter or waits for one.
  /// Cancel: safe, no token is borrowed. Lifetime: `who` lives until it is granted.
  [[nodiscard]] acquire_awaiter acquire(borrower& who) noexcept;
  /// Returns: nothing if there is no token.
  [[nodiscard]] std::optional<capacity_token> try_acquire() noexcept;
  /// Returns: nothing if there is no token. Errors: as `acquire`.
  [[nodiscard]] std::optional<capacity_token> try_acquire(borrower& who);

  /// A higher total lets those in who wait; a lower one takes no token away.
  void set_total(std::size_t total);
  std::size_t total() const noexcept { return total_; }
  statistics_snapshot statistics() const noexcept;

 private:
  friend class capacity_token;

  bool try_take(capacity_token& into) noexcept;
  void give_back() noexcept;
  void serve();
  /// False if `who` has or awaits one already.
  bool enlist(capacity_token& token, borrower& who) noexcept;

  mutable detail::wait_list<acquire_awaiter> waiting_;  // mutable: to be counted
  std::size_t borrowed_ = 0;
  std::size_t total_;
};

/// The token lies here from the moment it is granted, so an awaiter that is dropped then gives it
/// back.
class CUVEE_API capacity_limiter::acquire_awaiter : public detail::wait_node {
 public:
  acquire_awaiter(capacity_limiter& limiter, borrower* who) noexcept
      : limiter_(&limiter), who_(who) {}

  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter& w) noexcept;
  capacity_token await_resume();

 private:
  friend class capacity_limiter;
  capacity_limiter* limiter_;
  borrower* who_;  // null: nobody in particular
  capacity_token token_;
  bool refused_ = false;
};

inline capacity_limiter::acquire_awaiter capacity_limiter::acquire() noexcept {
  return acquire_awaiter(*this, nullptr);
}
inline capacity_limiter::acquire_awaiter capacity_limiter::acquire(borrower& who) noexcept {
  return acquire_awaiter(*this, &who);
}

inline borrower::~borrower() {
  while (tokens_.pop_front()) {
  }
}

}  // namespace cuvee::inline v0
