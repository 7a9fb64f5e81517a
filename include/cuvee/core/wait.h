// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/handle_watch.h>

namespace cuvee::inline v0 {

/// What `wait` waits for.
enum class until {
  first,          ///< one task has ended
  first_failure,  ///< one has failed (a cancelled one has not), or all have ended
  all             ///< all have ended
};

/// Which tasks have ended and which have not, in the order of the handles given. `pending` can be waited for
/// in turn.
template <class T>
struct wait_result {
  wait_result() = default;
  wait_result(std::vector<task_handle<T>*>&& d, std::vector<task_handle<T>*>&& p) noexcept
      : done(std::move(d)), pending(std::move(p)) {}

  std::vector<task_handle<T>*> done;
  std::vector<task_handle<T>*> pending;
};

namespace detail {

template <class T>
class wait_awaiter {
 public:
  wait_awaiter(const std::vector<task_handle<T>*>& handles, until goal) : goal_(goal) {
    if (handles.empty())
      throw error(std::make_error_code(std::errc::invalid_argument), "wait", {}, "no tasks");
    watches_.reserve(handles.size());
    for (task_handle<T>* h : handles) watches_.emplace_back(*h, &on_end);
    result_.done.reserve(handles.size());
    result_.pending.reserve(handles.size());
  }

  bool await_ready() noexcept {
    for (watch& w : watches_) note(w);
    return reached();
  }
  void await_suspend(waiter& w) {
    waiter_ = &w;
    for (watch& each : watches_) each.attach(this);
  }
  bool await_cancel(waiter&) noexcept {
    detach();
    return true;
  }
  void visit(visitor& v) {
    for (watch& w : watches_) w.visit(v);
  }
  // Not before: others may have ended in the same turn. The memory is there already, so that a combinator
  // around it need not ask at completion.
  wait_result<T> await_resume() noexcept {
    for (watch& w : watches_)
      (w.handle->done() ? result_.done : result_.pending).push_back(w.handle);
    return std::move(result_);
  }

 private:
  using watch = handle_watch<T>;

  static void on_end(waiter* w) {
    auto& ended = *static_cast<watch*>(w);
    auto& self = *static_cast<wait_awaiter*>(ended.owner);
    ended.attached = false;
    self.note(ended);
    if (!self.reached()) return;
    self.detach();
    self.waiter_->complete();
  }
  void note(const watch& w) noexcept {
    ended_ += w.handle->done();
    failed_ |= w.handle->failed();
  }
  bool reached() const noexcept {
    if (ended_ == watches_.size()) return true;
    return goal_ == until::first ? ended_ > 0 : goal_ == until::first_failure && failed_;
  }
  void detach() noexcept {
    for (watch& w : watches_) w.detach();
  }

  std::vector<watch> watches_;
  wait_result<T> result_;
  until goal_;
  std::size_t ended_ = 0;
  bool failed_ = false;
  waiter* waiter_ = nullptr;
};

}  // namespace detail

/// Waits for children of a group, given as a container of handles or of pointers to handles (duplicates
/// collapse), and cancels none of them. For a limit put it into `move_on_after`, then ask each handle.
/// Returns: `wait_result`, as things stand when the caller goes on. Errors: invalid_argument for no handles;
/// none of the tasks'.
/// Cancel: safe, the tasks run on. Lifetime: the handles stay where they are meanwhile.
template <detail::handle_range R>
[[nodiscard]] auto wait(R& handles, until goal) {
  return detail::wait_awaiter<detail::handles_value<R>>(detail::addresses_of(handles), goal);
}

}  // namespace cuvee::inline v0
