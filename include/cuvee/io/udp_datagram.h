// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>
#include <cuvee/io/endpoint.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cuvee::inline v0 {

namespace detail {
struct batch_memory;
}

/// What is known of a datagram besides its bytes.
struct datagram_info {
  std::size_t size = 0;    ///< bytes that were put into the caller's buffer; 0 is an empty datagram
  endpoint from;           ///< who sent it; where to answer
  bool truncated = false;  ///< it was longer than the buffer, the rest is lost
};

/// A datagram with its bytes.
class CUVEE_API datagram {
 public:
  datagram() = default;
  datagram(std::string bytes, const endpoint& sender) : data(std::move(bytes)), from(sender) {}

  std::string data;
  endpoint from;
};

/// A datagram in a `datagram_batch`.
struct datagram_view {
  std::string_view data;
  endpoint from;
  bool truncated = false;  ///< it was longer than the batch's `each_bytes`, the rest is lost
};

/// Room for several datagrams, made once and filled again and again by `udp_socket::receive_batch`.
class CUVEE_API datagram_batch {
 public:
  /// For up to `most` datagrams (1 to 1024) of up to `each_bytes`. Errors: invalid_argument.
  datagram_batch(std::size_t most, std::size_t each_bytes);
  datagram_batch(datagram_batch&&) noexcept;
  datagram_batch& operator=(datagram_batch&&) noexcept;
  ~datagram_batch();

  /// Those of the last `receive_batch`. Lifetime: until the next one begins.
  std::span<const datagram_view> datagrams() const noexcept;
  /// For this library's own use.
  detail::batch_memory& native() noexcept { return *memory_; }

 private:
  std::unique_ptr<detail::batch_memory> memory_;
};

}  // namespace cuvee::inline v0
