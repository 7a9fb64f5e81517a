// SPDX-License-Identifier: MIT
#pragma once
#include "handle_block.h"
#include "mailbox.h"
#include "observers.h"
#include "timer_heap.h"
#include "uv.h"

#include <cuvee/core/group.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/quiet_watch.h>
#include <cuvee/core/remote_call.h>
#include <cuvee/core/wait_list.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>

namespace cuvee::inline v0::detail {

/// Work for the end of a turn: after the ready queue was drained, before libuv regains control. What a
/// turn queued for output is written once, there.
struct turn_end : list_node {
  explicit turn_end(void (*fn)(turn_end&)) noexcept : at_turn_end(fn) {}
  void (*at_turn_end)(turn_end&);
};

/// An object that comes and goes with a loop's main task, such as the default HTTP client.
struct loop_local : list_node {
  explicit loop_local(const void* type) noexcept : key(type) {}
  virtual ~loop_local() = default;
  const void* key;  // whose it is
};

struct virtual_time {
  std::uint64_t now = 0;
  duration quiet{};  // real time without any event before the clock jumps
};

/// What a test puts into a loop. Others pay a branch in each drain for it.
struct round_probe {
  virtual ~round_probe() = default;
  /// Some strands are ready. Returns: how many of them to run before the next call; 0 ends the drain.
  virtual int before_round(loop_state&) = 0;
  /// A job has ended. Returns: true if its task shall not hear of it yet; asked again in the next turn.
  virtual bool holds_back_job() noexcept = 0;
  /// Of room for `size` bytes that come, so many are offered; at least 1.
  virtual std::size_t most_to_read(std::size_t size) noexcept = 0;
};

/// A loop's private side. Freed by its last close callback where libuv's loop is borrowed.
struct loop_state : scheduler {
  explicit loop_state(loop& owner, uv_loop_t* host);
  /// Errors: those of libuv; bad_alloc. Nothing is left then.
  static loop_state* make(loop& owner, uv_loop_t* host);
  ~loop_state();
  static loop_state& of(scheduler& s) noexcept { return static_cast<loop_state&>(s); }
  static loop_state& current() { return of(require_scheduler()); }
  static loop_state& of(loop& l) noexcept { return *l.state_; }

  void drain();
  void arm_timer();
  void fire_timers();
  void fire_overdue();
  void run_posted();
  void at_turn_end(turn_end& e) noexcept {
    if (!e.linked()) turn_ends.push_back(e);
  }
  /// One more (or less) task waits for a thread or another loop: no deadlock, and real time must pass.
  void await_remote(int change) noexcept;
  void report_error(std::string_view message, std::exception_ptr error) noexcept {
    report_made([&] { return report{std::string(message), error}; });
  }
  /// `make()` is the report. Where memory is too short for it, another one says so.
  template <class F>
  void report_made(F make) noexcept {
    try {
      owner->send_report(make());
    } catch (...) {
      report_lost();
    }
  }
  std::uint64_t now() const noexcept;
  /// As libuv saw it last: what is due then is not rounded up to the next millisecond.
  std::uint64_t turn_time() const noexcept {
    return virtual_clock ? virtual_clock->now : uv_now(uv) * ns_per_ms;
  }
  /// Frees a block when all strands that are ready now have run.
  void retire(handle_block& b) noexcept {
    retired.push_back(b);
    unsettled = true;
  }
  void run_until(root_base& root, strand& main);
  /// Says who still waits, and ends the program.
  [[noreturn]] void die_stuck(const char* why) noexcept;
  /// Cancels what runs in the background and waits for it.
  void end_background();
  /// After its end, for the next main task.
  void reopen_background() noexcept;
  void poll(uv_run_mode mode);
  void stop_polling() noexcept;
  void drop_locals() noexcept;
  /// Debug mode. Errors: operation_not_permitted on a thread that does not run the loop.
  void check_thread(const char* operation) const;
  void set_debug(bool on);
  void add_instrument(std::shared_ptr<instrument> i);
  void remove_instrument(const instrument& i) noexcept;
  observers& make_observers();
  void visit_background(visitor& v) { background.visit(v); }
  void cancel_remote_tasks() noexcept;
  void end_remote_tasks() noexcept;
  void shut_down();
  void free_if_closed() noexcept;

