// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/loop.h>

#include <optional>

namespace cuvee::inline v0 {

/// Thrown by `runner::run` when a signal ended the main task.
class CUVEE_API interrupted_error : public cancelled_error {
 public:
  explicit interrupted_error(int signal);
  ~interrupted_error() override;
  int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

namespace detail {

struct exit_options {
  duration limit = duration::max();
  bool dump_on_quit = false;
};

/// Ctrl-C for one main task, and the limit on how long the end may take.
class CUVEE_API interrupter {
 public:
  interrupter(loop& l, strand* main, exit_options options);
  interrupter(const interrupter&) = delete;
  interrupter& operator=(const interrupter&) = delete;
  ~interrupter();
  /// The signal that cancelled the main task; 0 if none did.
  int signal() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace detail

/// Runs main tasks one after another on one loop, with Ctrl-C: while one runs, the first SIGINT or SIGTERM cancels
/// it and waits for its cleanup; a second one ends the process at once. Background tasks live on from one main
/// task to the next; at the end they are cancelled and awaited.
/// Threads: signals are handled on the process's main thread only.
class CUVEE_API runner {
 public:
  runner() = default;
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;
  ~runner();

  cuvee::loop& loop() noexcept { return loop_; }
  /// How long clean-up may take after a signal, and background tasks at the end. What still runs then is reported,
  /// and the process exits: with 128 plus the signal, or with 1. Default: for ever.
  template <class Rep, class Period>
  void exit_within(std::chrono::duration<Rep, Period> limit) {
    exit_.limit = detail::saturated(limit);
  }
  /// SIGQUIT (Ctrl-\) then reports what all tasks do, and the program goes on. In debug mode it does so by itself.
  void dump_on_quit() noexcept { exit_.dump_on_quit = true; }

  /// Runs `fn(args...)`, a `task<T>`, to its end. Returns: its value.
  /// Errors: what it throws; interrupted_error; cancelled_error; deadlock.
  template <class F, class... Args>
  auto run(F fn, Args... args) {
    using value = typename std::invoke_result_t<F&, Args...>::value_type;
    detail::root<value> root(std::invoke(fn, std::move(args)...));
    detail::interrupter watch(loop_, &root.main, exit_);
    loop_.run_root(root);
    if (watch.signal() != 0 && root.main.state() == detail::outcome::cancelled)
      throw interrupted_error(watch.signal());
    return root.take();
  }
  /// The same for a program's `main`: reports what `run` would throw in one line, and ends the background tasks.
  /// Returns: the task's int, 0 for void; 1 after an error; 130 when a SIGINT ended it, 143 for SIGTERM.
  template <class F, class... Args>
  int run_main(F fn, Args... args) {
    using value = typename std::invoke_result_t<F&, Args...>::value_type;
    int status = 0;
    try {
      if constexpr (std::is_void_v<value>) run(std::move(fn), std::move(args)...);
      else status = run(std::move(fn), std::move(args)...);
    } catch (...) {
      status = report_end();
    }
    end_background();
    return status;
  }

 private:
  int report_end() noexcept;
  void end_background() noexcept;

  cuvee::loop loop_;
  detail::exit_options exit_;
};

namespace detail {
/// While an exception is handled. Returns: 1.
CUVEE_API int report_no_loop() noexcept;
}  // namespace detail

/// What `main` returns: `runner().run_main(fn, args...)`; 1, with a report, where no loop can be made.
template <class F, class... Args>
int run(F fn, Args... args) {
  static_assert(std::is_invocable_v<F&, Args...>,
                "run takes a function and its arguments: run(amain, x) and not run(amain(x))");
  static_assert(std::is_invocable_r_v<task<>, F&, Args...> ||
                    std::is_invocable_r_v<task<int>, F&, Args...> ||
                    !std::is_invocable_v<F&, Args...>,
                "run takes a function that returns a task<>, or a task<int> for the exit status");
  std::optional<runner> r;
  try {
    r.emplace();
  } catch (...) {
    return detail::report_no_loop();
  }
  return r->run_main(std::move(fn), std::move(args)...);
}

}  // namespace cuvee::inline v0
