// SPDX-License-Identifier: MIT
#include <cuvee/core/run.h>

#include "loop_state.h"

#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <unistd.h>

namespace cuvee::inline v0::detail {

namespace {

class signal_block final : public handle_block {
 public:
  signal_block(loop_state& l, void (*fn)(void*, int), void* data)
      : handle_block(l), fn_(fn), data_(data) {}
  void start(int number) {
    check(uv::signal_init(home().uv, &handle_), number);
    opened(uv::as_handle(&handle_));
    auto arrived = [](uv_signal_t* h, int signal) {
      auto& self = of<signal_block>(h);
      turn t(self.home());
      self.fn_(self.data_, signal);
    };
    check(uv::signal_start(&handle_, arrived, number), number);
    uv_unref(uv::as_handle(&handle_));
  }

 private:
  static void check(int status, int number) {
    if (status == 0) return;
    std::error_code code(-status, std::generic_category());
    throw error(code, "handle", "signal " + std::to_string(number));
  }
  uv_signal_t handle_{};
  void (*fn_)(void*, int);
  void* data_;
};

/// Ctrl-C for one main task.
class interrupter {
 public:
  explicit interrupter(strand& main) noexcept : main_(&main) {}
  interrupter(const interrupter&) = delete;
  ~interrupter() {
    for (signal_block* b : blocks_)
      if (b) b->disown();
  }
  void start(loop_state& l) {
    if (getpid() != gettid()) return;
    std::size_t i = 0;
    for (int number : {SIGINT, SIGTERM}) {
      signal_block* b = blocks_[i++] = new signal_block(l, &on_signal, this);
      b->start(number);
    }
  }
  int signal() const noexcept { return signal_; }

 private:
  static void on_signal(void* self, int number) {
    auto& i = *static_cast<interrupter*>(self);
    if (i.signal_ != 0) {  // the second one does not wait
      std::signal(number, SIG_DFL);
      std::raise(number);
    }
    i.signal_ = number;
    i.main_->cancel();
  }

  strand* main_;
  signal_block* blocks_[2] = {};
  int signal_ = 0;
};

}  // namespace

int run_main(loop& l, task<int> main) {
  root<int> r(std::move(main));
  interrupter signals(r.main);
  try {
    signals.start(loop_state::of(l));
    l.run_root(r);
    return r.take();
  } catch (const cancelled_error&) {
    if (signals.signal() != 0) return 128 + signals.signal();
    std::fflush(stdout);
    l.send_report({"the main task was cancelled", nullptr});
  } catch (...) {
    std::fflush(stdout);
    l.send_report({"error", std::current_exception()});
  }
  return 1;
}

}  // namespace cuvee::inline v0::detail
