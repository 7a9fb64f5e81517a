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

}  // namespace detail

void loop_ref::deliver(std::unique_ptr<detail::posted> call) const {
  if (!box_->push(call.get())) throw error(errc::loop_closed, "post");
  call.release();
}

}  // namespace cuvee::inline v0
