// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop_ref.h>
#include <cuvee/core/time.h>

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace cuvee::inline v0 {

enum class task_kind {
  task,      ///< the main task, one of a group, an argument of a combinator
  block,     ///< the body of a group, scope, timeout or shield: part of the task above it
  operation  ///< an argument of a combinator that is no task
};

enum class task_state {
  created,  ///< has not begun
  ready,    ///< goes on when its turn comes
  running,
  waiting,
  ending  ///< was cancelled; its frames are about to be destroyed
};

/// What a task was at the moment of a dump.
struct task_info {
  task_kind kind = task_kind::task;
  task_state state = task_state::waiting;
  std::uintptr_t id = 0;  ///< unique among the tasks that live at one time
  std::string name;       ///< as given; else that of its function
  std::string waits_for;  ///< `sleep`, `gather`, `tcp read 127.0.0.1:80`; empty unless it waits
  bool cancel_requested = false;
  /// Where it stands: the await in progress, innermost first, then that of each function above. Empty for a running task and
  /// an operation. A task that has not begun gives the place of its function.
  std::vector<std::source_location> frames;
  std::size_t parent = none;       ///< position in the tree; `none` for a root
  std::size_t depth = 0;           ///< 0 for a root
  std::vector<std::size_t> joins;  ///< positions of tasks elsewhere whose end it waits for
  std::optional<duration> age;     ///< in debug mode
  std::string created_by;          ///< in debug mode: the task that made it, and where that stood

  static constexpr std::size_t none = ~std::size_t{0};
};

/// The tasks of a loop, each before what it waits for. A copy: good for as long as one likes.
struct CUVEE_API task_tree {
  std::vector<task_info> nodes;
  /// Tasks that wait for each other in a circle, as positions; none of them can go on.
  std::vector<std::vector<std::size_t>> cycles;

  /// How many tasks there are, blocks and operations not counted.
  std::size_t size() const noexcept;
  /// The first of that name; null if there is none.
  const task_info* find(std::string_view name) const noexcept;
};

/// An indented tree, a line for each node and for each function in it; every line ends with a newline.
CUVEE_API std::string to_string(const task_tree& tree);

/// The name of a function as a `source_location` has it, without its types: `worker`.
CUVEE_API std::string short_name(const std::source_location& place);
/// `worker (file.cc:12)`
CUVEE_API std::string to_string(const std::source_location& place);

/// The tasks of a loop that another thread runs. Waits until that loop has come to it, between two turns.
/// Errors: loop_closed; resource_deadlock_would_occur on a thread that runs a loop. Threads: any.
CUVEE_API task_tree dump_tasks(const loop_ref& target);

/// `run` had nothing left to wait for.
class CUVEE_API deadlock_error : public error {
 public:
  explicit deadlock_error(task_tree tasks);
  ~deadlock_error() override;
  /// Those that waited, before they were cancelled.
  const task_tree& tasks() const noexcept { return *tasks_; }

 private:
  std::shared_ptr<const task_tree> tasks_;
};

}  // namespace cuvee::inline v0
