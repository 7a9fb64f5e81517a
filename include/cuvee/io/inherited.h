// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/tcp.h>
#include <cuvee/io/unix.h>

#include <vector>

namespace cuvee::inline v0 {

/// Listening sockets that whoever started this process has made.
struct inherited_sockets {
  std::vector<tcp_listener> tcp;
  std::vector<unix_listener> local;  ///< unix sockets; their files are not removed
};

/// Takes the sockets of systemd's protocol (`LISTEN_FDS` and `LISTEN_PID`, sd_listen_fds(3)), in order,
/// and removes the variables. Nothing, if they are not meant for this process.
/// Errors: invalid_argument for a descriptor that is no listening stream socket.
CUVEE_API inherited_sockets take_inherited_sockets();

namespace detail {
CUVEE_API inherited_sockets adopt_sockets(int first, int count);
}

}  // namespace cuvee::inline v0
