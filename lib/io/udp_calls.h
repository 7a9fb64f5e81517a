// SPDX-License-Identifier: MIT
#pragma once
#include "sockets.h"

#include <cuvee/base/bytes.h>
#include <cuvee/io/udp_datagram.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace cuvee::inline v0::detail {

#if defined(__linux__)
using udp_packet = mmsghdr;
#else
struct udp_packet {
  msghdr msg_hdr;
  unsigned msg_len;
};
#endif

struct batch_memory {
  batch_memory(std::size_t most, std::size_t each_bytes);
  /// After `n` packets have come.
  void show(std::size_t n) noexcept;

  std::unique_ptr<char[]> bytes;
  std::vector<iovec> rooms;
  std::vector<sockaddr_storage> senders;
  std::vector<udp_packet> packets;
  std::vector<datagram_view> views;
  std::size_t filled = 0;
};

namespace sys {
/// `to`: null for the peer of a connected socket. Returns: bytes sent.
ssize_t send_datagram(int fd, const_bytes data, const endpoint* to) noexcept;
/// Returns: bytes put into `into`.
ssize_t receive_datagram(int fd, mutable_bytes into, datagram_info& got) noexcept;
/// Returns: how many packets, at least one.
int receive_datagrams(int fd, batch_memory& into) noexcept;

/// Has the kernel keep what ICMP reports for `next_peer_error`.
int keep_peer_errors(int fd, bool v6) noexcept;
/// The oldest error kept, and whom the datagram that met it was sent to; 0 if there is none.
int next_peer_error(int fd, endpoint& about) noexcept;

/// Linux gives a socket what was sent to groups that others have joined, unless it is told not to.
/// Where that cannot be told, the default has to do.
void refuse_foreign_groups(int fd, bool v6) noexcept;
int set_option(int fd, int level, int name, const void* value, socklen_t size) noexcept;
int get_option(int fd, int level, int name, int& value) noexcept;
int peer_address(int fd, endpoint& peer) noexcept;
int dropped_datagrams(int fd, std::uint32_t& count) noexcept;
}  // namespace sys

}  // namespace cuvee::inline v0::detail
