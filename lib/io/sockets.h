// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/endpoint.h>

#include <sys/socket.h>

#include <utility>

namespace cuvee::inline v0::detail {

/// A descriptor that is closed unless somebody takes it.
class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

/// A system call by its return value: what it gave, or its negative errno. Faults can be injected as
/// into libuv's calls.
namespace sys {
/// Not blocking, and not inherited by children.
int socket(int family, int type);
int bind(int fd, const sockaddr* at, socklen_t size);
int listen(int fd, int backlog);
/// As `socket` makes them.
int accept(int fd, sockaddr_storage& from);
int connect(int fd, const sockaddr* to, socklen_t size);
int set_option(int fd, int level, int name, int value);
int make_ours(int fd);  // not blocking, not inherited
int address(int fd, sockaddr_storage& own, socklen_t& size);
}  // namespace sys

endpoint local_endpoint(int fd);

}  // namespace cuvee::inline v0::detail
