// SPDX-License-Identifier: MIT
#include <cuvee/testing/torture.h>

#include "loop_probe.h"

#include <cuvee/core/event.h>
#include <cuvee/core/group.h>
#include <cuvee/testing/run_case.h>
#include <cuvee/testing/suspension_watch.h>

namespace cuvee::inline v0::testing {

namespace {

using cuvee::detail::strand;

struct canceller : detail::suspension_watch {
  explicit canceller(std::size_t n)
      : suspension_watch(&on_suspend), cancel_at(n), victim(home->running) {}
  static void on_suspend(suspension_watch& w, strand&) {
    auto& self = static_cast<canceller&>(w);
    if (++self.seen == self.cancel_at) self.victim->cancel();
  }
  std::size_t seen = 0;
  std::size_t cancel_at;  // 0: never
  strand* victim;
};

/// Counts as long as the loop runs: tasks in the background outlive the main one's frames.
task<> watched(const std::function<task<>()>& body, std::optional<canceller>& watch,
               std::size_t cancel_at) {
  watch.emplace(cancel_at);
  co_await body();
}

enum class end { value, cancelled, failed };

end run_on(loop& l, const std::function<task<>()>& body, std::optional<canceller>& watch,
           std::size_t cancel_at) {
  l.on_report([](const report&) {});
  try {
    l.run(watched(body, watch, cancel_at));
    return end::value;
  } catch (const cancelled_error&) {
    return end::cancelled;
  } catch (const error& e) {
    if (cancel_at == 0 || e.code() == errc::deadlock) throw;  // a hang is no outcome
    return end::failed;
  }
}

struct one_run {
  end how;
  std::size_t suspensions;
  std::string leaks;
};

one_run run_once(const std::function<task<>()>& body, std::size_t cancel_at,
                 const torture_options& how) {
  one_run r{};
  footprint before = footprint::take();
  {
    loop l;
    if (how.seed) shuffle_ready(l, *how.seed);
    std::optional<canceller> watch;
    r.how = run_on(l, body, watch, cancel_at);
    r.suspensions = watch ? watch->seen : 0;
    if (std::size_t n = l.open_handles(); n != 0) r.leaks = std::to_string(n) + " libuv handles; ";
  }
  r.leaks += before.grown_to(footprint::take());
  return r;
}

/// What went wrong in the background, unless it is an outcome that is allowed.
class background_failure {
 public:
  explicit background_failure(bool any) : any_(any) {}
  void take(const report& r) {
    if (!r.error || error_) return;
    if (any_ || !is_outcome(r.error)) error_ = r.error;
  }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  static bool is_outcome(const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const error& known) {
      return known.code() != errc::deadlock;
    } catch (...) {
      return false;
    }
  }
  bool any_;
  std::exception_ptr error_;
};

task<> tell_end(const std::function<task<>()>& body, event& ended, bool& whole) {
  co_await body();
  whole = true;
  ended.set();
}

struct stopped_run {
  std::size_t rounds = 0;
  bool whole = false;
  std::string leaks;
};

stopped_run run_and_stop(const std::function<task<>()>& body, std::size_t stop_at,
                         const torture_options& how) {
  stopped_run r;
  footprint before = footprint::take();
  background_failure failure(stop_at == 0);
  {
    event over;
    loop l;
    if (how.seed) shuffle_ready(l, *how.seed);
    l.on_report([&](const report& told) {
      failure.take(told);
      over.set();
    });
    loop_probe& probe = loop_probe::of(l);
    probe.stop_before = stop_at;
    probe.over = &over;
    auto until_over = [&]() -> task<> {
      probe.main = cuvee::detail::require_scheduler().running;
      l.background().spawn(tell_end, std::cref(body), std::ref(over), std::ref(r.whole));
      co_await over.wait();
    };
    l.run(until_over());
    r.rounds = probe.rounds;
    probe.go_on();
  }
  failure.rethrow();
  r.leaks = before.grown_to(footprint::take());
  return r;
}

}  // namespace

torture_report torture(const std::function<task<>()>& body, torture_options how) {
  torture_report r;
  run_case([&] { return body(); });
  one_run whole = run_once(body, 0, how);
  r.leaks = whole.leaks;
  r.suspensions = whole.suspensions;
  for (std::size_t n = 1; n <= r.suspensions; n++) {
    one_run run = run_once(body, n, how);
    r.cancelled += run.how == end::cancelled;
    r.completed += run.how == end::value;
    if (!run.leaks.empty() && r.leaks.empty())
      r.leaks = "cancelled at suspension " + std::to_string(n) + ": " + run.leaks;
  }
  return r;
}

stop_report torture_stop(const std::function<task<>()>& body, torture_options how) {
  stop_report r;
  run_case([&] { return body(); });
  stopped_run undisturbed = run_and_stop(body, 0, how);
  r.rounds = undisturbed.rounds;
  r.leaks = undisturbed.leaks;
  for (std::size_t n = 1; n <= r.rounds; n++) {
    stopped_run run = run_and_stop(body, n, how);
    r.stopped += !run.whole;
    if (!run.leaks.empty() && r.leaks.empty())
      r.leaks = "stopped before round " + std::to_string(n) + ": " + run.leaks;
  }
  return r;
}

}  // namespace cuvee::inline v0::testing
