// SPDX-License-Identifier: MIT
// Debug mode, instruments and statistics of a loop.
#include "loop_state.h"
#include "task_walk.h"

#include <cuvee/core/loop_stats.h>
#include <cuvee/core/task.h>

#include <exception>

namespace cuvee::inline v0 {

namespace detail {

bool on_own_thread(const scheduler& s) noexcept {
  return static_cast<const loop_state&>(s).thread == std::this_thread::get_id();
}

void drop_unawaited(std::coroutine_handle<> frame) noexcept {
  scheduler* s = this_scheduler;
  // An error or a cancel on the way to the await is not the program's mistake.
  bool expected =
      std::uncaught_exceptions() != 0 || (s && s->running && s->running->cancel_requested);
  if (s && s->debug && !expected) {
    auto& promise = std::coroutine_handle<promise_base>::from_address(frame.address()).promise();
    loop_state& l = loop_state::of(*s);
    l.report_made([&] {
      std::string who = l.looking->whereabouts();
      if (!who.empty()) who = ", made and dropped by " + who;
      return report{"a task was never awaited: " + to_string(promise.where) + who, nullptr};
    });
  }
  frame.destroy();
}

void refuse_foreign_thread(const scheduler& s, const char* operation) {
  static_cast<const loop_state&>(s).check_thread(operation);
}

void loop_state::check_thread(const char* operation) const {
  if (!debug || thread == std::this_thread::get_id()) return;
  throw error(std::make_error_code(std::errc::operation_not_permitted), operation, "",
              "this thread does not run the loop; use loop_ref::post");
}

observers& loop_state::make_observers() {
  if (!looking) looking = std::make_unique<observers>(*this);
  return *looking;
}

void loop_state::set_debug(bool on) {
  if (on) watch = &make_observers();
  debug = on;
  if (on || !looking) return;
  looking->forget();
  if (looking->empty()) watch = nullptr;
}

void loop_state::add_instrument(std::shared_ptr<instrument> i) {
  make_observers().add(std::move(i));
  watch = looking.get();
  watch_waits();
}

void loop_state::remove_instrument(const instrument& i) noexcept {
  if (!looking) return;
  looking->remove(i);
  if (looking->empty() && !debug) watch = nullptr;
}

// Around libuv's wait. What it calls back inside ends the wait, too: see observers::turn_begins.
void loop_state::watch_waits() {
  if (std::exchange(sees_waits, true)) return;
  uv_prepare_init(uv, &before_wait);
  uv_check_init(uv, &after_wait);
  uv_prepare_start(&before_wait, [](uv_prepare_t* h) {
    static_cast<loop_state*>(h->data)->looking->io_wait(true);
  });
  uv_check_start(&after_wait,
                 [](uv_check_t* h) { static_cast<loop_state*>(h->data)->looking->io_wait(false); });
  uv_unref(uv::as_handle(&before_wait));
  uv_unref(uv::as_handle(&after_wait));
  own_handle(uv::as_handle(&before_wait));
  own_handle(uv::as_handle(&after_wait));
}

namespace {

report unfinished(const task_info& t) {
  std::string text = t.name.empty() ? std::string("a task") : "task '" + t.name + "'";
  text += " still ran when the loop ended";
  if (!t.waits_for.empty()) text += ", in " + t.waits_for;
  if (!t.frames.empty()) text += " at " + to_string(t.frames.front());
  if (!t.created_by.empty()) text += "; made by " + t.created_by;
  return {std::move(text), nullptr};
}

}  // namespace

void loop_state::report_unfinished() noexcept {
  try {
    for (const task_info& t : walk_tasks(*this).nodes)
      if (t.kind == task_kind::task && t.parent == task_info::none)
        report_made([&] { return unfinished(t); });
  } catch (const std::bad_alloc&) {
    report_lost();
  }
}

void loop_state::report_open_handles() noexcept {
  handles.for_each([&](handle_block& h) {
    if (h.closing()) return;
    report_made([&] {
      std::string maker = looking->maker_of(h);
      if (!maker.empty()) maker = "; made by " + maker;
      return report{
          "a " + std::string(h.kind()) + " handle was not closed before its loop ended" + maker,
          nullptr};
    });
  });
}

}  // namespace detail

void loop::set_debug(bool on) { state_->set_debug(on); }
bool loop::debug() const noexcept { return state_->debug; }
void loop::report_steps_over(duration limit) { state_->make_observers().slow_step = limit; }

void loop::add_instrument(std::shared_ptr<instrument> i) {
  state_->check_thread("add an instrument");
  state_->add_instrument(std::move(i));
}
void loop::remove_instrument(const instrument& i) noexcept { state_->remove_instrument(i); }

loop_stats loop::stats() const {
  state_->check_thread("read the statistics");
  const detail::loop_state& l = *state_;
  loop_stats s;
  std::array<std::uint32_t, UV_HANDLE_TYPE_MAX> alive{};
  state_->handles.for_each([&](detail::handle_block& h) { alive[h.type()]++; });
  for (std::size_t t = 0; t < alive.size(); t++)
    if (l.handles_opened[t] != 0)
      s.handles[uv_handle_type_name(static_cast<uv_handle_type>(t))] = {
          alive[t], l.handles_opened[t] - alive[t]};
  s.timers = l.timers.size();
  for (const waiter* w = l.ready_head; w; w = w->queue_next) s.ready++;
  s.pool_jobs = static_cast<std::size_t>(l.pool_requests);
  s.turns = l.turns;
  s.steps = l.steps;
  s.posts = l.posts;
  s.reads = l.reads;
  s.writes = l.writes;
  s.read_bytes = l.read_bytes;
  s.written_bytes = l.written_bytes;
  return s;
}

}  // namespace cuvee::inline v0
