// SPDX-License-Identifier: MIT
#include "job_gate.h"

#include <cuvee/core/thread_limiter.h>

#include <algorithm>

namespace cuvee::inline v0 {

namespace detail {

gate_ticket::~gate_ticket() {
  if (granted) gate->leave();
}

void gate_ticket::run() {
  if (!job) return;
  granted = false;  // the job's now
  job->admitted();
}

bool job_gate::take_place() noexcept {
  if (running_ == limit_) return false;
  peak_ = std::max(peak_, ++running_);
  return true;
}

bool job_gate::try_enter() noexcept {
  std::lock_guard lock(mutex_);
  return take_place();
}

bool job_gate::enter_or_wait(gate_ticket& ticket) noexcept {
  std::lock_guard lock(mutex_);
  if (take_place()) return true;
  waiting_.push_back(ticket);
  waiting_count_++;
  return false;
}

bool job_gate::withdraw(gate_ticket& ticket) noexcept {
  std::lock_guard lock(mutex_);
  if (ticket.granted) return false;
  ticket.unlink();
  waiting_count_--;
  return true;
}

void job_gate::leave() noexcept {
  for (;;) {
    std::unique_ptr<gate_ticket> of_a_closed_loop;
    std::lock_guard lock(mutex_);
    gate_ticket* next = waiting_.pop_front();
    if (!next) {
      running_--;
      return;
    }
    waiting_count_--;
    next->granted = true;
    // Under the lock, so that grants arrive at a loop in order; nothing runs inside push.
    if (std::shared_ptr<mailbox> home = next->home; home->push(next)) return;
    next->granted = false;
    of_a_closed_loop.reset(next);
  }
}

job_gate::counts job_gate::look() noexcept {
  std::lock_guard lock(mutex_);
  return {limit_, running_, waiting_count_, peak_};
}

}  // namespace detail

thread_limiter::thread_limiter(std::size_t limit)
    : gate_(std::make_shared<detail::job_gate>(limit)) {
  if (limit == 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "limit threads", "",
                "a limit of 0 lets nobody in");
}

thread_limiter::statistics_snapshot thread_limiter::statistics() const noexcept {
  auto [limit, running, waiting, peak] = gate_->look();
  return {limit, running, waiting, peak};
}

}  // namespace cuvee::inline v0
