// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// Pieces of RFC 3986 §3.2 that the request policy and the URL parser share.

namespace cuvee::inline v0::http::detail {

using ipv6_bytes = std::array<unsigned char, 16>;

/// The address inside the brackets of an IP literal. Zones and IPvFuture are refused: no HTTP
/// client sends either, and neither can be looked up.
std::optional<ipv6_bytes> parse_ipv6(std::string_view text) noexcept;

/// A decimal port 0 to 65535, of at most five digits.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

/// Whether `text` is `host [":" port]` with a host that is not empty.
bool is_authority(std::string_view text) noexcept;

}  // namespace cuvee::inline v0::http::detail
