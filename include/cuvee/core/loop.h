// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/child.h>
#include <cuvee/core/loop_ref.h>
#include <cuvee/core/time.h>

#include <functional>
#include <optional>
#include <string>

struct uv_loop_s;

namespace cuvee::inline v0 {

class group;
class instrument;
class loop;
struct loop_stats;
struct task_tree;

/// Something that nobody awaits has gone wrong, or a notice.
struct report {
  std::string message;       ///< one line; `send_report` adds what `error` says
  std::exception_ptr error;  ///< null for a notice
  std::string details = {};  ///< lines for people: errors `suppressed` on it, tasks that still run
};

namespace detail {

struct loop_state;

struct root_base : combinator {
  bool ended = false;
};
template <class T>
struct root : root_base {
  explicit root(task<T>&& t) : main(std::move(t)) {}
  T take() {
    if (main.state() == outcome::cancelled) throw cancelled_error("run");
    if constexpr (std::is_void_v<T>) main.take();
    else return main.take();
  }
  child<task<T>> main;
};

}  // namespace detail

/// An event loop; one per thread. All its tasks and objects belong to the thread that runs it.
class CUVEE_API loop {
 public:
  /// A loop of its own, current on this thread from now on.
  loop();
  /// Works on a libuv loop that somebody else owns and may run, too. Lifetime: `host` must run on after this
  /// object is gone until it has delivered the close callbacks.
  explicit loop(uv_loop_s& host);
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop();

  /// Runs a task to its end, with everything it awaits.
  /// Returns: its value. Errors: what it throws; cancelled_error; deadlock_error, after cancelling it, when
  /// nothing is left that could wake it.
  template <class T>
  T run(task<T> main) {
    detail::root<T> root(std::move(main));
    run_root(root);
    return root.take();
  }
  /// The same for `fn(args...)`, which lives as long as the task it makes.
  template <class F, class... Args>
    requires std::is_invocable_v<F&, Args...>
  auto run(F fn, Args&&... args) {
    return run(std::invoke(fn, std::forward<Args>(args)...));
  }

  /// The loop's clock: steady; virtual under `testing::virtual_clock`.
  time_point now() const noexcept;
  /// The group of tasks that belong to no other block. One that fails is reported and hurts no other; those left
  /// when the loop is destroyed are cancelled and awaited.
  group& background();
  /// For other threads. From the first call on, waiting for a post is no deadlock.
  loop_ref ref();
  /// Receives what nobody awaits; the default writes one line to stderr that begins with the program's
  /// name. A handler that throws is replaced by the default for that report.
  void on_report(std::function<void(const report&)> handler);
  void send_report(const report& r) noexcept;
  /// For a foreign event loop that runs this one as its guest: poll `backend_fd` for reading, for at most
  /// `backend_timeout` (none: for ever), then call `poll`, which never blocks. Tasks are started with
  /// `background().spawn`.
  int backend_fd() const noexcept;
  std::optional<duration> backend_timeout() const noexcept;
  void poll();
  /// In the child of a `fork()` that is to go on with the loop: call this before anything else.
  /// Errors: those of `uv_loop_fork`.
  void after_fork();

  /// What all tasks do now, from the main task and the background downwards. For another thread: `dump_tasks`.
  task_tree tasks() const;
  loop_stats stats() const;

  /// Debug mode, also on from the start where the environment has `CUVEE_DEBUG=1`. It reports tasks that keep the loop
  /// busy, are destroyed without having been awaited or still run when the loop ends, and handles that outlive the
  /// loop; `tasks` then knows ages and makers of tasks made since; calls from a foreign thread are errors, and a
  /// wake-up from one ends the program. Costs about a microsecond a step.
  void set_debug(bool on);
  bool debug() const noexcept;
  /// How long a task may run without an await before debug mode reports it; 100 ms at first.
  template <class Rep, class Period>
  void set_slow_step(std::chrono::duration<Rep, Period> limit) {
    report_steps_over(detail::saturated(limit));
  }
  /// Takes effect on the next turn; several are called in the order in which they were added.
  void add_instrument(std::shared_ptr<instrument> i);
  void remove_instrument(const instrument& i) noexcept;

  /// libuv handles of this loop that are not closed yet, the loop's own not counted.
  std::size_t open_handles() const noexcept;

  /// The loop of this thread. Errors: loop_closed if there is none.
  static loop& current();

 private:
  friend struct detail::loop_state;
  friend class runner;
  template <class T>
  void run_root(detail::root<T>& root) {
    root.child_ended = &root_ended;
    drive(root, root.main, [](detail::root_base& r) {
      auto& typed = static_cast<detail::root<T>&>(r);
      typed.main.start(typed);
    });
  }
  void report_steps_over(duration limit);
  void tell(const report& r);
  static void root_ended(detail::combinator& root, const std::exception_ptr* failure);
  void drive(detail::root_base& root, detail::strand& main, void (*start)(detail::root_base&));
  detail::loop_state* state_;
};

}  // namespace cuvee::inline v0
