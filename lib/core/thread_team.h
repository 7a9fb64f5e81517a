// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/thread_job.h>
#include <cuvee/core/time.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace cuvee::inline v0::detail {

/// Threads that take jobs in order. They come when there is a job and none of them idles, and go when
/// they have idled long enough. The one that idles for the shortest time is woken first, so that
/// the others get their chance to go.
class thread_team : public std::enable_shared_from_this<thread_team> {
 public:
  struct counts {
    std::size_t threads, idle, queued, running, ended;
  };

  thread_team(std::size_t most, duration idle_time) noexcept;
  ~thread_team();

  /// Errors: closed; what making the first thread fails with.
  void submit(std::shared_ptr<thread_job> job);
  /// True: the job had not begun and will not.
  bool withdraw(thread_job& job) noexcept;
  /// Drops what waits, tells what runs to stop and waits for it, no longer than `limit`.
  /// Returns: the threads that have not ended; they are left to themselves.
  std::size_t close(std::optional<duration> limit);
  void idle_time(duration length);
  counts look() noexcept;

 private:
  struct worker {
    std::thread thread;
    std::condition_variable wake;
    std::shared_ptr<thread_job> job;  // running
    bool called = false;
    bool given_up = false;  // nobody waits for it any more
  };
  using jobs = std::list<std::shared_ptr<thread_job>>;
  using workers = std::list<worker>;

  void hire();
  void serve(workers::iterator self) noexcept;
  void work(workers::iterator self, std::unique_lock<std::mutex>& lock) noexcept;
  bool idle(worker& self, std::unique_lock<std::mutex>& lock) noexcept;
  void call_idle() noexcept;
  static void bury(workers ended) noexcept;
  static void drop(jobs waiting) noexcept;
  void give_up(worker& w) noexcept;
  void request_stops(std::unique_lock<std::mutex>& lock) noexcept;

  std::mutex mutex_;
  std::condition_variable gone_;
  const std::size_t most_;
  duration idle_time_;
  jobs queue_;
  workers workers_;
  workers ended_;  // to be joined
  std::vector<worker*> idle_;
  std::size_t ended_jobs_ = 0;
  std::size_t finishing_ = 0;  // workers that are about to look for a job
  bool closed_ = false;
};

}  // namespace cuvee::inline v0::detail
