// SPDX-License-Identifier: MIT
#include "observers.h"

#include "loop_state.h"
#include "task_walk.h"

#include <chrono>

namespace cuvee::inline v0 {

instrument::~instrument() = default;
task_history::~task_history() = default;

std::string task_view::name() const { return detail::name_of(*strand_); }
std::source_location task_view::place() const { return detail::place_of(*strand_); }

std::vector<cancel_reason> task_view::cancel_chain() const {
  std::vector<cancel_reason> chain;
  for (auto* s = detail::next_scope(strand_->context); s; s = detail::next_scope(s->up))
    if (s->cancelled && s->reason) chain.push_back(*s->reason);
  return chain;
}

void task_history::task_spawned(const task_view& child, const task_view* creator) {
  constexpr std::size_t most_creators = 16;  // each task may make the next one, for ever
  living& born = living_[child.id()];
  born = {child.name(), {}};
  if (!creator) return;
  auto it = living_.find(creator->id());
  std::string name = creator->name();
  if (name.empty() && it != living_.end()) name = it->second.name;
  born.creators.push_back(std::move(name));
  if (it == living_.end()) return;
  const std::vector<std::string>& above = it->second.creators;
  born.creators.insert(born.creators.end(), above.begin(), above.end());
  if (born.creators.size() > most_creators) born.creators.resize(most_creators);
}

void task_history::after_step(const task_view& task) {
  auto it = living_.find(task.id());
  if (it != living_.end() && it->second.name.empty()) it->second.name = task.name();
}

void task_history::task_exited(const task_view& task, task_outcome how) {
  ended_task& e = ended_.emplace_back();
  e.id = task.id();
  e.name = task.name();
  e.outcome = how;
  if (how == task_outcome::cancelled) e.cancel_chain = task.cancel_chain();
  if (auto it = living_.find(task.id()); it != living_.end()) {
    if (e.name.empty()) e.name = std::move(it->second.name);
    e.creators = std::move(it->second.creators);
    living_.erase(it);
  }
  if (ended_.size() > most_) ended_.pop_front();
}

namespace detail {

namespace {

// Of the real clock, also where the loop's is virtual.
std::uint64_t real_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

std::string in_quotes(const std::string& name) {
  return name.empty() ? std::string("a task") : "task '" + name + "'";
}

// What debug mode has no memory to record, it does without.
template <class F>
void record(F f) noexcept {
  try {
    f();
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace

template <class F>
void observers::tell(F f) noexcept {
  telling_++;
  for (std::size_t i = 0; i < instruments_.size(); i++) {
    std::shared_ptr<instrument> each = instruments_[i];
    if (!each) continue;
    try {
      f(*each);
    } catch (...) {
      instruments_[i].reset();
      loop_.report_error("an instrument failed and was removed", std::current_exception());
    }
  }
  if (--telling_ == 0) std::erase(instruments_, nullptr);
}

void observers::remove(const instrument& i) noexcept {
  for (auto& each : instruments_)
    if (each.get() == &i) each.reset();
  if (telling_ == 0) std::erase(instruments_, nullptr);
}

void observers::forget() noexcept {
  births_.clear();
  handles_.clear();
  began_ = 0;
}

void observers::spawned(strand& s) {
  if (loop_.debug) {
    record([&] { births_[&s] = {loop_.now(), whereabouts(), name_of(s)}; });
    s.check_thread_on_completion();
  }
  if (instruments_.empty()) return;
  task_view child(s);
  std::optional<task_view> creator;
  if (loop_.running) creator.emplace(*loop_.running);
  tell([&](instrument& i) { i.task_spawned(child, creator ? &*creator : nullptr); });
}

void observers::step(strand& s) {
  place_ = place_of(s);
  if (loop_.debug) {
    if (auto it = births_.find(&s); it != births_.end() && it->second.name.empty())
      record([&] { it->second.name = name_of(s); });
    began_ = real_ns();
  }
  task_view view(s);
  tell([&](instrument& i) { i.before_step(view); });
  ended_ = false;
  s.run();
  if (ended_) return;
  if (loop_.debug) check_time(s);
  tell([&](instrument& i) { i.after_step(view); });
}

void observers::ending(strand& s) {
  ended_ = true;
  if (loop_.debug) check_time(s);
  task_view view(s);
  task_outcome how = s.was_cancelled     ? task_outcome::cancelled
                     : s.kind->failed(s) ? task_outcome::failed
                                         : task_outcome::completed;
  tell([&](instrument& i) { i.task_exited(view, how); });
  births_.erase(&s);
}

void observers::io_wait(bool begins) {
  if (begins == waiting_) return;
  waiting_ = begins;
  tell([&](instrument& i) { begins ? i.before_io_wait() : i.after_io_wait(); });
}

void observers::run(bool begins) {
  tell([&](instrument& i) { begins ? i.before_run() : i.after_run(); });
}

void observers::check_time(const strand& s) noexcept {
  duration took(static_cast<duration::rep>(real_ns() - began_));
  if (began_ == 0 || took <= slow_step) return;
  loop_.report_made([&] {
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    std::string from = place_.line() == 0 ? std::string() : " from " + to_string(place_);
    return report{describe(s) + " kept the loop busy for " + std::to_string(ms) + " ms" + from,
                  nullptr};
  });
}

void observers::note_handle(const handle_block& h) noexcept {
  record([&] { handles_[&h] = whereabouts(); });
}

std::string observers::describe(const strand& s) const {
  std::string name = name_of(s);
  if (auto it = births_.find(&s); it != births_.end() && name.empty()) name = it->second.name;
  return in_quotes(name);
}

// A task that runs does not know its innermost frame; while it suspends it does.
std::string observers::whereabouts() const {
  const strand* s = loop_.running;
  if (!s) return {};
  std::source_location now = place_of(*s);
  if (now.line() != 0) return describe(*s) + " at " + to_string(now);
  return describe(*s) + (place_.line() == 0 ? std::string() : " after " + to_string(place_));
}

std::string observers::maker_of(const strand& s) const {
  auto it = births_.find(&s);
  return it == births_.end() ? std::string() : it->second.maker;
}

std::string observers::maker_of(const handle_block& h) const {
  auto it = handles_.find(&h);
  return it == handles_.end() ? std::string() : it->second;
}

void observers::complete(task_info& info, const strand& s) const {
  auto it = births_.find(&s);
  if (it == births_.end()) return;
  info.age = duration(static_cast<duration::rep>(loop_.now() - it->second.at));
  info.created_by = it->second.maker;
  if (info.name.empty()) info.name = it->second.name;
}

}  // namespace detail
}  // namespace cuvee::inline v0
