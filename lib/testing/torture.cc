// SPDX-License-Identifier: MIT
#include <cuvee/testing/torture.h>

#include <cuvee/testing/run_case.h>

namespace cuvee::inline v0::testing {

namespace {

struct plan {
  std::size_t seen = 0;
  std::size_t cancel_at = 0;  // 0: never
  detail::strand* victim = nullptr;
};
thread_local plan current;

void on_suspend(detail::scheduler&, detail::strand&) {
  if (++current.seen == current.cancel_at && current.victim) current.victim->cancel();
}

task<> watched(const std::function<task<>()>& body) {
  detail::scheduler& s = detail::require_scheduler();
  current.victim = s.running;
  s.on_suspend = &on_suspend;
  co_await body();
}

enum class end { value, cancelled, failed };

end run_on(loop& l, const std::function<task<>()>& body, std::size_t cancel_at) {
  current = {0, cancel_at, nullptr};
  l.on_report([](const report&) {});
  try {
    l.run(watched(body));
    return end::value;
  } catch (const cancelled_error&) {
    return end::cancelled;
  } catch (const error& e) {
    if (cancel_at == 0 || e.code() == errc::deadlock) throw;  // a hang is no outcome
    return end::failed;
  }
}

end run_once(const std::function<task<>()>& body, std::size_t cancel_at, std::string& leaks) {
  footprint before = footprint::take();
  end e;
  {
    loop l;
    e = run_on(l, body, cancel_at);
    if (std::size_t n = l.open_handles(); n != 0) leaks += std::to_string(n) + " libuv handles; ";
  }
  leaks += before.grown_to(footprint::take());
  return e;
}

}  // namespace

torture_report torture(const std::function<task<>()>& body) {
  torture_report r;
  run_case([&] { return body(); });
  run_once(body, 0, r.leaks);
  r.suspensions = current.seen;
  for (std::size_t n = 1; n <= r.suspensions; n++) {
    std::string leaks;
    end e = run_once(body, n, leaks);
    r.cancelled += e == end::cancelled;
    r.completed += e == end::value;
    if (!leaks.empty() && r.leaks.empty())
      r.leaks = "cancelled at suspension " + std::to_string(n) + ": " + leaks;
  }
  return r;
}

}  // namespace cuvee::inline v0::testing
