// SPDX-License-Identifier: MIT
#include "udp_calls.h"

#include "core/uv.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#if defined(__linux__)
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#endif

namespace cuvee::inline v0::detail {

namespace sys {

namespace {

template <class Call>
auto repeat_interrupted(Call call) noexcept -> decltype(call()) {
  decltype(call()) n;
  do n = call();
  while (n < 0 && errno == EINTR);
  if (n < 0) n = errno == EWOULDBLOCK ? -EAGAIN : -errno;
  return n;
}

}  // namespace

ssize_t send_datagram(int fd, const_bytes data, const endpoint* to) noexcept {
  if (int e = uv::fault("sendto")) return e;
  sockaddr_storage storage;
  auto* native = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = to ? to->store(*native) : 0;
  return repeat_interrupted(
      [&] { return ::sendto(fd, data.data(), data.size(), 0, to ? native : nullptr, size); });
}

ssize_t receive_datagram(int fd, mutable_bytes into, datagram_info& got) noexcept {
  if (int e = uv::fault("recvmsg")) return e;
  sockaddr_storage sender;
  iovec room{into.data(), into.size()};
  msghdr head{};
  head.msg_name = &sender;
  head.msg_iov = &room;
  head.msg_iovlen = 1;
  ssize_t n = repeat_interrupted([&] {
    sender.ss_family = AF_UNSPEC;
    head.msg_namelen = sizeof sender;
    return ::recvmsg(fd, &head, 0);
  });
  if (n < 0) return n;
  got.size = static_cast<std::size_t>(n);
  got.from = endpoint(reinterpret_cast<const sockaddr&>(sender));
  got.truncated = (head.msg_flags & MSG_TRUNC) != 0;
  return n;
}

#if defined(__linux__)

int receive_datagrams(int fd, batch_memory& into) noexcept {
  if (int e = uv::fault("recvmmsg")) return e;
  for (udp_packet& p : into.packets) p.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  auto most = static_cast<unsigned>(into.packets.size());
  return repeat_interrupted(
      [&] { return ::recvmmsg(fd, into.packets.data(), most, MSG_DONTWAIT, nullptr); });
}

int keep_peer_errors(int fd, bool v6) noexcept {
  int e = set_option(fd, IPPROTO_IP, IP_RECVERR, 1);  // of an IPv6 socket: for its IPv4 side
  return v6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) : e;
}

int next_peer_error(int fd, endpoint& about) noexcept {
  for (;;) {
    alignas(cmsghdr) char control[512];
    char quoted[1];
    sockaddr_storage to{};
    iovec room{quoted, sizeof quoted};
    msghdr head{};
    head.msg_name = &to;
    head.msg_namelen = sizeof to;
    head.msg_iov = &room;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    if (repeat_interrupted([&] { return ::recvmsg(fd, &head, MSG_ERRQUEUE); }) < 0) return 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
      bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
      bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      sock_extended_err found;
      std::memcpy(&found, CMSG_DATA(c), sizeof found);
      bool from_network =
          found.ee_origin == SO_EE_ORIGIN_ICMP || found.ee_origin == SO_EE_ORIGIN_ICMP6;
      if (!from_network || found.ee_errno == 0) continue;  // else the sender was told by `sendto`
      about = endpoint(reinterpret_cast<const sockaddr&>(to));
      return -static_cast<int>(found.ee_errno);
    }
  }
}

int dropped_datagrams(int fd, std::uint32_t& count) noexcept {
  std::uint32_t all[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof all;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, all, &size) != 0) return -errno;
  if (size <= SK_MEMINFO_DROPS * sizeof all[0]) return -ENOTSUP;
  count = all[SK_MEMINFO_DROPS];
  return 0;
}

#else

int receive_datagrams(int fd, batch_memory& into) noexcept {
  int came = 0;
  for (udp_packet& p : into.packets) {
    datagram_info got;
    ssize_t n = repeat_interrupted([&] {
      p.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      return ::recvmsg(fd, &p.msg_hdr, 0);
    });
    if (n < 0) return came > 0 ? came : static_cast<int>(n);
    p.msg_len = static_cast<unsigned>(n);
    came++;
  }
  return came;
}

int keep_peer_errors(int, bool) noexcept { return -ENOTSUP; }
int next_peer_error(int, endpoint&) noexcept { return 0; }
int dropped_datagrams(int, std::uint32_t&) noexcept { return -ENOTSUP; }

#endif

void refuse_foreign_groups([[maybe_unused]] int fd, [[maybe_unused]] bool v6) noexcept {
  [[maybe_unused]] int off = 0;
#if defined(IP_MULTICAST_ALL)
  set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
#endif
#if defined(IPV6_MULTICAST_ALL)
  if (v6) set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off);
#endif
}

int set_option(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  if (int e = uv::fault("setsockopt")) return e;
  return setsockopt(fd, level, name, value, size) == 0 ? 0 : -errno;
}

int peer_address(int fd, endpoint& peer) noexcept {
  if (int e = uv::fault("getpeername")) return e;
  sockaddr_storage storage{};
  auto* native = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof storage;
  if (getpeername(fd, native, &size) != 0) return -errno;
  peer = endpoint(*native);
  return 0;
}

int get_option(int fd, int level, int name, int& value) noexcept {
  socklen_t size = sizeof value;
  return getsockopt(fd, level, name, &value, &size) == 0 ? 0 : -errno;
}

}  // namespace sys

}  // namespace cuvee::inline v0::detail
