// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/core/capacity_limiter.h>
#include <cuvee/core/held.h>

namespace cuvee::inline v0 {

namespace {

[[noreturn]] void refuse_second_token() {
  throw error(std::make_error_code(std::errc::resource_deadlock_would_occur), "acquire",
              "capacity_limiter", "the borrower has or awaits a token already");
}

}  // namespace

capacity_token& capacity_token::operator=(capacity_token&& other) noexcept {
  capacity_token incoming(std::move(other));
  drop();
  take(incoming);
  return *this;
}

void capacity_token::release() {
  if (!owns_token()) detail::refuse_not_held("release", "capacity_limiter");
  drop();
}

// Takes the place of `other` in its borrower's list.
void capacity_token::take(capacity_token& other) noexcept {
  limiter_ = other.limiter_;
  state_ = std::exchange(other.state_, state::empty);
  if (!other.linked()) return;
  prev = std::exchange(other.prev, nullptr);
  next = std::exchange(other.next, nullptr);
  prev->next = next->prev = this;
}

void capacity_token::drop() noexcept {
  if (linked()) unlink();
  if (std::exchange(state_, state::empty) == state::lent) limiter_->give_back();
}

std::optional<capacity_token> capacity_limiter::try_acquire() noexcept {
  std::optional<capacity_token> token(std::in_place);
  if (!try_take(*token)) token.reset();
  return token;
}

std::optional<capacity_token> capacity_limiter::try_acquire(borrower& who) {
  std::optional<capacity_token> token(std::in_place);
  if (!enlist(*token, who)) refuse_second_token();
  if (!try_take(*token)) token.reset();
  return token;
}

void capacity_limiter::set_total(std::size_t total) {
  total_ = total;
  serve();
}

capacity_limiter::statistics_snapshot capacity_limiter::statistics() const noexcept {
  std::size_t waiting = 0;
  waiting_.for_each([&](auto&) { waiting++; });
  return {borrowed_, total_, waiting};
}

bool capacity_limiter::try_take(capacity_token& into) noexcept {
  if (borrowed_ >= total_ || !waiting_.empty()) return false;
  borrowed_++;
  into.limiter_ = this;
  into.state_ = capacity_token::state::lent;
  return true;
}

void capacity_limiter::give_back() noexcept {
  borrowed_--;
  serve();
}

// A completion may move the total or borrow in turn, so each round begins with what it left.
void capacity_limiter::serve() {
  while (borrowed_ < total_) {
    acquire_awaiter* next = waiting_.take();
    if (!next) return;
    borrowed_++;
    next->token_.state_ = capacity_token::state::lent;
    next->waiting->complete();
  }
}

bool capacity_limiter::enlist(capacity_token& token, borrower& who) noexcept {
  bool known = false;
  who.tokens_.for_each([&](capacity_token& t) { known |= t.limiter_ == this; });
  if (known) return false;
  token.limiter_ = this;
  who.tokens_.push_back(token);
  return true;
}

bool capacity_limiter::acquire_awaiter::await_ready() noexcept {
  refused_ = who_ && !limiter_->enlist(token_, *who_);
  return refused_ || limiter_->try_take(token_);
}

void capacity_limiter::acquire_awaiter::await_suspend(waiter& w) noexcept {
  token_.limiter_ = limiter_;
  token_.state_ = capacity_token::state::awaited;
  limiter_->waiting_.add(*this, w);
}

bool capacity_limiter::acquire_awaiter::await_cancel(waiter&) noexcept {
  unlink();
  token_.drop();
  return true;
}

capacity_token capacity_limiter::acquire_awaiter::await_resume() {
  if (refused_) refuse_second_token();
  return std::move(token_);
}

}  // namespace cuvee::inline v0
