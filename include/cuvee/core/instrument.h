// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/context.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace cuvee::inline v0 {

enum class task_outcome { completed, failed, cancelled };

/// A task as an instrument sees it. Lifetime: the call it is handed to.
class CUVEE_API task_view {
 public:
  explicit task_view(const detail::strand& s) noexcept : strand_(&s) {}

  /// Unique among the tasks that live at one time.
  std::uintptr_t id() const noexcept { return reinterpret_cast<std::uintptr_t>(strand_); }
  /// As given; else that of its function, which is not known while the task runs.
  std::string name() const;
  /// The await it stands at, or its function; line 0 while it runs.
  std::source_location place() const;
  /// Why it was cancelled, innermost scope first.
  std::vector<cancel_reason> cancel_chain() const;

 private:
  const detail::strand* strand_;
};

/// Is told what a loop does, on its thread: for monitors and profilers. Must not run or cancel tasks; one that
/// throws is removed and reported. A loop without instruments pays nothing for them.
class CUVEE_API instrument {
 public:
  virtual ~instrument();

  virtual void before_run() {}
  virtual void after_run() {}
  /// `creator` is null outside of tasks.
  virtual void task_spawned(const task_view& /*child*/, const task_view* /*creator*/) {}
  virtual void before_step(const task_view&) {}
  /// Not called for the step in which a task exits.
  virtual void after_step(const task_view&) {}
  virtual void task_exited(const task_view&, task_outcome) {}
  /// libuv is about to wait for events, and has got some.
  virtual void before_io_wait() {}
  virtual void after_io_wait() {}
};

/// What `task_history` keeps of a task that has ended.
struct ended_task {
  std::uintptr_t id = 0;
  std::string name;
  task_outcome outcome = task_outcome::completed;
  std::vector<std::string> creators;        ///< the task that made it, the one that made that, …
  std::vector<cancel_reason> cancel_chain;  ///< innermost scope first
};

/// Remembers the tasks that ended last: `auto h = std::make_shared<task_history>(1000); loop.add_instrument(h);`
class CUVEE_API task_history : public instrument {
 public:
  explicit task_history(std::size_t most) : most_(most) {}
  ~task_history() override;

  /// Oldest first.
  const std::deque<ended_task>& ended() const noexcept { return ended_; }

  void task_spawned(const task_view& child, const task_view* creator) override;
  void after_step(const task_view& task) override;
  void task_exited(const task_view& task, task_outcome how) override;

 private:
  struct living {
    std::string name;
    std::vector<std::string> creators;
  };
  std::size_t most_;
  std::map<std::uintptr_t, living> living_;
  std::deque<ended_task> ended_;
};

}  // namespace cuvee::inline v0
