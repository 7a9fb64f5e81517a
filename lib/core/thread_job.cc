// SPDX-License-Identifier: MIT
#include <cuvee/core/thread_job.h>

#include "job_gate.h"
#include "loop_state.h"
#include "thread_team.h"

namespace cuvee::inline v0::detail {

/// Brings a job that has ended to the loop of its awaiter. Destroyed instead where that is gone.
struct job_arrival final : posted {
  void run() override {
    if (job->awaiter) job->awaiter->arrived();
  }
  std::shared_ptr<awaited_job> job;
};

/// Brings it a turn later, where a test wants the order of jobs shuffled.
struct late_arrival final : posted {
  explicit late_arrival(job_wait& w) noexcept : awaiter(&w) {}
  void run() override { awaiter->end(awaiter->stage_); }
  job_wait* awaiter;
};

thread_job::~thread_job() = default;
void thread_job::ended(std::shared_ptr<thread_job>) noexcept {}
awaited_job::~awaited_job() = default;

void awaited_job::ended(std::shared_ptr<thread_job> self) noexcept {
  if (gate) gate->leave();
  std::shared_ptr<mailbox> box = std::move(home);
  auto* a = static_cast<job_arrival*>(arrival.release());
  a->job = std::static_pointer_cast<awaited_job>(std::move(self));
  if (!box->push(a)) delete a;
}

job_wait::job_wait(work_fn work, std::shared_ptr<job_gate> gate) noexcept
    : work_(work), gate_(std::move(gate)) {}
job_wait::job_wait(std::shared_ptr<thread_team> team, std::shared_ptr<awaited_job> job,
                   std::shared_ptr<job_gate> gate) noexcept
    : team_(std::move(team)), shared_(std::move(job)), gate_(std::move(gate)) {}

bool job_wait::start(waiter& w) noexcept {
  waiter_ = &w;
  try {
    home_ = &loop_state::current();
    home_->await_remote(+1);
    advance();
    return true;
  } catch (...) {
    failure_ = std::current_exception();
    leave_gates();
    stage_ = stage::failed;
    if (home_) home_->await_remote(-1);
    return false;
  }
}

void job_wait::advance() {
  if (stage_ == stage::fresh) {
    if (gate_ && !enter(gate_)) return;
    stage_ = stage::limited;
  }
  if (stage_ == stage::limited && work_) {
    if (!enter(process_threads::get().libuv_gate)) return;
    stage_ = stage::admitted;
  }
  if (work_) submit_to_libuv();
  else submit_to_team();
}

bool job_wait::enter(const std::shared_ptr<job_gate>& gate) {
  if (gate->try_enter()) return true;
  auto ticket = std::make_unique<gate_ticket>(gate, home_->box, *this);
  if (gate->enter_or_wait(*ticket)) return true;
  ticket_ = ticket.release();
  return false;
}

// On the loop's thread, by a ticket: the place it stood for is ours.
void job_wait::admitted() noexcept {
  ticket_ = nullptr;
  stage_ = stage_ == stage::fresh ? stage::limited : stage::admitted;
  try {
    advance();
  } catch (...) {
    failure_ = std::current_exception();
    leave_gates();
    end(stage::failed);
  }
}

void job_wait::submit_to_team() {
  auto arrival = std::make_unique<job_arrival>();
  shared_->arrival = std::move(arrival);
  shared_->home = home_->box;
  shared_->gate = gate_;
  shared_->awaiter = this;
  team_->submit(shared_);
  stage_ = stage::submitted;
}

void job_wait::arrived() noexcept {
  if (!shared_->dropped) return end(stage::ran);
  failure_ = failure_of<error>(errc::closed, "run", "thread pool", "closed before the job ran");
  end(stage::failed);
}

bool job_wait::withdraw(bool abandon) noexcept {
  if (stage_ == stage::ran || stage_ == stage::failed) return false;  // held back
  if (ticket_) {
    if (ticket_->gate->withdraw(*ticket_)) delete ticket_;
    else ticket_->job = nullptr;
    ticket_ = nullptr;
    stand_down();
    return true;
  }
  if (work_) {
    // Refused when it runs already; then its end is waited for.
    uv_cancel(static_cast<uv_req_t*>(request_));
    return false;
  }
  if (team_->withdraw(*shared_)) {
    stand_down();
    return true;
  }
  if (!abandon) return false;
  shared_->abandoned = true;
  shared_->awaiter = nullptr;
  home_->await_remote(-1);
  return true;
}

void job_wait::stand_down() noexcept {
  leave_gates();
  stage_ = stage::failed;
  home_->await_remote(-1);
}

void job_wait::leave_gates() noexcept {
  bool in_pool = stage_ == stage::admitted || stage_ == stage::submitted;
  if (work_ && in_pool) process_threads::get().libuv_gate->leave();
  if (gate_ && stage_ != stage::fresh) gate_->leave();
}

void job_wait::end(stage how) noexcept {
  stage_ = how;
  if (home_->probe && home_->probe->holds_back_job()) [[unlikely]] {
    auto late = std::make_unique<late_arrival>(*this);
    if (home_->box->push(late.get())) return static_cast<void>(late.release());
  }
  home_->await_remote(-1);
  waiter_->complete();
}

}  // namespace cuvee::inline v0::detail
