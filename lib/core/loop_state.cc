// SPDX-License-Identifier: MIT
#include "loop_state.h"

#include "task_walk.h"

#include <cuvee/core/strand.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>

namespace cuvee::inline v0::detail {

constinit thread_local scheduler* this_scheduler = nullptr;

namespace {

constexpr int steps_per_drain = 1024;  // then I/O is polled before the rest
std::uint64_t steady_ns() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(t.tv_nsec);
}

void ignore_sigpipe() {
  struct sigaction now{};
  sigaction(SIGPIPE, nullptr, &now);
  if (now.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

// A program may be started without some of its standard streams. libuv would get their numbers, print into them,
// and abort when it closes them.
void fill_standard_descriptors() noexcept {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // gets the lowest number
}

void must(int status, const char* what) {
  if (status < 0) throw error(std::error_code(-status, std::generic_category()), what);
}

}  // namespace

scheduler& require_scheduler() {
  if (!this_scheduler) throw error(errc::loop_closed, "await", "", "this thread has no loop");
  return *this_scheduler;
}

std::uint64_t clock_ns(scheduler& s) noexcept { return loop_state::of(s).now(); }
void hold_loop(scheduler& s, int change) noexcept { loop_state::of(s).holds += change; }

loop_state::loop_state(loop& l, uv_loop_t* host) : owner(&l), uv(host ? host : &own_loop) {
  if (this_scheduler && of(*this_scheduler).depth != 0)
    throw error(errc::busy, "make a loop", "", "this thread is running one");
  box = std::make_shared<mailbox>(wake);
  background.open_background(*this, [](group&, group_record& child) {
    of(*child.home).report_made([&] {
      std::string name = child.name ? "'" + *child.name + "'" : "a background task";
      return report{name + " failed", child.error};
    });
  });
  if (const char* wanted = std::getenv("CUVEE_DEBUG"); wanted && *wanted && *wanted != '0')
    set_debug(true);
}

loop_state* loop_state::make(loop& owner, uv_loop_t* host) {
  auto made = std::make_unique<loop_state>(owner, host);
  ignore_sigpipe();
  fill_standard_descriptors();
  if (!host) must(uv::loop_init(&made->own_loop), "make a loop");
  try {
    made->open_handles();
  } catch (...) {
    made.release()->close_and_free();
    throw;
  }
  return made.release();
}

loop_state::~loop_state() {
  handle_block::free_all(retiring);
  handle_block::free_all(retired);
}

void loop_state::open_handles() {
  must(uv::timer_init(uv, &timer), "make a loop");
  own_handle(uv::as_handle(&timer));
  must(uv::idle_init(uv, &idle), "make a loop");
  own_handle(uv::as_handle(&idle));
  must(uv::async_init(uv, &wake,
                      [](uv_async_t* h) {
                        auto& state = *static_cast<loop_state*>(h->data);
                        turn t(state);
                        state.run_posted();
                      }),
       "make a loop");
  own_handle(uv::as_handle(&wake));
  uv_unref(uv::as_handle(&wake));
}

void loop_state::own_handle(uv_handle_t* h) noexcept {
  h->data = this;
  own_handles[handles_to_close++] = h;
}

std::uint64_t loop_state::now() const noexcept {
  return virtual_clock ? virtual_clock->now : steady_ns();
}

// uv_stop is remembered outside uv_run, and would end the next run, perhaps the host's, at once.
void loop_state::poll(uv_run_mode mode) {
  polling = true;
  uv_run(uv, mode);
  polling = false;
}
void loop_state::stop_polling() noexcept {
  if (polling) uv_stop(uv);
}

void loop_state::free_if_closed() noexcept {
  if (uv == &own_loop || pool_requests != 0) return;
  if (handles_to_close == 0 && handles.empty()) delete this;
}

/// Returns: what is left of the budget.
template <class F>
inline int loop_state::run_each(int budget, F step) {
  for (; budget > 0; budget--) {
    waiter* w = ready_head;
    if (!w) break;
    ready_head = w->queue_next;
    if (!ready_head) ready_tail = &ready_head;
    step(*static_cast<strand*>(w));
  }
  return budget;
}

inline int loop_state::run_ready(int budget) {
  return run_each(budget, [](strand& s) { s.run(); });
}

int loop_state::run_watched(int budget) {
  watcher* w = watch;
  if (!w) return run_ready(budget);
  return run_each(budget, [w](strand& s) { w->step(s); });
}

int loop_state::run_observed(int budget) {
  if (!probe) return run_watched(budget);
  while (probe && ready_head && budget > 0) {
    int round = probe->before_round(*this);
    if (round == 0) return 0;
    budget -= round;
    run_watched(round);
  }
  return budget;
}

inline void loop_state::end_turn() {
  while (!turn_ends.empty()) {
    turn_end& e = *turn_ends.front();
    e.unlink();
    e.at_turn_end(e);
  }
}

void loop_state::drain() {
  turns++;
  if (watch || probe) [[unlikely]]
    return drain_observed();
  drain_by([this](int budget) { return run_ready(budget); });
}

void loop_state::drain_observed() {
  if (watch) watch->turn_begins();
  drain_by([this](int budget) { return run_observed(budget); });
}

template <class Run>
inline void loop_state::drain_by(Run run) {
  int budget = steps_per_drain;
  do {
    budget = run(budget);
    running = nullptr;
    context = nullptr;
    end_turn();
    if (overdue) [[unlikely]]
      fire_overdue();
    if (!ready_head) [[likely]]
      break;
  } while (budget > 0);
  steps += static_cast<std::uint64_t>(steps_per_drain - budget);
  if (ready_head || unsettled) [[unlikely]]
    settle();
  if (timers.earliest() != armed_for) arm_timer();
}

void loop_state::settle() {
  free_retired();
  keep_idling(ready_head != nullptr);
  unsettled = idling || !retired.empty() || !retiring.empty();
}

// The queue is first in, first out, unless a test shuffles it; and it may never be empty.
void loop_state::free_retired() noexcept {
  if (retired.empty() && retiring.empty()) return;
  if (ready_head && (probe || steps < retire_at)) return;
  handle_block::free_all(retiring);
  if (!ready_head) return handle_block::free_all(retired);
  retiring.splice(retired);
  retire_at = steps;
  for (const waiter* w = ready_head; w; w = w->queue_next) retire_at++;
}

// A limit that had passed before it was set cuts what it is about at the end of the same turn: no I/O of
// the next poll may be quicker.
void loop_state::fire_overdue() {
  overdue = false;
  while (!timers.empty() && timers.next_deadline() == 0) {
    timer_node& node = timers.front();
    timers.remove(node);
    node.fired(&node);
  }
  end_turn();  // of what the limits have closed
}

// While strands are ready, libuv must not wait for I/O.
void loop_state::keep_idling(bool wanted) {
  if (wanted == idling) return;
  idling = wanted;
  if (idling) unsettled = true;
  if (!idling) uv_idle_stop(&idle);
  else uv_idle_start(&idle, [](uv_idle_t* h) { turn t(*static_cast<loop_state*>(h->data)); });
}

void loop_state::run_posted() {
  for (posted* p = box->take(); p;) {
    std::unique_ptr<posted> call(std::exchange(p, p->next));
    posts++;
    try {
      call->run();
    } catch (...) {
      report_error("exception in a posted callback", std::current_exception());
    }
  }
}

void loop_state::await_remote(int change) noexcept {
  remote_waits += change;
  pool_requests += change;
  if (remote_waits == 0) uv_unref(uv::as_handle(&wake));
  else uv_ref(uv::as_handle(&wake));
}

// Short enough to need no memory.
void loop_state::report_lost() noexcept { owner->send_report({"report lost", nullptr}); }

void loop_state::step_virtual() {
  std::uint64_t before = turns;
  poll(UV_RUN_NOWAIT);
  if (turns != before || ready_head) return;
  bool jump = !timers.empty() && pool_requests == 0;
  if (jump && virtual_clock->quiet > duration::zero() && !stay_quiet(virtual_clock->quiet)) return;
  if (jump) {
    turn t(*this);
    if (timers.next_deadline() > virtual_clock->now) virtual_clock->now = timers.next_deadline();
    fire_timers();
  } else if (uv_loop_alive(uv)) {
    poll(UV_RUN_ONCE);
  }
}

/// Runs until `ended` says so, or nothing is left that could wake a task. False: the latter.
template <class F>
bool loop_state::run_while_alive(F ended) {
  while (!ended()) {
    if (!quiet_watches.empty()) step_quiet();
    else if (virtual_clock) step_virtual();
    else poll(UV_RUN_DEFAULT);
    if (ended() || uv_loop_alive(uv) || ready_head || !timers.empty() || !quiet_watches.empty())
      continue;
    if (holds <= 0) return false;
    // Nothing but other threads and signals can wake us.
    uv_ref(uv::as_handle(&wake));
    poll(UV_RUN_ONCE);
    if (remote_waits == 0) uv_unref(uv::as_handle(&wake));
  }
  return true;
}

void loop_state::die_stuck(const char* why) noexcept {
  report_made([&] {
    return report{"tasks that were cancelled cannot end:", nullptr, to_string(walk_tasks(*this))};
  });
  die(why);
}

void loop_state::end_background() {
  if (background.pending == 0) return;
  if (debug) report_unfinished();
  ending = true;  // also for what jobs and threads call onto the loop meanwhile
  thread = std::this_thread::get_id();
  {
    turn t(*this);
    background.cancel("the loop ends");
  }
  cancel_remote_tasks();
  if (background.pending != 0 && uv != &own_loop)
    die("a borrowed loop was destroyed while background tasks of it run");
  auto ended = [this] { return background.pending == 0 && remote_tasks.empty(); };
  if (uv == &own_loop && !run_while_alive(ended))
    die_stuck("deadlock: a background task waits for ever although it was cancelled");
  ending = false;
}

void loop_state::reopen_background() noexcept {
  background.stopping = background.cancelled = false;
  background.reason.reset();
}

void loop_state::run_until(root_base& root, strand& main) {
  auto ended = [&] { return root.ended; };
  if (run_while_alive(ended)) return;
  task_tree waiting;
  try {
    waiting = walk_tasks(*this);
  } catch (const std::bad_alloc&) {  // the error tells less; the tasks must end
  }
  {
    turn t(*this);
    main.cancel();
  }
  if (!run_while_alive(ended))
    die_stuck("deadlock: a task waits for ever although it was cancelled");
  throw deadlock_error(std::move(waiting));
}

void loop_state::drop_locals() noexcept {
  turn t(*this);
  while (loop_local* l = locals.pop_front()) delete l;
}

void loop_state::cancel_remote_tasks() noexcept {
  turn t(*this);
  remote_tasks.for_each([](remote_task& r) {
    r.loop_ended = true;
    r.cancel();
  });
}

// They end with the main task: nobody would run them any more.
void loop_state::end_remote_tasks() noexcept {
  if (remote_tasks.empty()) return;
  ending = true;
  cancel_remote_tasks();
  while (!remote_tasks.empty()) {
    uv_ref(uv::as_handle(&wake));
    if (virtual_clock) step_virtual();
    else poll(UV_RUN_ONCE);
    if (remote_waits == 0) uv_unref(uv::as_handle(&wake));
  }
  ending = false;
}

void loop_state::shut_down() {
  if (depth != 0) die("a loop was destroyed inside one of its own callbacks");
  end_background();
  background.stopping = true;  // what destructors spawn from here on does not begin
  if (!remote_tasks.empty()) cancel_remote_tasks();  // of a host that ran them without us
  if (!remote_tasks.empty()) die("a loop was destroyed while tasks called onto it still run");
  box->close();
  drop_locals();
  if (debug) report_open_handles();
  {
    turn t(*this);  // blocks without a handle finish at its end
    handles.for_each([](handle_block& h) { h.close(); });  // their owners have outlived the loop
  }
  close_and_free();
}

void loop_state::close_and_free() noexcept {
  auto on_close = [](uv_handle_t* h) {
    auto& state = *static_cast<loop_state*>(h->data);
    state.handles_to_close--;
    state.free_if_closed();
  };
  bool borrowed = uv != &own_loop;
  std::size_t count = handles_to_close;
  for (std::size_t i = 0; i < count; i++) uv_close(own_handles[i], on_close);
  if (borrowed) return count == 0 ? free_if_closed() : void();
  uv_run(uv, UV_RUN_DEFAULT);
  if (uv_loop_close(uv) != 0) die("a loop was destroyed while requests of it are in flight");
  delete this;
}

}  // namespace cuvee::inline v0::detail
