// SPDX-License-Identifier: MIT
#include <cuvee/testing/sequencer.h>

#include <string>

namespace cuvee::inline v0::testing {

namespace {

error refusal(std::error_code code, std::size_t number, const std::string& why) {
  return error(code, "wait", "place " + std::to_string(number), why);
}
error broken(std::size_t number, std::size_t by) {
  return refusal(make_error_code(errc::broken), number,
                 "broken: place " + std::to_string(by) + " was cancelled");
}

}  // namespace

void sequencer::leave() noexcept {
  held_ = false;
  next_++;
  give_next();
}

void sequencer::give_next() noexcept {
  place_awaiter* found = nullptr;
  waiting_.for_each([&](place_awaiter& a) {
    if (a.number_ == next_) found = &a;
  });
  if (!found) return;
  found->unlink();
  held_ = true;
  found->place_ = place(*this);
  found->waiting->complete();
}

void sequencer::break_at(std::size_t number) noexcept {
  if (broken_at_) return;
  broken_at_ = number;
  waiting_.serve_all([&](place_awaiter& a) {
    a.failure_ = broken(a.number_, number);
    a.waiting->complete();
  });
}

bool sequencer::taken(std::size_t number) noexcept {
  bool found = number < next_ || (number == next_ && held_);
  waiting_.for_each([&](place_awaiter& a) { found = found || a.number_ == number; });
  return found;
}

bool sequencer::place_awaiter::await_ready() noexcept {
  sequencer& s = *home_;
  if (s.broken_at_) {
    failure_ = broken(number_, *s.broken_at_);
  } else if (s.taken(number_)) {
    auto code = std::make_error_code(std::errc::invalid_argument);
    failure_ = refusal(code, number_, "was taken before");
  } else if (number_ == s.next_) {
    s.held_ = true;
    place_ = place(s);
  } else {
    return false;
  }
  return true;
}

void sequencer::place_awaiter::await_suspend(waiter& w) noexcept { home_->waiting_.add(*this, w); }

bool sequencer::place_awaiter::await_early_cancel() noexcept {
  home_->break_at(number_);
  return true;
}

bool sequencer::place_awaiter::await_cancel(waiter&) noexcept {
  unlink();
  home_->break_at(number_);
  return true;
}

sequencer::place sequencer::place_awaiter::await_resume() {
  if (failure_) throw *failure_;
  return std::move(place_);
}

}  // namespace cuvee::inline v0::testing
