// SPDX-License-Identifier: MIT
#include "send_piece.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

namespace cuvee::inline v0::detail {

bool is_socket(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool in_cache(int file, std::uint64_t offset, std::size_t n) noexcept {
  for (std::uint64_t at : {offset, offset + n - 1}) {
    char byte;
    iovec room{&byte, 1};
    // Where a file system cannot tell, it fails as well.
    if (preadv2(file, &room, 1, static_cast<off_t>(at), RWF_NOWAIT) < 0) return false;
  }
  return true;
}

std::int64_t send_piece(int socket, int file, std::uint64_t offset, std::size_t n) noexcept {
  auto at = static_cast<off_t>(offset);
  ssize_t sent;
  do sent = sendfile(socket, file, &at, n);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

}  // namespace cuvee::inline v0::detail
