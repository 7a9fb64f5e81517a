// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/base/result.h>
#include <cuvee/core/waiter.h>

#include <cstdint>
#include <utility>

namespace cuvee::inline v0 {

/// What can happen to a descriptor. `a | b` is a set of them. An error of the descriptor, and its
/// end in both directions, count as whatever is waited for: the next call on it will tell.
enum class fd_event : std::uint8_t {
  none = 0,
  readable = 1,  ///< a read or accept returns at once, if only the end of the data
  writable = 2,  ///< a write returns at once, or a connect has ended
  hang_up = 4,   ///< a socket's peer will send no more
  priority = 8,  ///< out-of-band data, or what else the system calls urgent
};
constexpr fd_event operator|(fd_event a, fd_event b) noexcept {
  return static_cast<fd_event>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr fd_event operator&(fd_event a, fd_event b) noexcept {
  return static_cast<fd_event>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
/// Whether the sets have an event in common.
constexpr bool intersects(fd_event a, fd_event b) noexcept { return (a & b) != fd_event::none; }

namespace detail {
class fd_block;
}

class CUVEE_API fd_awaiter : detail::list_node {
 public:
  /// On a watch that lasts as long as the wait.
  fd_awaiter(int fd, fd_event wanted) noexcept : fd_(fd), wanted_(wanted) {}
  fd_awaiter(detail::fd_block& watch, fd_event wanted) noexcept;
  fd_awaiter(fd_awaiter&& other) noexcept  // before it starts
      : block_(other.block_), fd_(other.fd_), wanted_(other.wanted_) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  fd_event await_resume() { return await_result().value(); }
  result<fd_event> await_result();
  void visit(detail::visitor& v);
  /// Why it could not wait, or does no more; 0 or as of libuv.
  int status() const noexcept { return status_; }

 private:
  friend detail::fd_block;
  friend detail::list<fd_awaiter>;
  detail::fd_block* block_ = nullptr;
  waiter* waiter_ = nullptr;
  const char* user_ = nullptr;  // whose it is, if it is in use
  int fd_;
  int status_ = 0;
  fd_event wanted_;
  fd_event happened_ = fd_event::none;
};

/// Waits until a descriptor that is not one of cuvee's can be read from. It may be in blocking mode, which is left as it
/// is, and may be closed as soon as the wait has ended. To wait often for the same one, `watch` is cheaper.
/// Returns: what it waited for.
/// Errors: bad_file_descriptor; operation_not_permitted for a regular file or directory, which is always ready; busy
/// while another task of the loop waits for the same event, and where the descriptor is that of a stream, listener or
/// process of the loop.
/// Cancel: safe, at once; nothing is left. Lifetime: the descriptor is not closed before the wait has ended.
[[nodiscard]] inline fd_awaiter readable(int fd) noexcept { return {fd, fd_event::readable}; }
/// The same until it can be written to. Errors: as of `readable`. Cancel: safe, at once.
[[nodiscard]] inline fd_awaiter writable(int fd) noexcept { return {fd, fd_event::writable}; }

/// A descriptor that is waited for again and again; made by `watch`. A wait costs no system call as a rule. Move-only.
/// Lifetime: the descriptor is not closed before the watch is gone; nobody may be waiting then.
class CUVEE_API fd_watch {
 public:
  explicit fd_watch(detail::fd_block* block) noexcept : block_(block) {}
  fd_watch(fd_watch&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  fd_watch& operator=(fd_watch&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~fd_watch();

  /// Errors: busy while another task of the loop waits for the same event of this descriptor, through whatever watch;
  /// closed. Cancel: safe, at once.
  [[nodiscard]] fd_awaiter readable() { return wait(fd_event::readable); }
  /// As `readable`. Cancel: safe, at once.
  [[nodiscard]] fd_awaiter writable() { return wait(fd_event::writable); }
  /// Waits until one of `events` has happened. Returns: those that have. Errors: as of `readable`.
  /// Cancel: safe, at once.
  [[nodiscard]] fd_awaiter wait(fd_event events) { return {*block_, events}; }

  int descriptor() const noexcept;

 private:
  detail::fd_block* block_;
};

/// Errors: those of the free `readable` that do not depend on other tasks.
[[nodiscard]] CUVEE_API fd_watch watch(int fd);

}  // namespace cuvee::inline v0
