// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/tcp.h>
#include <cuvee/io/udp.h>
#include <cuvee/io/unix.h>

#include <string>
#include <vector>

namespace cuvee::inline v0 {

/// What `LISTEN_FDNAMES` calls inherited sockets, in the order of each kind; `unknown` without it.
struct inherited_names {
  std::vector<std::string> tcp, local, udp;
};

/// Sockets that whoever started this process has made.
struct inherited_sockets {
  std::vector<tcp_listener> tcp;
  std::vector<unix_listener> local;  ///< unix sockets; their files are not removed
  std::vector<udp_socket> udp;       ///< bound; or connected, if they were so
  inherited_names names;
};

/// Takes the sockets of systemd's protocol (`LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`,
/// sd_listen_fds_with_names(3)), in order, and removes the variables. Nothing, if they are not meant
/// for this process.
/// Errors: invalid_argument naming the descriptor and what it is, for one that is neither a listening
/// stream socket nor a UDP socket: all are closed then. invalid_argument if there are not as many
/// names as descriptors: none is taken.
CUVEE_API inherited_sockets take_inherited_sockets();

namespace detail {
/// One for each of `names`, from `first` on.
CUVEE_API inherited_sockets adopt_sockets(int first, const std::vector<std::string>& names);
}  // namespace detail

}  // namespace cuvee::inline v0
