// SPDX-License-Identifier: MIT
#include "uv_error.h"
#include "uv_stream_block.h"

#include <cuvee/io/unix.h>

#include <sys/socket.h>

#include <cerrno>

namespace cuvee::inline v0 {

peer_credentials unix_stream::credentials() const {
  ucred known{};
  socklen_t size = sizeof known;
  int fd = block_->closing() ? -1 : block_->descriptor();
  if (fd < 0) throw detail::uv_error(UV_ENOTCONN, "peer credentials", "unix stream");
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &known, &size) != 0)
    throw detail::uv_error(-errno, "peer credentials", block_->name());
  return {known.pid, known.uid, known.gid};
}

}  // namespace cuvee::inline v0
