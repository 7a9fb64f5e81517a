// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/condition.h>

namespace cuvee::inline v0 {

void condition::notify(std::size_t n) {
  for (; n > 0; n--) {
    wait_awaiter* next = waiting_.take();
    if (!next) return;
    next->notified();
  }
}

void condition::notify_all() {
  waiting_.serve_all([](wait_awaiter& next) { next.notified(); });
}

condition::wait_awaiter::wait_awaiter(condition& c, mutex_guard& lock)
    : condition_(&c), lock_(&lock), mutex_(lock.held_.owner()) {
  if (!mutex_) detail::refuse_not_held("wait", "mutex");
}

void condition::wait_awaiter::await_suspend(waiter& w) {
  if (lock_->held_.owner() != mutex_)
    throw error(std::make_error_code(std::errc::operation_not_permitted), "wait", "condition",
                "the guard does not hold the mutex any more: another wait has given it up");
  condition_->waiting_.add(*this, w);
  lock_->unlock();
}

bool condition::wait_awaiter::await_cancel(waiter& w) {
  cancelled_ = true;
  if (linked()) {
    unlink();
    return lock_again(w);
  }
  pass_on();
  return false;
}

// False: the mutex is on its way, and `w` completes when `lock_` has it.
bool condition::wait_awaiter::lock_again(waiter& w) noexcept {
  if (mutex_->lock_now(*lock_)) return true;
  mutex_->lock_later(relock_, *lock_, w);
  return false;
}

void condition::wait_awaiter::notified() {
  notified_ = true;
  if (lock_again(*waiting)) waiting->complete();
}

void condition::wait_awaiter::pass_on() {
  if (std::exchange(notified_, false)) condition_->notify();
}

}  // namespace cuvee::inline v0
