// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/stream.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace cuvee::inline v0::testing {

/// Makes the two ends of a connection of the kind that is to be checked.
using stream_maker = std::function<task<std::pair<stream, stream>>()>;

/// In what a kind of stream differs from TCP.
struct stream_traits {
  bool half_close = true;     ///< `shutdown_write` leaves the other direction open
  bool reports_reset = true;  ///< the peer of `abort` gets `connection_reset`, not just some end
  /// After `close` the peer gets what was sent before, then the end, and can write no more. (A terminal is hung up.)
  bool orderly_end = true;
  std::size_t kept_bytes = 8 << 20;  ///< never more are under way; 0: none, as in lockstep
};

/// The conformance suite of streams: checks on fresh pairs, with either end in either part, that
///  - bytes arrive in order, whatever the sizes of reads and writes, then the end, for ever;
///  - empty reads and writes return at once, and several ranges are one write;
///  - a second reader or writer is refused with `busy` and disturbs nobody;
///  - a cancelled read takes no byte; a write cancelled in flight closes, one cancelled before does not;
///  - a writer waits while nobody reads;
///  - `shutdown_write`, `close` and `abort` do what they say to those who wait, to the peer, and twice;
///  - writing to a peer that is gone fails.
/// Returns: a line for each promise that was broken, naming it; empty if all is well. Time may be
/// virtual. Cancel: safe.
CUVEE_API task<std::vector<std::string>> check_stream(stream_maker make, stream_traits traits = {});

/// A pair of streams without any buffer: a write returns when the peer has read its last byte. The
/// hardest partner for a protocol, which stalls where it counts on bytes being kept under way.
[[nodiscard]] CUVEE_API std::pair<stream, stream> lockstep_stream_pair();

}  // namespace cuvee::inline v0::testing
