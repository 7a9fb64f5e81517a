// SPDX-License-Identifier: MIT
// Actors that the tests of core share.
#pragma once
#include <cuvee/core.h>

#include <stdexcept>
#include <string>

namespace scenario {

struct boom : std::runtime_error {
  explicit boom(const char* why = "boom") : runtime_error(why) {}
};

/// Writes its letter into a trace when it is destroyed: tells that a frame went, and in what order.
class mark {
 public:
  mark(std::string& trace, char letter) noexcept : trace_(&trace), letter_(letter) {}
  mark(mark&& other) noexcept
      : trace_(std::exchange(other.trace_, nullptr)), letter_(other.letter_) {}
  ~mark() {
    if (trace_) *trace_ += letter_;
  }

 private:
  std::string* trace_;
  char letter_;
};

/// Waits until cancelled. Adds '!' if a catch block ran and '?' if it went on.
inline cuvee::task<> hang(std::string& trace, char letter) {
  mark m(trace, letter);
  try {
    co_await cuvee::forever();
  } catch (...) {
    trace += '!';
  }
  trace += '?';
}

/// Needs a moment to end: adds 's' after an await that a cancel does not cut short.
inline cuvee::task<> stubborn(std::string& trace, char letter,
                              cuvee::duration grace = std::chrono::milliseconds(2)) {
  mark m(trace, letter);
  co_await cuvee::shield(cuvee::sleep(grace));
  trace += 's';
}

inline cuvee::task<int> give(int value) { co_return value; }
inline cuvee::task<int> give_later(int value) {
  co_await cuvee::checkpoint();
  co_return value;
}
inline cuvee::task<int> fail_now() {
  throw boom();
  co_return 0;
}
inline cuvee::task<int> fail_later(const char* why = "boom") {
  co_await cuvee::checkpoint();
  throw boom(why);
}
inline cuvee::task<> turns(int n) {
  for (int i = 0; i < n; i++) co_await cuvee::checkpoint();
}
inline cuvee::task<int> nap(cuvee::duration length, int value) {
  co_await cuvee::sleep(length);
  co_return value;
}

/// An operation that ends when the test says so. A cancel is confirmed later, by `finish`;
/// `completes` tells whether it had happened all the same.
struct operation {
  bool completes = true;
  bool started = false;
  int cancels = 0;
  cuvee::waiter* waiting = nullptr;

  class awaiter {
   public:
    explicit awaiter(operation& o) : op_(&o) {}
    bool await_ready() noexcept { return false; }
    void await_suspend(cuvee::waiter& w) {
      op_->started = true;
      op_->waiting = &w;
    }
    bool await_cancel(cuvee::waiter&) {
      op_->cancels++;
      return false;
    }
    bool await_must_resume() { return op_->completes; }
    int await_resume() noexcept { return 5; }

   private:
    operation* op_;
  };

  awaiter wait() { return awaiter(*this); }
  void finish() { std::exchange(waiting, nullptr)->complete(); }
};

/// An unbounded queue whose `get` is a leaf that takes the item at the moment it completes.
class basket {
 public:
  class get_awaiter : cuvee::detail::list_node {
   public:
    explicit get_awaiter(basket& b) noexcept : basket_(&b) {}
    bool await_ready() noexcept {
      if (basket_->items_ == 0) return false;
      basket_->items_--;
      return true;
    }
    void await_suspend(cuvee::waiter& w) noexcept {
      waiter_ = &w;
      basket_->getters_.push_back(*this);
    }
    bool await_cancel(cuvee::waiter&) noexcept {
      unlink();
      return true;
    }
    void await_resume() noexcept {}

   private:
    friend class basket;
    friend cuvee::detail::list<get_awaiter>;
    basket* basket_;
    cuvee::waiter* waiter_ = nullptr;
  };

  get_awaiter get() noexcept { return get_awaiter(*this); }
  void put() {
    if (get_awaiter* g = getters_.pop_front()) g->waiter_->complete();
    else items_++;
  }
  int items() const noexcept { return items_; }
  bool awaited() const noexcept { return !getters_.empty(); }

 private:
  cuvee::detail::list<get_awaiter> getters_;
  int items_ = 0;
};

}  // namespace scenario
