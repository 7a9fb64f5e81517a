// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>
#include <cuvee/core/wait_list.h>

#include <cstddef>

namespace cuvee::inline v0 {

/// A point where a fixed number of tasks meet before they go on, again and again. Who has arrived
/// goes on at once when the last one comes, and may return for the next round before the others
/// have run.
class CUVEE_API barrier {
 public:
  class arrive_awaiter;

  /// Errors: invalid_argument if `parties` is 0.
  explicit barrier(std::size_t parties);
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;

  /// Returns: a number that no other of this round has, 0 to parties − 1, in the order of arrival.
  /// Errors: broken if it is reset or aborted meanwhile, or was aborted and not reset since.
  /// Cancel: safe, as if it had not arrived; the barrier stays whole.
  [[nodiscard]] arrive_awaiter arrive_and_wait() noexcept;

  /// Breaks the round of those who wait; the next to arrive begins a new one.
  void reset();
  /// Breaks the round of those who wait and of everybody who arrives before `reset`.
  void abort();

  bool broken() const noexcept { return broken_; }
  std::size_t parties() const noexcept { return parties_; }
  /// How many have arrived.
  std::size_t waiting() const noexcept { return arrived_; }

 private:
  enum class fate : unsigned char { open, passed, broken };
  void end_round(fate how);

  detail::wait_list<arrive_awaiter> waiting_;
  std::size_t parties_;
  std::size_t arrived_ = 0;
  bool broken_ = false;
};

class CUVEE_API barrier::arrive_awaiter : public detail::wait_node {
 public:
  explicit arrive_awaiter(barrier& b) noexcept : barrier_(&b) {}

  bool await_ready();
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter& w) noexcept;
  std::size_t await_resume() const;

 private:
  friend class barrier;
  barrier* barrier_;
  std::size_t index_ = 0;
  fate fate_ = fate::open;
};

inline barrier::arrive_awaiter barrier::arrive_and_wait() noexcept { return arrive_awaiter(*this); }

}  // namespace cuvee::inline v0
