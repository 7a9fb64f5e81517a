// SPDX-License-Identifier: MIT
#include <cuvee/core/rw_lock.h>

namespace cuvee::inline v0 {

template <class Guard>
std::optional<Guard> rw_lock::try_take() noexcept {
  std::optional<Guard> guard(std::in_place);
  if (!waiting_.empty() || !take(*guard)) guard.reset();
  return guard;
}

std::optional<exclusive_guard> rw_lock::try_lock() noexcept { return try_take<exclusive_guard>(); }
std::optional<shared_guard> rw_lock::try_lock_shared() noexcept { return try_take<shared_guard>(); }

bool rw_lock::take(exclusive_guard& into) noexcept {
  if (locked_ || readers_ > 0) return false;
  locked_ = true;
  into = exclusive_guard(*this);
  return true;
}

bool rw_lock::take(shared_guard& into) noexcept {
  if (locked_) return false;
  readers_++;
  into = shared_guard(*this);
  return true;
}

void rw_lock::unlock() {
  locked_ = false;
  admit();
}

void rw_lock::unlock_shared() {
  readers_--;
  admit();
}

// A completion may lock, unlock and unlink in turn, so each round begins with what it left.
void rw_lock::admit() {
  while (line_node* first = waiting_.front()) {
    if (!first->take_lock(*first)) return;
    first->unlink();
    first->waiting->complete();
  }
}

}  // namespace cuvee::inline v0
