// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/group_record.h>

namespace cuvee::inline v0 {

namespace detail {
struct loop_state;
}

/// Reports that a child of `group::start` is ready; handed to it as its first argument.
/// Lifetime: that of the child.
template <class T>
class started {
 public:
  explicit started(detail::group_record& record) noexcept : record_(&record) {}

  /// Lets `start` return `value`; the child runs on in the group. Only the first call counts.
  void operator()(T value) const { detail::report_ready<T>(*record_, std::move(value)); }

 private:
  detail::group_record* record_;
};

/// The same without a value: that it is ready is all there is to say.
template <>
class started<void> {
 public:
  explicit started(detail::group_record& record) noexcept : record_(&record) {}
  void operator()() const { detail::report_ready<void>(*record_); }

 private:
  detail::group_record* record_;
};

/// A running or ended child of a group. Dropping the handle does not stop the child.
template <class T = void>
class task_handle {
 public:
  class join_awaiter;

  explicit task_handle(detail::result_record<T>* record) noexcept : record_(record) {}
  task_handle(task_handle&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  task_handle& operator=(task_handle&& other) noexcept {
    std::swap(record_, other.record_);
    return *this;
  }
  ~task_handle() {
    if (record_) record_->release();
  }

  /// Waits until the child has ended. Returns: its value, by reference to what the handle keeps alive;
  /// `std::move(handle).join()` moves it out.
  /// Errors: cancelled_error if the child was cancelled; what it threw. Cancel: safe; the child runs on.
  [[nodiscard]] auto join() & { return join_awaiter(*record_); }
  [[nodiscard]] auto join() && { return moving_join(*record_); }
  /// Asks the child to end as cancelled; does nothing if it has ended. The first reason is what `join` tells.
  void cancel(std::string reason = {},
              std::source_location where = std::source_location::current()) {
    record_->cancel_for(reason, where);
  }
  /// The value. Errors: not_done before the child has ended; then as `join`.
  std::add_lvalue_reference_t<const T> result() const {
    if (!done()) throw error(errc::not_done, "read the result", name());
    record_->rethrow_end();
    if constexpr (!std::is_void_v<T>) return *record_->value;
  }
  /// For people: reports and `dump_tasks` show it.
  void set_name(std::string name) {
    record_->name = std::make_unique<std::string>(std::move(name));
  }
  std::string_view name() const noexcept {
    return record_->name ? std::string_view(*record_->name) : std::string_view("a task");
  }
  bool done() const noexcept { return record_->end != detail::outcome::running; }
  bool was_cancelled() const noexcept { return record_->end == detail::outcome::cancelled; }
  /// It has ended by throwing.
  bool failed() const noexcept { return static_cast<bool>(record_->error); }

 private:
  class moving_join;
  detail::result_record<T>* record_;
};

template <class T>
class task_handle<T>::join_awaiter : public detail::join_waiter {
 public:
  explicit join_awaiter(detail::result_record<T>& record) noexcept : join_waiter(record) {}
  std::add_lvalue_reference_t<const T> await_resume() {
    rethrow_end();
    if constexpr (!std::is_void_v<T>)
      return *static_cast<detail::result_record<T>&>(*record_).value;
  }
};

template <class T>
class task_handle<T>::moving_join : public detail::join_waiter {
 public:
  explicit moving_join(detail::result_record<T>& record) noexcept : join_waiter(record) {}
  T await_resume() {
    rethrow_end();
    if constexpr (!std::is_void_v<T>)
      return std::move(*static_cast<detail::result_record<T>&>(*record_).value);
  }
};

/// The children that a `task_group` block waits for.
class CUVEE_API group : detail::combinator, detail::scope_node {
 public:
  group() = default;
  group(const group&) = delete;
  group& operator=(const group&) = delete;

  /// Starts `fn(args...)`, which returns a `task<T>`, as a child; it takes its first step after the
  /// spawner next suspends, in the order of spawning. `fn` and the arguments are copied or moved and live
  /// as long as the child, so capturing lambdas are safe; pass `std::ref` for a reference.
  /// Returns: a handle. Errors: closed, if a child has failed and the group is shutting down, or once its
  /// body and all its children have ended; operation_not_permitted on another thread than the loop's. In a
  /// cancelled group the child never runs.
  template <class F, class... Args>
  auto spawn(F fn, Args... args) {
    static_assert(
        std::is_invocable_v<F&, Args...>,
        "spawn takes a function and its arguments, spawn(f, x) and not spawn(f(x)); it must take "
        "copies of them, or std::ref(x) for a reference");
    static_assert(detail::makes_task<F&, Args...> || !std::is_invocable_v<F&, Args...>,
                  "spawn takes a function that returns a task<T>");
    using value = typename std::invoke_result_t<F&, Args...>::value_type;
    auto* record = new detail::spawn_record<value, F, Args...>(std::move(fn), std::move(args)...);
    adopt(record);
    return task_handle<value>(record);
  }

