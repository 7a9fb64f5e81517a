// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace cuvee::inline v0::http {

/// How much of a message is accepted. All of them hold however the bytes are cut into packets.
/// The defaults are those of a server; a client starts from `response_limits()`.
struct limits {
  /// The request target. More is answered with 414. At most 32 KiB make sense.
  std::size_t target_bytes = 8 * 1024;
  /// All field lines of the head together, with their line ends. More is answered with 431.
  std::size_t header_bytes = 16 * 1024;
  /// The number of field lines in the head. More is answered with 431.
  std::size_t header_fields = 100;
  /// All chunk extensions of one message together. More is answered with 431.
  std::size_t chunk_extension_bytes = 4 * 1024;
  /// The trailer section of a chunked message. More is answered with 431.
  std::size_t trailer_bytes = 8 * 1024;
  /// The number of field lines in the trailer section. More is answered with 431.
  std::size_t trailer_fields = 32;
  /// The body, streamed or not. More is answered with 413.
  std::uint64_t body_bytes = 1024 * 1024;
};

/// The defaults for what a client receives: 32 KiB and 200 fields in the head, 64 MiB in the body.
constexpr limits response_limits() noexcept {
  limits l;
  l.header_bytes = 32 * 1024;
  l.header_fields = 200;
  l.body_bytes = 64 * 1024 * 1024;
  return l;
}

static_assert(std::is_trivially_destructible_v<limits>);

}  // namespace cuvee::inline v0::http
