// SPDX-License-Identifier: MIT
#include "signal_watch.h"

#include "loop_state.h"

#include <array>
#include <csignal>
#include <mutex>
#include <string>

namespace cuvee::inline v0::detail {

namespace {

struct watched_signal {
  int watches = 0;
  struct sigaction before{};
};

// Of the process, as dispositions are.
struct dispositions {
  std::mutex lock;
  std::array<watched_signal, 65> all;
};

dispositions& of_process() {
  static dispositions d;
  return d;
}

void check(int status, int number) {
  if (status == 0) return;
  throw error({-status, std::generic_category()}, "handle", "signal " + std::to_string(number));
}

}  // namespace

void signal_watch::start(int number) {
  number_ = number;
  dispositions& d = of_process();
  if (number < 1 || static_cast<std::size_t>(number) >= d.all.size()) check(UV_EINVAL, number);
  check(uv::signal_init(home().uv, &handle_), number);
  opened(uv::as_handle(&handle_));
  auto told = [](uv_signal_t* h, int n) {
    auto& self = of<signal_watch>(h);
    turn t(self.home());
    self.told_++;
    self.arrived(n);
  };
  std::lock_guard hold(d.lock);
  watched_signal& s = d.all[static_cast<std::size_t>(number)];
  if (s.watches == 0) sigaction(number, nullptr, &s.before);
  check(uv::signal_start(&handle_, told, number), number);
  s.watches++;
  started_ = true;
  uv_unref(uv::as_handle(&handle_));
}

void signal_watch::keep_loop(bool wanted) noexcept {
  if (closing() || closed()) return;
  if (wanted) uv_ref(uv::as_handle(&handle_));
  else uv_unref(uv::as_handle(&handle_));
}

void signal_watch::stopped(bool, bool) {}

void signal_watch::on_closing() {
  if (!started_) return;
  started_ = false;
  bool last = false;
  {
    dispositions& d = of_process();
    std::lock_guard hold(d.lock);
    watched_signal& s = d.all[static_cast<std::size_t>(number_)];
    uv_signal_stop(&handle_);
    last = --s.watches == 0;
    struct sigaction now{};
    // Not the default: a handle that is not ours is left, and libuv still needs its handler.
    if (last && sigaction(number_, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
      sigaction(number_, &s.before, nullptr);
  }
  stopped(handle_.caught_signals != told_, last);
}

}  // namespace cuvee::inline v0::detail
