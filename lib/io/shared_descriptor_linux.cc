// SPDX-License-Identifier: MIT
#include "shared_descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace cuvee::inline v0::detail {

namespace {

constexpr long pipe_file_system = 0x50495045;  // PIPEFS_MAGIC
constexpr std::size_t certain_bytes = 4096;    // a pipe that takes anything takes so much

ssize_t result_of(ssize_t n) noexcept { return n < 0 ? -errno : n; }

bool is_ready(int fd, short event) noexcept {
  pollfd p{fd, event, 0};
  return ::poll(&p, 1, 0) > 0;
}

bool has_no_nowait(ssize_t n) noexcept {
  return n == -EOPNOTSUPP || n == -ENOSYS || n == -EINVAL || n == -ESPIPE;
}

bool is_master(int fd) noexcept {
  unsigned number = 0;
  return ioctl(fd, TIOCGPTN, &number) == 0;
}

}  // namespace

shared_kind kind_of(int fd) noexcept {
  struct stat s;
  if (fstat(fd, &s) != 0) return shared_kind::closed;
  switch (s.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK: return shared_kind::file;
    case S_IFSOCK: return shared_kind::socket;
    case S_IFCHR: return isatty(fd) ? shared_kind::terminal : shared_kind::other;
    case S_IFIFO: {
      // A named one that is opened again after its writers have gone waits for others.
      struct statfs system;
      bool unnamed = fstatfs(fd, &system) == 0 && system.f_type == pipe_file_system;
      return unnamed ? shared_kind::pipe : shared_kind::other;
    }
    default: return shared_kind::other;
  }
}

descriptor reopen(int fd) noexcept {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || is_master(fd)) return descriptor();
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return descriptor(
      ::open(path, (flags & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

ssize_t read_ready(int fd, shared_kind kind, void* into, std::size_t size) noexcept {
  if (kind == shared_kind::socket) return result_of(recv(fd, into, size, MSG_DONTWAIT));
  iovec room{into, size};
  ssize_t n = result_of(preadv2(fd, &room, 1, -1, RWF_NOWAIT));
  if (!has_no_nowait(n)) return n;
  if (!is_ready(fd, POLLIN)) return -EAGAIN;
  return result_of(::read(fd, into, size));
}

bool takes_bytes(int fd) noexcept { return is_ready(fd, POLLOUT); }

ssize_t write_ready(int fd, shared_kind kind, const iovec* from, int count) noexcept {
  if (kind == shared_kind::socket) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from);
    message.msg_iovlen = static_cast<std::size_t>(count);
    return result_of(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  ssize_t n = result_of(pwritev2(fd, from, count, -1, RWF_NOWAIT));
  if (!has_no_nowait(n)) return n;
  if (!takes_bytes(fd)) return -EAGAIN;
  while (count > 1 && from->iov_len == 0) from++, count--;
  return result_of(::write(fd, from->iov_base, std::min(from->iov_len, certain_bytes)));
}

bool in_background(int terminal) noexcept {
  if (is_master(terminal)) return false;
  pid_t owner = tcgetpgrp(terminal);
  return owner > 0 && owner != getpgrp();
}

}  // namespace cuvee::inline v0::detail
