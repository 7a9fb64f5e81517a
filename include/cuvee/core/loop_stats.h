// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace cuvee::inline v0 {

/// What a loop has done so far and holds now.
struct loop_stats {
  struct handle_count {
    std::size_t alive = 0;
    std::size_t closed = 0;
  };

  std::map<std::string, handle_count>
      handles;                ///< by libuv's name of the type: `tcp`, `pipe`, `process`, …
  std::size_t timers = 0;     ///< armed
  std::size_t ready = 0;      ///< tasks that go on when their turn comes
  std::size_t pool_jobs = 0;  ///< given to threads, or waiting for one
  std::uint64_t turns = 0;    ///< times that libuv handed over control
  std::uint64_t steps = 0;    ///< times that a task ran until it suspended
  std::uint64_t posts = 0;    ///< calls from other threads that have run
  std::uint64_t reads = 0;    ///< of streams, each with at least one byte, and of datagrams
  std::uint64_t writes = 0;   ///< likewise, that the system took at least in part
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;  ///< that the system took
};

}  // namespace cuvee::inline v0
