// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>
#include <cuvee/core/time.h>
#include <cuvee/core/waiter.h>

#include <cstdint>

namespace cuvee::inline v0::detail {

struct strand;
struct context_node;

/// Looks at what a loop's strands do. None is there as a rule.
class watcher {
 public:
  virtual void spawned(strand&) = 0;
  /// Instead of `strand::run`, which it calls.
  virtual void step(strand&) = 0;
  virtual void ending(strand&) = 0;
  virtual void turn_begins() = 0;

 protected:
  ~watcher() = default;
};

/// The part of a loop that coroutines touch on every await. Everything else of the loop is private.
struct scheduler {
  waiter* ready_head = nullptr;
  waiter** ready_tail = &ready_head;
  strand* running = nullptr;                // null outside of tasks
  context_node* context = nullptr;          // the running strand's
  std::coroutine_handle<> next_frame = {};  // trampoline; always there and always honoured
  int completions_left = 0;  // synchronous completions before the running strand yields
  int cancel_depth = 0;
  void (*on_suspend)(scheduler&, strand&) = nullptr;  // test hook
  watcher* watch = nullptr;                           // of instruments and debug mode
  bool debug = false;

  void push(waiter& w) noexcept {
    w.queue_next = nullptr;
    *ready_tail = &w;
    ready_tail = &w.queue_next;
  }
};

inline constexpr int completions_per_turn = 64;

/// The scheduler of the loop that this thread runs or has made last; null without a loop.
extern CUVEE_API CUVEE_HOT_TLS constinit thread_local scheduler* this_scheduler;

/// `this_scheduler`, checked. Errors: loop_closed where the thread has no loop.
CUVEE_API scheduler& require_scheduler();

/// A node of the loop's timer heap. Equal deadlines fire in the order they were started.
struct timer_node {
  static constexpr std::uint32_t idle = ~std::uint32_t{0};

  explicit timer_node(void (*fn)(timer_node*)) noexcept : fired(fn) {}
  timer_node(const timer_node& other) noexcept : fired(other.fired) {}

  std::uint64_t at = 0;  // nanoseconds of the steady clock
  std::uint64_t order = 0;
  std::uint32_t index = idle;
  void (*fired)(timer_node*);

  bool armed() const noexcept { return index != idle; }
};

CUVEE_API void start_timer(scheduler&, timer_node&, duration from_now);
CUVEE_API void start_timer_at(scheduler&, timer_node&, std::uint64_t at);
CUVEE_API void stop_timer(scheduler&, timer_node&) noexcept;
CUVEE_API std::uint64_t clock_ns(scheduler&) noexcept;
/// Whether the calling thread is the one that runs the loop, or made it.
CUVEE_API bool on_own_thread(const scheduler&) noexcept;
/// In debug mode. Errors: operation_not_permitted on another thread than the loop's.
CUVEE_API void refuse_foreign_thread(const scheduler&, const char* operation);
/// Keeps the loop waiting although no handle is active (see `forever`).
CUVEE_API void hold_loop(scheduler&, int change) noexcept;

}  // namespace cuvee::inline v0::detail
