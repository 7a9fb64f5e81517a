// SPDX-License-Identifier: MIT
#include <cuvee/core/job_calls.h>
#include <cuvee/core/remote_call.h>

#include "loop_state.h"

namespace cuvee::inline v0::detail {

/// Tells the waiting task on its own loop, which lives on while it waits.
struct remote_arrival final : posted {
  void run() override {
    call->home_->await_remote(-1);
    call->waiter_->complete();
  }
  std::shared_ptr<remote_call> call;
};

namespace {

struct remote_cancel final : posted {
  void run() override {
    if (call->running) call->running->cancel();
  }
  std::shared_ptr<remote_call> call;
};

}  // namespace

remote_call::remote_call() = default;
remote_call::~remote_call() = default;

bool remote_call::begin() noexcept {
  phase expected = phase::sent;
  return phase_.compare_exchange_strong(expected, phase::begun);
}

void remote_call::settle(std::shared_ptr<remote_call> self, end how) noexcept {
  remote_call& c = *self;
  c.how_ = how == end::closed && c.cancelled_by_caller_ ? end::cancelled : how;
  if (!c.home_) {
    c.settled_.store(true);
    c.settled_.notify_all();
    return;
  }
  auto* arrival = static_cast<remote_arrival*>(c.arrival_.release());
  std::shared_ptr<mailbox> box = c.box_;
  arrival->call = std::move(self);
  if (!box->push(arrival)) delete arrival;
}

void remote_call::lose(std::shared_ptr<remote_call> self) noexcept {
  if (self->begin()) settle(std::move(self), end::closed);
}

void remote_call::prepare(waiter& w) {
  loop_state& home = loop_state::current();
  arrival_ = std::make_unique<remote_arrival>();
  cancel_ = std::make_unique<remote_cancel>();
  box_ = home.box;
  waiter_ = &w;
  home_ = &home;
  home.await_remote(+1);
}

bool remote_call::cancel(const std::shared_ptr<remote_call>& self,
                         const loop_ref& target) noexcept {
  phase expected = phase::sent;
  if (self->phase_.compare_exchange_strong(expected, phase::withdrawn)) {
    if (self->home_) self->home_->await_remote(-1);
    else settle(self, end::cancelled);
    return true;
  }
  self->cancelled_by_caller_ = true;
  static_cast<remote_cancel&>(*self->cancel_).call = self;
  target.try_deliver(self->cancel_);  // where the loop has closed, its word is on the way
  self->cancel_.reset();
  return false;
}

void remote_call::block(const std::shared_ptr<remote_call>& self, const loop_ref& target,
                        std::unique_ptr<posted> request) {
  job_calls* job = this_job_calls;
  if (job) {
    self->cancel_ = std::make_unique<remote_cancel>();
    job->enter(self, target);
  }
  send(target, std::move(request));
  self->settled_.wait(false);
  if (job) job->leave();
}

void remote_call::rethrow_end(const char* operation) const {
  switch (how_) {
    case end::error: std::rethrow_exception(error);
    case end::cancelled: throw cancelled_error(operation);
    case end::closed: throw cuvee::error(errc::loop_closed, operation);
    default: return;
  }
}

remote_task::~remote_task() { unlink(); }

void remote_task::adopt(const strand_kind& k) {
  loop_state& l = loop_state::current();
  call->running = this;
  l.remote_tasks.push_back(*this);
  begin(k);
  if (l.ending) {
    loop_ended = true;
    strand::cancel();
  }
}

remote_call::end remote_task::how_ended() const noexcept {
  if (call->error) return remote_call::end::error;
  if (!was_cancelled) return remote_call::end::value;
  return loop_ended ? remote_call::end::closed : remote_call::end::cancelled;
}

bool runs_here(const loop_ref& target) noexcept {
  return this_scheduler && target.box_ == loop_state::of(*this_scheduler).box;
}

void refuse_to_block(const char* operation) {
  if (this_scheduler && loop_state::of(*this_scheduler).depth != 0)
    throw error(std::make_error_code(std::errc::resource_deadlock_would_occur), operation, "",
                "this thread runs a loop and must not wait; await instead");
}

void refuse_to_block(const char* operation, const loop_ref& target) {
  refuse_to_block(operation);
  if (runs_here(target))
    throw error(std::make_error_code(std::errc::resource_deadlock_would_occur), operation, "",
                "the loop belongs to this thread");
}

}  // namespace cuvee::inline v0::detail
