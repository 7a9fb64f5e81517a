// SPDX-License-Identifier: MIT
#include "mailbox.h"

#include <thread>

namespace cuvee::inline v0 {

namespace detail {

bool mailbox::push(posted* call) noexcept {
  pushing_.fetch_add(1);
  posted* seen = newest_.load();
  do {
    if (seen == closed_mark()) {
      pushing_.fetch_sub(1);
      return false;
    }
    call->next = seen;
  } while (!newest_.compare_exchange_weak(seen, call));
  if (!seen) uv_async_send(wake_);
  pushing_.fetch_sub(1);
  return true;
}

posted* mailbox::take() noexcept {
  posted* newest = newest_.exchange(nullptr);
  posted* oldest = nullptr;
  while (newest) {
    posted* older = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = older;
  }
  return oldest;
}

void mailbox::close() noexcept {
  posted* left = newest_.exchange(closed_mark());
  while (pushing_.load() != 0) std::this_thread::yield();
  while (left) delete std::exchange(left, left->next);
}

bool post_state::begin() noexcept {
  runner_ = std::this_thread::get_id();
  phase expected = phase::waiting;
  return phase_.compare_exchange_strong(expected, phase::running);
}

void post_state::end() noexcept {
  phase_.store(phase::ended);
  phase_.notify_all();
}

bool post_state::cancel() noexcept {
  phase seen = phase::waiting;
  if (phase_.compare_exchange_strong(seen, phase::cancelled)) return true;
  if (seen == phase::running && runner_ != std::this_thread::get_id()) phase_.wait(seen);
  return seen == phase::cancelled;
}

}  // namespace detail

void loop_ref::deliver(std::unique_ptr<detail::posted> call) const {
  if (!try_deliver(call)) throw error(errc::loop_closed, "post");
}

bool loop_ref::try_deliver(std::unique_ptr<detail::posted>& call) const noexcept {
  if (!box_->push(call.get())) return false;
  call.release();
  return true;
}

}  // namespace cuvee::inline v0
