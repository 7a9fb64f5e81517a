// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/child.h>
#include <cuvee/core/context.h>

#include <functional>
#include <tuple>

namespace cuvee::inline v0 {
class group;
}

namespace cuvee::inline v0::detail {

template <class F>
class group_awaiter;
template <class T, class Started, class F, class... Args>
class start_awaiter;

struct join_waiter;

/// Where `group::start` waits for its child; in the awaiting frame.
struct start_op {
  waiter* waiter_ = nullptr;
  std::exception_ptr failure;
};
template <class T>
struct start_state : start_op {
  std::optional<stored<T>> value;
};

/// A child of a group: one block, owned by the group until it has ended and by its handle.
struct CUVEE_API group_record : strand, list_node, pooled {
  group* home_group = nullptr;
  scope_node scope;
  std::unique_ptr<binding_node> bound;  // copies of what the spawner had bound
  int references = 2;
  outcome end = outcome::running;
  start_op* starting = nullptr;  // set until the child has reported ready
  std::exception_ptr error;
  list<join_waiter> joiners;
  std::unique_ptr<std::string> name;

  virtual ~group_record() = default;
  static const std::string* name_of(const strand& s) {
    return static_cast<const group_record&>(s).name.get();
  }
  void release() {
    if (--references == 0) delete this;
  }
  void cancel_for(std::string_view reason, std::source_location where);
  /// Throws what a child that has ended gives instead of a value.
  void rethrow_end() const;
  /// Tells joiners, `start` and the group; drops the group's reference.
  void finish();
};

struct join_waiter : list_node {
  explicit join_waiter(group_record& record) noexcept : record_(&record) { record.references++; }
  join_waiter(join_waiter&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  ~join_waiter() {
    if (record_) record_->release();
  }

  bool await_ready() const noexcept { return record_->end != outcome::running; }
  void await_suspend(waiter& w) noexcept {
    waiter_ = &w;
    record_->joiners.push_back(*this);
  }
  bool await_cancel(waiter&) noexcept {
    unlink();
    return true;
  }
  void visit(visitor& v) {
    if (record_->end == outcome::running) v.join(*record_);
  }

  group_record* record_;
  waiter* waiter_ = nullptr;

 protected:
  void rethrow_end() const { record_->rethrow_end(); }
};

template <class T, class... Value>
void report_ready(group_record& child, Value&&... value) {
  auto* op = static_cast<start_state<T>*>(child.starting);
  if (!op) return;
  op->value.emplace(std::forward<Value>(value)...);  // if this throws, the child has not reported
  child.starting = nullptr;
  op->waiter_->complete();
}

template <class T>
struct result_record : group_record {
  std::optional<stored<T>> value;
};

/// Keeps the callable and its arguments as long as the frame they made.
template <class T, class F, class... Args>
struct spawn_record : result_record<T> {
  explicit spawn_record(F&& fn, Args&&... args)
      : call_(std::in_place, std::move(fn), std::move(args)...) {
    this->kind = &kind_;
  }

  F& callable() noexcept { return std::get<0>(*call_); }

 private:
  static std::coroutine_handle<> boot(strand& s) {
    auto& r = static_cast<spawn_record&>(s);
    try {
      r.frame_ =
          std::apply([](F& fn, Args&... args) { return std::invoke(fn, std::move(args)...); },
                     *r.call_)
              .release();
      r.frame_.promise().owner = &r;
      return r.frame_;
    } catch (...) {
      r.error = std::current_exception();
      return {};
    }
  }
  static void on_end(strand& s) {
    auto& r = static_cast<spawn_record&>(s);
    r.end = r.was_cancelled ? outcome::cancelled : outcome::completed;
    if (!r.was_cancelled && r.frame_) {
      auto& promise = r.frame_.promise();
      if (promise.failed()) r.error = promise.error();
      else if constexpr (!std::is_void_v<T>) r.keep(promise);
      r.frame_.destroy();
    }
    r.call_.reset();
    r.finish();
  }
  void keep(promise<T>& from) noexcept {
    try {
      this->value.emplace(from.take());
    } catch (...) {
      this->error = std::current_exception();
    }
  }
  static bool has_failed(const strand& s) {
    auto& r = static_cast<const spawn_record&>(s);
    return r.error || (r.frame_ && !r.was_cancelled && r.frame_.promise().failed());
  }
  static constexpr strand_kind kind_{&on_end, &boot, &has_failed, &group_record::name_of};

  std::optional<std::tuple<F, Args...>> call_;
  std::coroutine_handle<promise<T>> frame_;
};

/// The callable of a child that is handed the means to report ready.
template <class Started, class F>
struct start_call {
  template <class... Args>
  task<> operator()(Args&&... args) {
    return std::invoke(fn, Started(*record), std::forward<Args>(args)...);
  }
  F fn;
  group_record* record = nullptr;
};

}  // namespace cuvee::inline v0::detail
