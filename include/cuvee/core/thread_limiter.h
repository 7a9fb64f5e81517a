// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstddef>
#include <memory>

namespace cuvee::inline v0 {

namespace detail {
class job_gate;
}

/// Limits how many jobs run on threads at once, over all loops of the process. Those who wait are let in by the
/// order of asking. A place belongs to the thread, not to the task that awaits it: an abandoned job keeps its own until
/// the thread has ended. To limit tasks of one loop use `capacity_limiter`.
/// Threads: any. Lifetime: jobs share the state, the object may go before they end.
class CUVEE_API thread_limiter {
 public:
  struct statistics_snapshot {
    std::size_t limit, running, waiting, peak;
  };

  /// Errors: invalid_argument for 0.
  explicit thread_limiter(std::size_t limit);

  statistics_snapshot statistics() const noexcept;

  const std::shared_ptr<detail::job_gate>& gate() const noexcept { return gate_; }

 private:
  std::shared_ptr<detail::job_gate> gate_;
};

}  // namespace cuvee::inline v0
