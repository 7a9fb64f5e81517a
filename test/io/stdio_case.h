// SPDX-License-Identifier: MIT
// Descriptors of all kinds that a standard stream can be.
#pragma once
#include "io_case.h"

#include <cuvee/io/stdio.h>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace stdio_case {

/// Closed at the end of the block.
struct owned_fd {
  explicit owned_fd(int n = -1) noexcept : number(n) {}
  owned_fd(owned_fd&& other) noexcept : number(std::exchange(other.number, -1)) {}
  owned_fd& operator=(owned_fd&& other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  ~owned_fd() { shut(); }
  void shut() {
    if (number >= 0) ::close(std::exchange(number, -1));
  }
  int number;
};

/// A descriptor that the library shall use, and the other side of it as plain as can be.
struct fd_pair {
  owned_fd shared, peer;
};

inline fd_pair pipe_pair(bool shared_writes) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  owned_fd from(ends[0]), to(ends[1]);
  return shared_writes ? fd_pair{std::move(to), std::move(from)}
                       : fd_pair{std::move(from), std::move(to)};
}

inline fd_pair socket_pair() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {owned_fd(ends[0]), owned_fd(ends[1])};
}

inline fd_pair fifo_pair(bool shared_writes) {
  char folder[] = "/tmp/cuvee-test-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  std::string path = std::string(folder) + "/fifo";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  owned_fd hold(open(path.c_str(), O_RDWR | O_CLOEXEC));  // so that nobody waits in open
  owned_fd from(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  owned_fd to(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  unlink(path.c_str());
  rmdir(folder);
  return shared_writes ? fd_pair{std::move(to), std::move(from)}
                       : fd_pair{std::move(from), std::move(to)};
}

/// A terminal that passes bytes as they are; `shared` is the side of programs.
inline fd_pair terminal_pair() {
  owned_fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(master.number >= 0);
  REQUIRE(grantpt(master.number) == 0);
  REQUIRE(unlockpt(master.number) == 0);
  char path[64];
  REQUIRE(ptsname_r(master.number, path, sizeof path) == 0);
  owned_fd slave(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(slave.number >= 0);
  termios raw;
  tcgetattr(slave.number, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave.number, TCSANOW, &raw);
  return {std::move(slave), std::move(master)};
}

/// A file without a name.
inline owned_fd file_with(std::string_view content) {
  char path[] = "/tmp/cuvee-test-XXXXXX";
  owned_fd f(mkostemp(path, O_CLOEXEC));
  REQUIRE(f.number >= 0);
  unlink(path);
  REQUIRE(write(f.number, content.data(), content.size()) == ssize_t(content.size()));
  lseek(f.number, 0, SEEK_SET);
  return f;
}

inline bool is_nonblocking(const owned_fd& f) {
  return (fcntl(f.number, F_GETFL) & O_NONBLOCK) != 0;
}

inline std::size_t bytes_waiting(const owned_fd& f) {
  int n = 0;
  REQUIRE(ioctl(f.number, FIONREAD, &n) == 0);
  return static_cast<std::size_t>(n);
}

/// A terminal passes bytes on in its own time. Returns: how many there are then.
inline cuvee::task<std::size_t> once_waiting(const owned_fd& f, std::size_t n) {
  for (int i = 0; i < 20'000 && bytes_waiting(f) < n; i++)
    co_await cuvee::sleep(std::chrono::milliseconds(1));
  co_return bytes_waiting(f);
}

inline void put(const owned_fd& f, std::string_view bytes) {
  REQUIRE(::write(f.number, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
}

inline std::string take_now(const owned_fd& f, std::size_t most) {
  std::string got(most, '\0');
  ssize_t n = ::read(f.number, got.data(), most);
  got.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return got;
}

struct named_pair {
  const char* name;
  fd_pair fds;
};

/// Everything that may keep a reader waiting.
inline std::vector<named_pair> readable_pairs() {
  std::vector<named_pair> all;
  all.push_back({"pipe", pipe_pair(false)});
  all.push_back({"named pipe", fifo_pair(false)});
  all.push_back({"socket", socket_pair()});
  all.push_back({"terminal", terminal_pair()});
  return all;
}
inline std::vector<named_pair> writable_pairs() {
  std::vector<named_pair> all;
  all.push_back({"pipe", pipe_pair(true)});
  all.push_back({"named pipe", fifo_pair(true)});
  all.push_back({"socket", socket_pair()});
  all.push_back({"terminal", terminal_pair()});
  return all;
}

}  // namespace stdio_case
