// SPDX-License-Identifier: MIT
// What the tests of UDP share.
#pragma once
#include "io_case.h"

#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <utility>

#include "io/udp_block.h"

namespace udp_case {

inline const cuvee::endpoint any_port("127.0.0.1", 0);

inline bool has_ipv6() {
  static const bool here = [] {
    cuvee::detail::descriptor fd(socket(AF_INET6, SOCK_DGRAM, 0));
    sockaddr_storage at;
    unsigned size = cuvee::endpoint("::1", 0).store(reinterpret_cast<sockaddr&>(at));
    bool can = fd && bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size) == 0;
    if (!can) std::printf("skipped: cases that send over IPv6, which this machine does not have\n");
    return can;
  }();
  return here;
}

/// An address at which no socket is.
inline cuvee::endpoint deserted(const cuvee::endpoint& any = any_port) {
  return cuvee::bind_udp(any).local();
}

inline int option(cuvee::udp_socket& s, int level, int name) {
  int value = -1;
  cuvee::detail::sys::get_option(s.native().fd(), level, name, value);
  return value;
}

/// Two sockets connected to each other whose send buffers are small. On the loopback UDP takes
/// everything that is sent, so these are unix sockets: what sends to a full one waits, as a UDP
/// socket does for a slow network.
struct narrow_pair {
  cuvee::udp_socket a, b;
};
inline narrow_pair narrow() {
  using cuvee::detail::udp_block;
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  auto adopt = [](int fd, const char* name) {
    int bytes = 4608;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    udp_block::identity who;
    who.name = name;
    return cuvee::udp_socket(udp_block::make(cuvee::detail::loop_state::current(),
                                             cuvee::detail::descriptor(fd), std::move(who)));
  };
  return {adopt(ends[0], "a"), adopt(ends[1], "b")};
}

/// Sends 1000 bytes again and again while there is room. Returns: how often.
inline int fill(cuvee::udp_socket& s) {
  std::string datagram(1000, 'f');
  int sent = 0;
  while (s.try_send(datagram)) sent++;
  return sent;
}

}  // namespace udp_case
