// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/context.h>
#include <cuvee/core/failures.h>
#include <cuvee/core/task.h>

#include <optional>
#include <utility>
#include <variant>

namespace cuvee::inline v0::detail {

/// `std::monostate` for void, otherwise the plain type: what a combinator stores of a child.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, std::remove_cvref_t<T>>;

enum class outcome : std::uint8_t { idle, running, completed, cancelled };

/// The waiting side of an expression with children. A child that ends reacts here at once, not
/// through the ready queue: else two leaves could complete in one turn and `any_of` lose an item.
struct combinator {
  waiter* parent = nullptr;
  std::uint32_t pending = 0;  // children still running, plus one while the combinator itself acts
  bool stopping = false;
  void (*child_ended)(combinator&, const std::exception_ptr* failure) = nullptr;

  /// The `await_cancel` of `self`, an awaiter with children: `ask` cancels them; they may end inside.
  template <class Awaiter, class F>
  bool cancel_by(F ask, Awaiter& self) {
    pending++;
    ask();
    if (--pending != 0) return false;
    if (!self.await_must_resume()) return true;
    parent->complete();
    return false;
  }
};

/// Whether an awaitable is a task or starts some: those are under the limits that it is under.
template <class A>
inline constexpr bool runs_tasks = std::is_base_of_v<combinator, A>;
template <class T>
inline constexpr bool runs_tasks<task<T>> = true;
template <class A>
  requires requires { typename A::wrapped; }
inline constexpr bool runs_tasks<A> = runs_tasks<typename A::wrapped>;

/// A child that is a plain awaiter: it stays in place and needs no frame.
template <class A>
class child : public waiter {
  static_assert(
      requires(A& a) { a.await_ready(), a.await_resume(); },
      "only tasks and other awaitables go together; call the function that makes them");

 public:
  using result_type = decltype(std::declval<A&>().await_resume());
  // A failure shows only in await_resume; unless that cannot throw it is called at completion.
  static constexpr bool eager = !noexcept(std::declval<A&>().await_resume());

  explicit child(A&& a) : waiter(&on_complete), inner_(std::move(a)) {}
  child(child&& other) : waiter(&on_complete), inner_(std::move(other.inner_)) {}

  outcome state() const noexcept { return state_; }
  /// True: the child will not start at all.
  bool cancel_early() {
    asked_ = true;
    if (!early_cancel_awaiter(inner_)) return false;
    state_ = outcome::cancelled;
    return true;
  }
  void start(combinator& owner) noexcept {
    owner_ = &owner;
    state_ = outcome::running;
    starting_ = true;
    bool suspended = false;
    try {
      suspended = !inner_.await_ready() && suspend_awaiter(inner_, *this);
    } catch (...) {
      if (state_ != outcome::running) die("an awaiter threw although it had completed");
      error_ = std::current_exception();
      return finish(outcome::completed);
    }
    starting_ = false;
    if (!suspended) complete();
    else if (asked_ && state_ == outcome::running) [[unlikely]] tell_cancel();
  }
  /// A cancel that arrives while the child starts is told to it once it is suspended.
  void cancel() {
    if (state_ != outcome::running || asked_) return;
    asked_ = true;
    if (!starting_) tell_cancel();
  }
  bool failed() const noexcept { return static_cast<bool>(error_); }
  void visit(visitor& v) {
    if (state_ == outcome::running) v.operation(ops_of<A>, &inner_);
  }
  stored<result_type> take() {
    if (error_) [[unlikely]]
      std::rethrow_exception(error_);
    if constexpr (eager) {
      return std::move(*value_);
    } else if constexpr (std::is_void_v<result_type>) {
      inner_.await_resume();
      return {};
    } else {
      return inner_.await_resume();
    }
  }

