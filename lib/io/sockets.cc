// SPDX-License-Identifier: MIT
#include "sockets.h"

#include "core/uv.h"
#include "uv_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cuvee::inline v0::detail {

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

namespace sys {

namespace {

int status_of(int result) noexcept { return result < 0 ? -errno : result; }

}  // namespace

int make_ours(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  return status_of(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

int socket(int family, int type) {
  if (int e = uv::fault("socket")) return e;
#if defined(SOCK_NONBLOCK)
  return status_of(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
#else
  descriptor fd(::socket(family, type, 0));
  if (!fd) return -errno;
  int e = make_ours(fd.get());
  return e < 0 ? e : fd.release();
#endif
}

int bind(int fd, const sockaddr* at, socklen_t size) {
  if (int e = uv::fault("bind")) return e;
  return status_of(::bind(fd, at, size));
}

int listen(int fd, int backlog) {
  if (int e = uv::fault("listen")) return e;
  return status_of(::listen(fd, backlog));
}

int accept(int fd, sockaddr_storage& from) {
  if (int e = uv::fault("accept")) return e;
  auto* who = reinterpret_cast<sockaddr*>(&from);
  socklen_t size = sizeof from;
#if defined(__linux__)
  return status_of(::accept4(fd, who, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
#else
  descriptor taken(::accept(fd, who, &size));
  if (!taken) return -errno;
  int e = make_ours(taken.get());
  return e < 0 ? e : taken.release();
#endif
}

int connect(int fd, const sockaddr* to, socklen_t size) {
  if (int e = uv::fault("connect")) return e;
  return status_of(::connect(fd, to, size));
}

int set_option(int fd, int level, int name, int value) {
  if (int e = uv::fault("setsockopt")) return e;
  return status_of(setsockopt(fd, level, name, &value, sizeof value));
}

int address(int fd, sockaddr_storage& own, socklen_t& size) {
  size = sizeof own;
  return status_of(getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size));
}

}  // namespace sys

endpoint local_endpoint(int fd) {
  sockaddr_storage own{};
  socklen_t size;
  int e = sys::address(fd, own, size);
  if (e < 0) throw uv_error(e, "local address", "tcp listener");
  return endpoint(reinterpret_cast<sockaddr&>(own));
}

}  // namespace cuvee::inline v0::detail
