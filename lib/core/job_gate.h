// SPDX-License-Identifier: MIT
#pragma once
#include "mailbox.h"

#include <cuvee/core/thread_job.h>

#include <memory>
#include <mutex>

namespace cuvee::inline v0::detail {

/// A place in the line of a gate. The gate owns it while it stands there, then the mailbox of the loop
/// whose job it is for; a ticket that finds nobody passes its place on.
struct gate_ticket final : posted, list_node {
  gate_ticket(std::shared_ptr<job_gate> of, std::shared_ptr<mailbox> to, job_wait& whose) noexcept
      : gate(std::move(of)), home(std::move(to)), job(&whose) {}
  ~gate_ticket() override;
  void run() override;

  std::shared_ptr<job_gate> gate;
  std::shared_ptr<mailbox> home;
  job_wait* job;  // on its loop's thread only; null: withdrawn
  bool granted = false;
};

/// Lets a number of jobs of all loops in at once.
class job_gate {
 public:
  struct counts {
    std::size_t limit, running, waiting, peak;
  };

  explicit job_gate(std::size_t limit) noexcept : limit_(limit) {}
  job_gate(const job_gate&) = delete;
  job_gate& operator=(const job_gate&) = delete;

  bool try_enter() noexcept;
  /// True: the place was free by now, and the ticket is the caller's. False: it stands in line.
  bool enter_or_wait(gate_ticket& ticket) noexcept;
  /// True: it left the line and is the caller's. False: its place has been granted already.
  bool withdraw(gate_ticket& ticket) noexcept;
  /// From any thread: the place goes to the first in line.
  void leave() noexcept;
  counts look() noexcept;

 private:
  bool take_place() noexcept;

  std::mutex mutex_;
  const std::size_t limit_;
  std::size_t running_ = 0;
  std::size_t waiting_count_ = 0;
  std::size_t peak_ = 0;
  list<gate_ticket> waiting_;
};

class thread_team;

/// The size of libuv's pool, which reads it once, when it starts.
int libuv_pool_size() noexcept;

/// What all loops of a process share. Never destroyed: jobs may end while the process does.
struct process_threads {
  process_threads();
  /// That of this process: a forked child has none of the threads, and begins anew.
  static const process_threads& get();

  std::shared_ptr<job_gate> libuv_gate;  // keeps two of libuv's threads for files and name lookups
  std::shared_ptr<thread_team> spare;    // for jobs that may be abandoned
};

}  // namespace cuvee::inline v0::detail
