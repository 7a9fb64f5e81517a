// SPDX-License-Identifier: MIT
#include <cuvee/core/failures.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/run.h>

#include "loop_state.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace cuvee::inline v0 {

namespace {

void print_report(const report& r) noexcept {
  std::fprintf(stderr, "%s: %s\n%s", program_invocation_short_name, r.message.c_str(),
               r.details.c_str());
}

report with_cause(report r) {
  if (!r.error) return r;
  r.message.append(": ").append(describe(r.error));
  constexpr std::size_t most = 3;
  std::vector<std::exception_ptr> others = suppressed(r.error);
  std::string lines;
  for (std::size_t i = 0; i < std::min(most, others.size()); i++)
    lines += "  also: " + describe(others[i]) + '\n';
  if (others.size() > most) lines += "  and " + std::to_string(others.size() - most) + " more\n";
  r.details.insert(0, lines);
  return r;
}

}  // namespace

namespace detail {

int report_no_loop() noexcept {
  try {
    print_report(with_cause({"error", std::current_exception(), {}}));
  } catch (const std::bad_alloc&) {
    std::fputs("error: no memory to make a loop\n", stderr);
  }
  return 1;
}

namespace {

void refuse_inside_turn(const loop_state& l, const char* operation) {
  if (l.depth != 0) throw error(errc::busy, operation, "", "the loop is running already");
  if (this_scheduler && loop_state::of(*this_scheduler).depth != 0)
    throw error(errc::busy, operation, "", "this thread is running another loop");
}

}  // namespace
}  // namespace detail

loop::loop() : state_(detail::loop_state::make(*this, nullptr)) { detail::this_scheduler = state_; }
loop::loop(uv_loop_s& host) : state_(detail::loop_state::make(*this, &host)) {
  detail::this_scheduler = state_;
}

loop::~loop() {
  detail::scheduler* current = std::exchange(detail::this_scheduler, state_);
  bool was_current = current == state_;
  state_->shut_down();
  detail::this_scheduler = was_current ? nullptr : current;
}

void loop::root_ended(detail::combinator& root, const std::exception_ptr*) {
  static_cast<detail::root_base&>(root).ended = true;
  detail::loop_state::current().stop_polling();
}

void loop::drive(detail::root_base& root, detail::strand& main, void (*start)(detail::root_base&)) {
  detail::refuse_inside_turn(*state_, "run");
  detail::this_scheduler = state_;
  // What tasks left with the loop ends with them: nobody hears a pooled connection close later, or runs a task
  // that was called from elsewhere.
  struct cleanup {
    detail::loop_state* state;
    ~cleanup() {
      state->main = nullptr;
      if (state->looking) state->looking->run(false);
      if (state->background.size() != 0) return;
      state->end_remote_tasks();
      state->drop_locals();
    }
  } at_end{state_};
  state_->thread = std::this_thread::get_id();
  state_->main = &main;
  if (state_->looking) state_->looking->run(true);
  {
    detail::turn t(*state_);
    start(root);
  }
  state_->run_until(root, main);
}

time_point loop::now() const noexcept {
  return time_point(duration(static_cast<duration::rep>(state_->now())));
}

group& loop::background() {
  state_->check_thread("use the background");
  return state_->background;
}

int loop::backend_fd() const noexcept { return uv_backend_fd(state_->uv); }

std::optional<duration> loop::backend_timeout() const noexcept {
  if (state_->ready_head) return duration::zero();
  if (!uv_loop_alive(state_->uv)) return {};  // libuv would say zero: there is nothing to wait for
  uv_update_time(state_->uv);
  int ms = uv_backend_timeout(state_->uv);
  if (ms < 0) return {};
  return std::chrono::milliseconds(ms);
}

void loop::poll() {
  detail::refuse_inside_turn(*state_, "poll");
  detail::this_scheduler = state_;
  state_->thread = std::this_thread::get_id();
  {
    detail::turn t(*state_);
  }
  state_->poll(UV_RUN_NOWAIT);
}

void loop::after_fork() {
  int status = detail::uv::loop_fork(state_->uv);
  if (status < 0)
    throw error(std::error_code(-status, std::generic_category()), "go on after fork");
}

loop_ref loop::ref() {
  state_->holds++;
  return loop_ref(state_->box);
}

void loop::on_report(std::function<void(const report&)> handler) {
  using function = std::function<void(const report&)>;
  state_->on_report = handler ? std::make_shared<function>(std::move(handler)) : nullptr;
}

void loop::send_report(const report& r) noexcept {
  try {
    tell(with_cause(r));
  } catch (const std::bad_alloc&) {
    print_report(r);
  }
}

void loop::tell(const report& r) {
  if (!state_->on_report) return print_report(r);
  try {
    auto handler = state_->on_report;  // which may replace itself
    (*handler)(r);
  } catch (...) {
    print_report(r);
    print_report(with_cause({"exception in the report handler", std::current_exception()}));
  }
}

std::size_t loop::open_handles() const noexcept {
  std::size_t n = 0;
  state_->handles.for_each([&](detail::handle_block& h) { n += !h.closing(); });
  return n;
}

loop& loop::current() { return *detail::loop_state::current().owner; }

}  // namespace cuvee::inline v0
