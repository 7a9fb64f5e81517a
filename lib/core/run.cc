// SPDX-License-Identifier: MIT
#include <cuvee/core/run.h>

#include "last_words.h"
#include "loop_state.h"
#include "signal_watch.h"
#include "task_walk.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <unistd.h>

namespace cuvee::inline v0 {

namespace detail {

namespace {

class signal_block final : public signal_watch {
 public:
  signal_block(loop_state& l, void (*fn)(void*, int), void* data)
      : signal_watch(l), fn_(fn), data_(data) {}

 private:
  void arrived(int number) override { fn_(data_, number); }
  void (*fn_)(void*, int);
  void* data_;
};

}  // namespace

struct interrupter::state : timer_node {
  state(loop_state& l, strand* m, exit_options o)
      : timer_node(&out_of_time), home(&l), main(m), options(o) {}
  ~state() {
    if (armed()) stop_timer(*home, *this);
    for (signal_block* b : blocks)
      if (b) b->disown();
  }

  void start() {
    if (main) return handle_signals();
    start_exit_limit();
    try {
      handle_signals();
    } catch (...) {  // the tasks must end all the same
      home->report_error("background tasks end without Ctrl-C", std::current_exception());
    }
  }
  void handle_signals() {
    if (getpid() != gettid()) return;
    std::size_t i = 0;
    for (int number : {SIGINT, SIGTERM, SIGQUIT}) {
      if (number == SIGQUIT && !options.dump_on_quit && !home->debug) continue;
      signal_block* b = blocks[i++] = new signal_block(*home, &on_signal, this);
      b->start(number);
    }
  }
  void start_exit_limit() {
    if (options.limit != duration::max()) start_timer(*home, *this, options.limit);
  }
  static void on_signal(void* self, int number) {
    auto& s = *static_cast<state*>(self);
    if (number == SIGQUIT) return s.list("the tasks of this loop:");
    if (s.signal != 0 || !s.main) {  // the second one does not wait
      say_last_words();
      std::signal(number, SIG_DFL);
      std::raise(number);
    }
    s.signal = number;
    try {
      s.start_exit_limit();
    } catch (...) {
      s.home->report_error("the time to exit is not limited", std::current_exception());
    }
    s.main->cancel();
  }
  void list(const char* message) const noexcept {
    home->report_made([&] { return report{message, nullptr, to_string(walk_tasks(*home))}; });
  }
  static void out_of_time(timer_node* n) {
    auto& s = *static_cast<state*>(n);
    std::fflush(stdout);
    s.list("the time to exit is over, and tasks still run");
    say_last_words();
    std::_Exit(s.signal != 0 ? 128 + s.signal : 1);
  }

  loop_state* home;
  strand* main;  // null while background tasks end
  exit_options options;
  int signal = 0;
  signal_block* blocks[3] = {};
};

interrupter::interrupter(loop& l, strand* main, exit_options options)
    : state_(std::make_unique<state>(loop_state::of(l), main, options)) {
  state_->start();
}
interrupter::~interrupter() = default;
int interrupter::signal() const noexcept { return state_->signal; }

}  // namespace detail

interrupted_error::interrupted_error(int signal)
    : cancelled_error("run", signal == SIGINT ? "by SIGINT" : "by SIGTERM"), signal_(signal) {}
interrupted_error::~interrupted_error() = default;

runner::~runner() { end_background(); }

void runner::end_background() noexcept {
  detail::loop_state& l = detail::loop_state::of(loop_);
  if (l.background.size() == 0) return;
  std::optional<detail::interrupter> watch;
  try {
    watch.emplace(loop_, nullptr, exit_);
  } catch (...) {
    l.report_error("background tasks end without a limit and Ctrl-C", std::current_exception());
  }
  l.end_background();
  l.reopen_background();
}

int runner::report_end() noexcept {
  std::fflush(stdout);
  try {
    throw;
  } catch (const interrupted_error& e) {
    return 128 + e.signal();
  } catch (const cancelled_error& e) {
    bool main_task = e.operation() == "run";  // else it has joined another one that was
    if (main_task) loop_.send_report({"the main task was cancelled", nullptr});
    else loop_.send_report({"error", std::current_exception()});
  } catch (const deadlock_error& e) {
    loop_.send_report({"error", std::current_exception(), to_string(e.tasks())});
  } catch (...) {
    loop_.send_report({"error", std::current_exception()});
  }
  return 1;
}

}  // namespace cuvee::inline v0
