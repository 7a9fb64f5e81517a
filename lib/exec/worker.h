// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/exec/process_pool.h>

#include <cstdint>

namespace cuvee::inline v0::detail {

// Both ends are the same program, so numbers go as they lie in memory.
struct job_head {
  std::uint64_t name_bytes, argument_bytes;
};
enum class job_end : std::uint64_t { value, exception };
struct result_head {
  job_end end;
  std::uint64_t bytes;
};

inline constexpr int worker_descriptor = 3;
inline constexpr char worker_variable[] = "CUVEE_WORKER";

bool worker_entry_called() noexcept;
bool worker_function_known(const std::string& name);

}  // namespace cuvee::inline v0::detail
