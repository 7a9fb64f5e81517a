// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace cuvee::inline v0 {

/// A numeric IP address and a port.
class CUVEE_API endpoint {
 public:
  /// `0.0.0.0:0`.
  endpoint() noexcept = default;
  /// Errors: invalid_argument, if `address` is not a numeric IPv4 or IPv6 address as libc reads it.
  endpoint(std::string_view address, std::uint16_t port);
  explicit endpoint(const sockaddr& native) noexcept;

  bool is_v6() const noexcept { return v6_; }
  std::uint16_t port() const noexcept { return port_; }
  endpoint with_port(std::uint16_t port) const noexcept {
    endpoint other = *this;
    other.port_ = port;
    return other;
  }
  /// `127.0.0.1`, `::1`, `fe80::1%2`.
  std::string address() const;
  /// `127.0.0.1:80`, `[::1]:80`.
  std::string to_string() const;
  /// Writes the native form to `storage`, which has room for a `sockaddr_in6`. Returns: its length in bytes.
  unsigned store(sockaddr& storage) const noexcept;

  friend bool operator==(const endpoint&, const endpoint&) = default;

 private:
  std::array<unsigned char, 16> bytes_{};  // network order; 4 used for IPv4
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  bool v6_ = false;
};

}  // namespace cuvee::inline v0