  /// Starts `fn(started<T>, args...)` as a child and waits until it reports that it is ready.
  /// Returns: the value it reported. Errors: what the child threw before, and then the group is
  /// unharmed; not_started if it returned before; cancelled_error if somebody cancelled it; closed as
  /// for `spawn`. Cancel: cancels the child and waits for it.
  template <class T, class F, class... Args>
  [[nodiscard]] auto start(F fn, Args... args) {
    static_assert(std::is_invocable_r_v<task<>, F&, started<T>, Args...>,
                  "start<T> takes a function that returns a task<>, and all of its arguments but "
                  "the first, a started<T>");
    return detail::start_awaiter<T, started<T>, F, Args...>(*this, std::move(fn),
                                                            std::move(args)...);
  }

  /// Cancels the body and all children; the block then ends without an error. Only the first reason counts.
  void cancel(std::string reason = {},
              std::source_location where = std::source_location::current());
  /// Null until `cancel` or a failure.
  const cancel_reason* why() const noexcept { return scope_node::reason.get(); }
  /// Children that have not ended.
  std::size_t size() const noexcept {
    bool body_runs = parent && (body_.state() == detail::outcome::idle ||
                                body_.state() == detail::outcome::running);
    return pending - body_runs;
  }

 private:
  template <class F>
  friend class detail::group_awaiter;
  friend struct detail::group_record;
  friend struct detail::loop_state;
  template <class T, class Started, class F, class... Args>
  friend class detail::start_awaiter;

  /// Takes the record, also where it throws.
  void adopt(detail::group_record* record);
  void open(waiter& parent);
  void run_body(task<> body);
  void open_background(detail::scheduler& home, void (*failed)(group&, detail::group_record&));
  void cancel_all();
  void child_done(detail::group_record* child, const std::exception_ptr* failure, bool cancelled);
  bool has_result() const noexcept { return failures_ || !saw_cancel_; }
  void visit(detail::visitor& v);

  detail::list<detail::group_record> records_;
  detail::failure_list failures_;
  detail::child<task<>> body_;
  detail::scheduler* home_ = nullptr;
  void (*failed_)(group&, detail::group_record&) = nullptr;  // a background group goes on
  bool open_ = false;
  bool saw_cancel_ = false;
};

/// Structured concurrency: runs `body(group&)`, a `task<>`, and waits for it and for every child it or
/// they have spawned. `body` lives as long as the block.
/// Errors: the first failure of the body or a child, after the rest was cancelled and has ended; later
/// ones are `suppressed` on it.
/// Cancel: cancels body and children and waits for them; a failure meanwhile wins.
template <class F>
[[nodiscard]] auto task_group(F body) {
  static_assert(std::is_invocable_r_v<task<>, F&, group&>,
                "task_group takes a coroutine `[](group& g) -> task<> { … }`");
  return detail::group_awaiter<F>(std::move(body));
}

namespace detail {

template <class F>
inline constexpr bool runs_tasks<group_awaiter<F>> = true;

template <class F>
class group_awaiter {
 public:
  explicit group_awaiter(F&& body) : body_(std::move(body)) {}
  group_awaiter(group_awaiter&& other) : body_(std::move(other.body_)) {}  // before it starts

  bool await_ready() noexcept { return false; }
  void await_suspend(waiter& w) {
    group_.emplace();
    group_->open(w);
    // A body that is no coroutine may spawn before it gives its task, or throws instead.
    context_switch inside(*this_scheduler, &*group_);
    try {
      group_->run_body(body_(*group_));
    } catch (...) {
      std::exception_ptr failure = std::current_exception();
      group_->child_done(nullptr, &failure, false);
    }
  }
  bool await_cancel(waiter&) {
    group_->cancel_all();
    return false;
  }
  bool await_must_resume() { return group_->has_result(); }
  void visit(visitor& v) { group_->visit(v); }
  void await_resume() {
    if (group_->failures_) std::rethrow_exception(group_->failures_.combined());
  }

 private:
  F body_;
  std::optional<group> group_;
};

template <class T, class Started, class F, class... Args>
class start_awaiter : start_state<T> {
 public:
  start_awaiter(group& g, F&& fn, Args&&... args)
      : group_(&g), call_(std::in_place, std::move(fn), std::move(args)...) {}

  bool await_ready() noexcept { return false; }
  bool await_suspend(waiter& w) {
    this->waiter_ = &w;
    try {
      adopt();
      return true;
    } catch (...) {  // nothing runs
      this->failure = std::current_exception();
      return false;
    }
  }
  bool await_cancel(waiter&) {
    record_->cancel();
    return false;
  }
  bool await_must_resume() { return this->value || this->failure; }
  void visit(visitor& v) {
    if (record_ && record_->end == outcome::running) v.join(*record_);
  }
  T await_resume() {
    if (this->failure) std::rethrow_exception(this->failure);
    if (!this->value) throw cancelled_error("start");  // by somebody else than our own task
    if constexpr (!std::is_void_v<T>) return std::move(*this->value);
  }

 private:
  void adopt() {
    using call = start_call<Started, F>;
    auto* record = std::apply(
        [](F& fn, Args&... args) {
          return new spawn_record<void, call, Args...>(call{std::move(fn)}, std::move(args)...);
        },
        *call_);
    call_.reset();
    record->callable().record = record;
    record->starting = static_cast<start_op*>(this);
    group_->adopt(record);
    record_ = record;
    record->release();  // no handle
  }

  group* group_;
  std::optional<std::tuple<F, Args...>> call_;
  group_record* record_ = nullptr;
};

}  // namespace detail
}  // namespace cuvee::inline v0
