// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/semaphore.h>

namespace cuvee::inline v0 {

semaphore::semaphore(std::ptrdiff_t initial, std::ptrdiff_t limit)
    : value_(initial), limit_(limit) {
  if (initial < 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "construct", "semaphore",
                "a negative number of permits");
}

void semaphore::release(std::ptrdiff_t n) {
  if (n < 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "release", "semaphore",
                "a negative number of permits");
  if (n > limit_ - value_)
    throw error(errc::limit_exceeded, "release", "semaphore", "more permits than it may have");
  value_ += n;
  serve();
}

// By a guard, which cannot fail: if `release` has given its permit back already, there is none
// left.
void semaphore::give_back() {
  if (value_ < limit_) value_++;
  serve();
}

// A completion may release and acquire in turn, so each round begins with what it left.
void semaphore::serve() {
  while (value_ > 0) {
    line_node* next = waiting_.take();
    if (!next) return;
    value_--;
    next->guard_ = semaphore_guard(*this);
    next->waiting->complete();
  }
}

}  // namespace cuvee::inline v0