 private:
  static void on_complete(waiter* w) {
    auto& c = *static_cast<child*>(w);
    bool cancelled = c.asked_ && !awaiter_must_resume(c.inner_);
    c.finish(cancelled ? outcome::cancelled : outcome::completed);
  }
  void tell_cancel() {
    if (cancel_awaiter(inner_, *this)) finish(outcome::cancelled);
  }
  void finish(outcome end) {
    state_ = end;
    if constexpr (eager)
      if (end == outcome::completed && !error_) fetch();
    owner_->child_ended(*owner_, error_ ? &error_ : nullptr);
  }
  void fetch() {
    try {
      if constexpr (std::is_void_v<result_type>) {
        inner_.await_resume();
        value_.emplace();
      } else {
        value_.emplace(inner_.await_resume());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  struct nothing {};
  A inner_;
  combinator* owner_ = nullptr;
  outcome state_ = outcome::idle;
  bool asked_ = false;
  bool starting_ = false;
  [[no_unique_address]] std::conditional_t<eager, std::optional<stored<result_type>>, nothing>
      value_;
  std::exception_ptr error_;
};

/// A child that is a task gets a strand in place.
template <class T>
class child<task<T>> : public strand {
 public:
  using result_type = T;

  child() noexcept = default;
  explicit child(task<T>&& t) noexcept : task_(t.release()) {}
  child(child&& other) noexcept : task_(std::exchange(other.task_, {})) {}
  ~child() {
    if (!task_) return;
    if (end_ == outcome::idle) drop_unawaited(task_);
    else task_.destroy();
  }

  void reset(task<T>&& t) noexcept { task_ = t.release(); }
  outcome state() const noexcept { return end_; }
  bool cancel_early() noexcept {
    end_ = outcome::cancelled;
    return true;
  }
  void start(combinator& owner) noexcept {
    owner_ = &owner;
    end_ = outcome::running;
    task_.promise().owner = this;
    frame = task_;
    begin(kind_);
  }
  void cancel() {
    if (end_ == outcome::running) strand::cancel();
  }
  bool failed() const noexcept { return task_ && task_.promise().failed(); }
  void visit(visitor& v) {
    if (end_ == outcome::running) v.task(*this);
  }
  void visit_block(visitor& v) {
    if (end_ == outcome::running) v.block(*this);
  }
  stored<T> take() {
    if constexpr (std::is_void_v<T>) {
      if (task_) task_.promise().take();
      return {};
    } else {
      return task_.promise().take();
    }
  }

 private:
  static void on_end(strand& s) {
    auto& c = static_cast<child&>(s);
    if (c.was_cancelled) {
      c.task_ = {};
      c.end_ = outcome::cancelled;
      return c.owner_->child_ended(*c.owner_, nullptr);
    }
    c.end_ = outcome::completed;
    if (!c.failed()) [[likely]] {
      // Its arguments, a channel's end say, go with the task, not with its last sibling.
      if constexpr (std::is_void_v<T>) std::exchange(c.task_, {}).destroy();
      return c.owner_->child_ended(*c.owner_, nullptr);
    }
    std::exception_ptr failure = c.task_.promise().error();
    c.owner_->child_ended(*c.owner_, &failure);
  }
  static bool has_failed(const strand& s) { return static_cast<const child&>(s).failed(); }
  static constexpr strand_kind kind_{&on_end, nullptr, &has_failed, nullptr};

  std::coroutine_handle<promise<T>> task_;
  combinator* owner_ = nullptr;
  outcome end_ = outcome::idle;
};
static_assert(sizeof(child<task<int>>) <= 96);

/// The only child of a block belongs to the task that waits for the block.
template <class A>
void visit_body(child<A>& c, visitor& v) {
  if constexpr (requires { c.visit_block(v); }) c.visit_block(v);
  else c.visit(v);
}

struct no_scope {};
/// The scope that a combinator with a single child puts around it.
template <class A>
using scope_around = std::conditional_t<runs_tasks<A>, scope_node, no_scope>;

template <class A>
void start_under(scope_around<A>& scope, child<A>& c, combinator& owner) {
  if constexpr (runs_tasks<A>) {
    scope.up = this_scheduler->context;
    context_switch inside(*this_scheduler, &scope);
    c.start(owner);
  } else {
    c.start(owner);
  }
}

/// What `gather` and `any_of` share. `Derived` supplies `for_each(f)`, `ends(failed)` (shall the others be
/// cancelled now?) and `await_must_resume()`.
template <class Derived>
class combinator_awaiter : protected combinator {
 public:
  bool await_ready() noexcept { return false; }

  // Forwarded, so that shields inside still start.
  bool await_early_cancel() {
    bool all = true;
    self().for_each([&](auto& c) {
      if (!c.cancel_early()) all = false;
    });
    return all;
  }
  bool await_suspend(waiter& w) {
    parent = &w;
    pending = 1;
    child_ended = [](combinator& c, const std::exception_ptr* failure) {
      static_cast<Derived&>(static_cast<combinator_awaiter&>(c)).on_child(failure);
    };
    self().start_children();
    return --pending != 0;
  }
  bool await_cancel(waiter&) {
    return cancel_by([&] { cancel_all(); }, self());
  }

  void visit(visitor& v) {
    self().for_each([&](auto& c) { c.visit(v); });
  }

 protected:
  /// `Derived` may hide these two: which children start at once, and what follows when one has ended.
  void start_children() {
    self().for_each([&](auto& c) { start_child(c); });
  }
  void child_left() noexcept {}
  /// False: cancelled before it started.
  bool start_child(auto& c) {
    if (c.state() == outcome::cancelled) return false;
    if (stopping && c.cancel_early()) return false;
    pending++;
    c.start(*this);
    return true;
  }

  /// The combinator itself cannot go on.
  void give_up(const std::exception_ptr& why) {
    failures_.add(why);
    cancel_all();
  }

  failure_list failures_;

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  void cancel_all() {
    stopping = true;
    self().for_each([](auto& c) { c.cancel(); });
  }
  void on_child(const std::exception_ptr* failure) {
    if (failure) failures_.add(*failure);
    pending++;  // whatever cancel_all confirms on the way, complete() below comes last and once
    if (!stopping && self().ends(failure != nullptr)) cancel_all();
    self().child_left();
    pending -= 2;
    if (pending == 0) parent->complete();
  }
};

}  // namespace cuvee::inline v0::detail
