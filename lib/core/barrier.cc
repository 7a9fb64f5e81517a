// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/barrier.h>

namespace cuvee::inline v0 {

barrier::barrier(std::size_t parties) : parties_(parties) {
  if (parties == 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "construct", "barrier",
                "no parties");
}

void barrier::reset() {
  broken_ = false;
  end_round(fate::broken);
}

void barrier::abort() {
  broken_ = true;
  end_round(fate::broken);
}

// Settles the whole round before the first completion, which may bring the next round's first
// arrivals.
void barrier::end_round(fate how) {
  arrived_ = 0;
  std::size_t index = 0;
  waiting_.for_each([&](arrive_awaiter& a) {
    a.index_ = index++;
    a.fate_ = how;
  });
  waiting_.wake_all();
}

bool barrier::arrive_awaiter::await_ready() {
  if (barrier_->broken_) {
    fate_ = fate::broken;
    return true;
  }
  if (barrier_->arrived_ + 1 < barrier_->parties_) return false;
  index_ = barrier_->arrived_;
  fate_ = fate::passed;
  barrier_->end_round(fate::passed);
  return true;
}

void barrier::arrive_awaiter::await_suspend(waiter& w) noexcept {
  barrier_->arrived_++;
  barrier_->waiting_.add(*this, w);
}

bool barrier::arrive_awaiter::await_cancel(waiter&) noexcept {
  unlink();
  if (fate_ == fate::open) barrier_->arrived_--;
  return true;
}

std::size_t barrier::arrive_awaiter::await_resume() const {
  if (fate_ == fate::broken) throw error(errc::broken, "arrive_and_wait", "barrier");
  return index_;
}

}  // namespace cuvee::inline v0
