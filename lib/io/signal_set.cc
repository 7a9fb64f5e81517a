// SPDX-License-Identifier: MIT
#include <cuvee/io/signal_set.h>

#include <cuvee/base/error.h>
#include <cuvee/core/visitor.h>

#include "core/loop_state.h"
#include "core/signal_watch.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {

/// What a set has received and who waits for it.
class signal_inbox {
 public:
  signal_inbox(loop_state& l, const int* numbers, std::size_t count);
  signal_inbox(const signal_inbox&) = delete;
  ~signal_inbox() { let_go(); }

  bool take(int& into) noexcept;
  void wait(signal_awaiter& a, waiter& w) noexcept;
  void leave(signal_awaiter& a) noexcept;
  void give(int number) noexcept;
  void give_back(int number) noexcept;
  std::string to_string() const;

 private:
  class watch;
  void let_go() noexcept;
  bool wake(int number) noexcept;
  void keep_loop() noexcept;
  void stopped(int number, bool missed, bool last) noexcept;

  std::vector<watch*> watches_;
  std::vector<int> unread_;  // each number once, with room for all
  wait_list<signal_awaiter> line_;
};

class signal_inbox::watch final : public signal_watch {
 public:
  watch(loop_state& l, signal_inbox& to) noexcept : signal_watch(l), inbox_(&to) {}

 private:
  void arrived(int number) override { inbox_->give(number); }
  void stopped(bool missed, bool last) override { inbox_->stopped(number(), missed, last); }
  signal_inbox* inbox_;
};

namespace {

[[noreturn]] void refuse(int number, const char* why) {
  const char* meaning = strsignal(number);
  std::string subject = "signal " + std::to_string(number);
  if (meaning) subject.append(" (").append(meaning).append(")");
  throw error(std::make_error_code(std::errc::invalid_argument), "receive", subject, why);
}

}  // namespace

signal_inbox::signal_inbox(loop_state& l, const int* numbers, std::size_t count) {
  for (std::size_t i = 0; i < count; i++) {
    int n = numbers[i];
    if (n == SIGKILL || n == SIGSTOP) refuse(n, "no process can");
    if (n == SIGCHLD) refuse(n, "children are awaited with process::wait");
    if (n < 1 || n > SIGRTMAX) refuse(n, "there is none");
    if (std::find(numbers, numbers + i, n) != numbers + i) refuse(n, "it is named twice");
  }
  watches_.reserve(count);
  unread_.reserve(count);
  try {
    for (std::size_t i = 0; i < count; i++) {
      watches_.push_back(new watch(l, *this));
      watches_.back()->start(numbers[i]);
    }
  } catch (...) {
    let_go();
    throw;
  }
}

void signal_inbox::let_go() noexcept {
  for (watch* w : watches_) w->disown();
}

// Nobody has read it, and nobody is left who could: its earlier effect shall follow.
void signal_inbox::stopped(int number, bool missed, bool last) noexcept {
  bool unread = std::erase(unread_, number) != 0;
  if (last && (missed || unread)) ::kill(getpid(), number);
}

bool signal_inbox::take(int& into) noexcept {
  if (unread_.empty()) return false;
  into = unread_.front();
  unread_.erase(unread_.begin());
  return true;
}

void signal_inbox::wait(signal_awaiter& a, waiter& w) noexcept {
  line_.add(a, w);
  keep_loop();
}
void signal_inbox::leave(signal_awaiter& a) noexcept {
  a.unlink();
  keep_loop();
}

// Only a wait for a signal is something to wait for.
void signal_inbox::keep_loop() noexcept {
  for (watch* w : watches_) w->keep_loop(!line_.empty());
}

bool signal_inbox::wake(int number) noexcept {
  signal_awaiter* a = line_.take();
  if (!a) return false;
  keep_loop();
  a->number_ = number;
  a->waiting->complete();
  return true;
}

void signal_inbox::give(int number) noexcept {
  bool known = std::find(unread_.begin(), unread_.end(), number) != unread_.end();
  if (!known && !wake(number)) unread_.push_back(number);
}

void signal_inbox::give_back(int number) noexcept {
  std::erase(unread_, number);
  if (!wake(number)) unread_.insert(unread_.begin(), number);
}

std::string signal_inbox::to_string() const {
  std::string text;
  for (watch* w : watches_) text += (text.empty() ? "signal " : ", ") + std::to_string(w->number());
  return text;
}

}  // namespace detail

signal_awaiter::~signal_awaiter() {
  if (number_ != 0) inbox_->give_back(number_);
}
bool signal_awaiter::await_ready() noexcept { return inbox_->take(number_); }
void signal_awaiter::await_suspend(waiter& w) noexcept { inbox_->wait(*this, w); }
bool signal_awaiter::await_cancel(waiter&) noexcept {
  inbox_->leave(*this);
  return true;
}
int signal_awaiter::await_resume() noexcept { return std::exchange(number_, 0); }
void signal_awaiter::visit(detail::visitor& v) { v.about(inbox_->to_string()); }

signal_set::signal_set(const numbers& list)
    : inbox_(std::make_unique<detail::signal_inbox>(detail::loop_state::current(), list.values,
                                                    list.count)) {}
signal_set::signal_set(signal_set&&) noexcept = default;
signal_set& signal_set::operator=(signal_set&&) noexcept = default;
signal_set::~signal_set() = default;

std::optional<int> signal_set::try_next() noexcept {
  int number = 0;
  return inbox_->take(number) ? std::optional<int>(number) : std::nullopt;
}

}  // namespace cuvee::inline v0