  loop* owner;
  strand* main = nullptr;  // the task that `run` waits for
  uv_loop_t own_loop{};
  uv_loop_t* uv;
  uv_timer_t timer{};
  uv_idle_t idle{};
  uv_async_t wake{};
  int depth = 0;            // nested libuv callbacks
  std::uint64_t turns = 0;  // outermost callbacks, to see whether anything happened
  bool idling = false;
  bool unsettled = false;  // idling, or blocks wait to be freed
  bool overdue = false;    // a timer of time zero was started
  bool firing = false;     // inside the timer's callback
  bool polling = false;    // inside our own uv_run
  int holds = 0;           // tasks in `forever`, loop_refs: waiting that is no deadlock
  std::array<uv_handle_t*, 5> own_handles{};
  std::size_t handles_to_close = 0;  // of those
  std::uint64_t armed_ms = never;
  std::uint64_t armed_for = never;  // the deadline that this was found for
  timer_heap timers;
  group background;
  list<turn_end> turn_ends;
  list<handle_block> handles;         // not closed yet
  list<handle_block> retired;         // closed; strands that are ready may still ask them
  list<handle_block> retiring;        // likewise, until `retire_at`
  std::uint64_t retire_at = 0;        // of `steps`
  list<loop_local> locals;            // owned
  std::unique_ptr<char[]> read_slab;  // where streams without a waiting span read to
  std::shared_ptr<mailbox> box;
  std::shared_ptr<std::function<void(const report&)>> on_report;
  std::optional<virtual_time> virtual_clock;
  list<quiet_watch> quiet_watches;
  std::unique_ptr<round_probe> probe;
  int pool_requests = 0;           // in libuv's thread pool: real time must pass for them
  int lookups = 0;                 // of names, among those
  wait_list<> lookup_line;         // the others wait here
  int remote_waits = 0;            // tasks that a post from elsewhere will wake
  list<remote_task> remote_tasks;  // called onto this loop from elsewhere
  bool ending = false;             // those are being cancelled
  std::unique_ptr<observers> looking;
  uv_prepare_t before_wait{};  // for instruments
  uv_check_t after_wait{};
  bool sees_waits = false;
  std::thread::id thread = std::this_thread::get_id();
  std::uint64_t steps = 0, posts = 0, reads = 0, writes = 0, read_bytes = 0, written_bytes = 0;
  std::array<std::uint32_t, UV_HANDLE_TYPE_MAX> handles_opened{};

  static constexpr std::uint64_t never = ~std::uint64_t{0};
  static constexpr std::uint64_t ns_per_ms = 1'000'000;

 private:
  void report_lost() noexcept;
  void open_handles();
  void own_handle(uv_handle_t* h) noexcept;
  void close_and_free() noexcept;
  void settle();
  void free_retired() noexcept;
  void keep_idling(bool wanted);
  void watch_waits();
  template <class F>
  int run_each(int budget, F step);
  int run_ready(int budget);
  int run_watched(int budget);
  int run_observed(int budget);
  void drain_observed();
  template <class Run>
  void drain_by(Run run);
  void end_turn();
  void report_unfinished() noexcept;
  void report_open_handles() noexcept;
  template <class F>
  bool run_while_alive(F ended);
  void step_virtual();
  void step_quiet();
  void await_quiet();
  /// Lets real time pass. False: something happened before `quiet` was over.
  bool stay_quiet(duration quiet);
};

/// Stands in every libuv callback: the outermost one drains the ready queue when it ends.
class turn {
 public:
  explicit turn(loop_state& l) noexcept : loop_(l) { loop_.depth++; }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (loop_.depth == 1) loop_.drain();
    loop_.depth--;
  }

 private:
  loop_state& loop_;
};

}  // namespace cuvee::inline v0::detail
