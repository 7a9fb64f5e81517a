// SPDX-License-Identifier: MIT
#include <cuvee/io/udp.h>

#include "udp_block.h"
#include "uv_error.h"

#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>

namespace cuvee::inline v0 {

using detail::udp_block;
using detail::uv_error;
namespace sys = detail::sys;

namespace {

int open_fd(const udp_block& b, const char* operation) {
  if (b.closing()) throw error(errc::closed, operation, b.name());
  return b.fd();
}

template <class Value>
void set(const udp_block& b, const char* operation, int level, int name, const Value& value) {
  int e = sys::set_option(open_fd(b, operation), level, name, &value, sizeof value);
  if (e < 0) throw uv_error(e, operation, b.name());
}

std::size_t buffer_bytes(const udp_block& b, int name) {
  constexpr const char* operation = "buffer size";
  int bytes = 0;
  int e = sys::get_option(open_fd(b, operation), SOL_SOCKET, name, bytes);
  if (e < 0) throw uv_error(e, operation, b.name());
  return static_cast<std::size_t>(bytes);
}

void check_hops(const udp_block& b, const char* operation, int hops, int least) {
  if (hops < least || hops > 255) throw uv_error(UV_EINVAL, operation, b.name());
}

// For errors: `239.1.2.3 on eth0`.
std::string described(std::string_view group, const multicast_options& options) {
  std::string text(group);
  if (options.source) text.append(" from ").append(*options.source);
  if (options.interface) text.append(" on ").append(*options.interface);
  return text;
}

unsigned interface_index(std::string_view name, const char* operation, std::string_view subject) {
  unsigned index = if_nametoindex(std::string(name).c_str());
  if (index == 0) throw uv_error(-errno, operation, subject);
  return index;
}

void change_membership(const udp_block& b, const char* operation, std::string_view group,
                       const multicast_options& options, int of_any, int of_source) {
  int fd = open_fd(b, operation);
  std::string subject = described(group, options);
  endpoint address(group, 0);
  int level = address.is_v6() ? IPPROTO_IPV6 : IPPROTO_IP;
  unsigned index = options.interface ? interface_index(*options.interface, operation, subject) : 0;
  int e = 0;
  if (options.source) {
    group_source_req request{};
    request.gsr_interface = index;
    address.store(reinterpret_cast<sockaddr&>(request.gsr_group));
    endpoint(*options.source, 0).store(reinterpret_cast<sockaddr&>(request.gsr_source));
    e = sys::set_option(fd, level, of_source, &request, sizeof request);
  } else {
    group_req request{};
    request.gr_interface = index;
    address.store(reinterpret_cast<sockaddr&>(request.gr_group));
    e = sys::set_option(fd, level, of_any, &request, sizeof request);
  }
  if (e < 0) throw uv_error(e, operation, subject);
}

}  // namespace

endpoint udp_socket::local() const {
  constexpr const char* operation = "local address";
  sockaddr_storage own{};
  socklen_t size;
  int e = sys::address(open_fd(*block_, operation), own, size);
  if (e < 0) throw uv_error(e, operation, block_->name());
  return endpoint(reinterpret_cast<sockaddr&>(own));
}

endpoint udp_socket::peer() const {
  open_fd(*block_, "peer address");
  if (!block_->peer()) throw uv_error(UV_ENOTCONN, "peer address", block_->name());
  return *block_->peer();
}

std::uint32_t udp_socket::dropped() const {
  constexpr const char* operation = "count dropped datagrams";
  std::uint32_t count = 0;
  int e = sys::dropped_datagrams(open_fd(*block_, operation), count);
  if (e < 0) throw uv_error(e, operation, block_->name());
  return count;
}

std::size_t udp_socket::receive_buffer_bytes() const { return buffer_bytes(*block_, SO_RCVBUF); }
std::size_t udp_socket::send_buffer_bytes() const { return buffer_bytes(*block_, SO_SNDBUF); }

void udp_socket::set_broadcast(bool on) {
  set(*block_, "set broadcast", SOL_SOCKET, SO_BROADCAST, int{on});
}

void udp_socket::set_ttl(int hops) {
  constexpr const char* operation = "set ttl";
  check_hops(*block_, operation, hops, 1);
  if (block_->is_v6()) set(*block_, operation, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
  else set(*block_, operation, IPPROTO_IP, IP_TTL, hops);
}

// BSD takes nothing but a byte for the multicast settings of IPv4.

void udp_socket::set_multicast_ttl(int hops) {
  constexpr const char* operation = "set multicast ttl";
  check_hops(*block_, operation, hops, 0);
  auto byte = static_cast<unsigned char>(hops);
  if (block_->is_v6()) set(*block_, operation, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
  else set(*block_, operation, IPPROTO_IP, IP_MULTICAST_TTL, byte);
}

void udp_socket::set_multicast_loopback(bool on) {
  constexpr const char* operation = "set multicast loopback";
  auto byte = static_cast<unsigned char>(on);
  if (block_->is_v6()) set(*block_, operation, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int{on});
  else set(*block_, operation, IPPROTO_IP, IP_MULTICAST_LOOP, byte);
}

void udp_socket::set_multicast_interface(std::string_view name) {
  constexpr const char* operation = "set multicast interface";
  open_fd(*block_, operation);
  int index = static_cast<int>(interface_index(name, operation, name));
  if (block_->is_v6()) return set(*block_, operation, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
  ip_mreqn request{};
  request.imr_ifindex = index;
  set(*block_, operation, IPPROTO_IP, IP_MULTICAST_IF, request);
}

void udp_socket::join_multicast(std::string_view group, multicast_options options) {
  change_membership(*block_, "join", group, options, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP);
}

void udp_socket::leave_multicast(std::string_view group, multicast_options options) {
  change_membership(*block_, "leave", group, options, MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP);
}

}  // namespace cuvee::inline v0
