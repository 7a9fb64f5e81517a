// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/held.h>
#include <cuvee/core/wait_list.h>

#include <cstddef>
#include <optional>

namespace cuvee::inline v0 {

class exclusive_guard;
class shared_guard;

/// A lock that one task holds alone or many share. It is taken in the order of asking: whoever asks
/// to share it after somebody who wants it alone waits behind that one, so neither side starves.
class CUVEE_API rw_lock {
 public:
  template <class Guard>
  class awaiter;

  rw_lock() noexcept = default;
  rw_lock(const rw_lock&) = delete;
  rw_lock& operator=(const rw_lock&) = delete;

  /// Returns: an `exclusive_guard` that unlocks when it is destroyed. Cancel: safe, no lock is
  /// taken.
  [[nodiscard]] awaiter<exclusive_guard> lock() noexcept;
  /// Returns: a `shared_guard` that unlocks when it is destroyed. Cancel: safe, no lock is taken.
  [[nodiscard]] awaiter<shared_guard> lock_shared() noexcept;
  /// Returns: nothing if anybody holds it.
  [[nodiscard]] std::optional<exclusive_guard> try_lock() noexcept;
  /// Returns: nothing if somebody holds it alone or waits for it.
  [[nodiscard]] std::optional<shared_guard> try_lock_shared() noexcept;

  bool locked() const noexcept { return locked_; }
  /// How many share it.
  std::size_t readers() const noexcept { return readers_; }

 private:
  friend class exclusive_guard;
  friend class shared_guard;
  struct line_node : detail::wait_node {
    explicit line_node(bool (*take)(line_node&)) noexcept : take_lock(take) {}
    bool (*take_lock)(line_node&);
  };

  bool take(exclusive_guard& into) noexcept;
  bool take(shared_guard& into) noexcept;
  template <class Guard>
  std::optional<Guard> try_take() noexcept;
  void unlock();
  void unlock_shared();
  void admit();

  detail::wait_list<line_node> waiting_;
  std::size_t readers_ = 0;
  bool locked_ = false;
};

/// Holds an `rw_lock` alone until it is destroyed or unlocked. Lifetime: the lock outlives it.
class [[nodiscard]] exclusive_guard {
 public:
  /// Holds nothing.
  exclusive_guard() noexcept = default;

  /// Errors: operation_not_permitted if it holds nothing.
  void unlock() { held_.give_back("unlock", "rw_lock"); }
  bool owns_lock() const noexcept { return held_.owner() != nullptr; }

 private:
  friend class rw_lock;
  explicit exclusive_guard(rw_lock& l) noexcept : held_(l) {}

  detail::held<rw_lock, &rw_lock::unlock> held_;
};

/// Shares an `rw_lock` until it is destroyed or unlocked. Lifetime: the lock outlives it.
class [[nodiscard]] shared_guard {
 public:
  /// Holds nothing.
  shared_guard() noexcept = default;

  /// Errors: operation_not_permitted if it holds nothing.
  void unlock() { held_.give_back("unlock_shared", "rw_lock"); }
  bool owns_lock() const noexcept { return held_.owner() != nullptr; }

 private:
  friend class rw_lock;
  explicit shared_guard(rw_lock& l) noexcept : held_(l) {}

  detail::held<rw_lock, &rw_lock::unlock_shared> held_;
};

/// The guard lies here from the moment the lock is granted, so an awaiter that is dropped then
/// unlocks.
template <class Guard>
class rw_lock::awaiter : public rw_lock::line_node {
 public:
  explicit awaiter(rw_lock& l) noexcept
      : line_node([](line_node& n) { return static_cast<awaiter&>(n).take(); }), lock_(&l) {}

  bool await_ready() noexcept { return lock_->waiting_.empty() && take(); }
  void await_suspend(waiter& w) noexcept { lock_->waiting_.add(*this, w); }
  bool await_cancel(waiter&) {
    unlink();
    lock_->admit();  // readers behind a writer that gave up need not wait
    return true;
  }
  Guard await_resume() noexcept { return std::move(guard_); }

 private:
  bool take() noexcept { return lock_->take(guard_); }

  rw_lock* lock_;
  Guard guard_;
};

inline rw_lock::awaiter<exclusive_guard> rw_lock::lock() noexcept {
  return awaiter<exclusive_guard>(*this);
}
inline rw_lock::awaiter<shared_guard> rw_lock::lock_shared() noexcept {
  return awaiter<shared_guard>(*this);
}

}  // namespace cuvee::inline v0
