// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/stream.h>

#include <cstddef>
#include <limits>
#include <utility>

namespace cuvee::inline v0 {

/// For `memory_stream_pair`.
struct memory_stream_options {
  std::size_t capacity_bytes =
      64 * 1024;  ///< written and not yet read, in each direction; more waits
  std::size_t piece_bytes =
      std::numeric_limits<std::size_t>::max();  ///< at most so many arrive at once; at least 1
};
static_assert(std::is_trivially_destructible_v<memory_stream_options>);

/// The two ends of a connection within the process, for tests and for tasks that talk by a protocol of
/// bytes. They behave as TCP does: half close, `abort` seen as a reset, a write to an end that is gone
/// fails with `broken_pipe`. Both ends belong to this thread's loop.
/// Errors: invalid_argument for pieces of 0 bytes.
[[nodiscard]] CUVEE_API std::pair<stream, stream> memory_stream_pair(
    memory_stream_options options = {});

}  // namespace cuvee::inline v0
