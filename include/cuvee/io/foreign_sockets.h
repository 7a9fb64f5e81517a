// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/time.h>
#include <cuvee/io/fd_watch.h>

#include <cstddef>
#include <memory>
#include <optional>

namespace cuvee::inline v0 {

namespace detail {
class socket_table;
}

/// What a callback library is to be told.
struct socket_activity {
  /// Nothing: the timer has run out, or what had happened was taken out of the table again.
  std::optional<int> descriptor;
  fd_event events = fd_event::none;  ///< of those that were asked for
};

class CUVEE_API socket_activity_awaiter {
 public:
  explicit socket_activity_awaiter(detail::socket_table& table) noexcept : table_(&table) {}
  socket_activity_awaiter(socket_activity_awaiter&& other) noexcept
      : table_(other.table_) {}  // before it starts
  ~socket_activity_awaiter();

  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  socket_activity await_resume() { return await_result().value(); }
  result<socket_activity> await_result();
  void visit(detail::visitor& v);

 private:
  friend detail::socket_table;
  detail::socket_table* table_;
  waiter* waiter_ = nullptr;
  bool busy_ = false;
};

/// The sockets and the timer of a library that wants to be called back, such as libcurl's multi interface or c-ares.
/// Its callbacks keep the table up to date, and one task drives it:
///
/// `while (running) { auto a = co_await sockets.next();`
/// `  curl_multi_socket_action(m, a.descriptor.value_or(CURL_SOCKET_TIMEOUT), bits(a.events), &running); }`
///
/// The library is called in that task only, never within a callback of the loop; to cancel the task is to stop.
/// Sockets are watched while `next` is awaited, so at most one activity of each is kept. Lifetime: a socket may be
/// closed once it is removed; of the table: nobody may be waiting.
class CUVEE_API foreign_sockets {
 public:
  foreign_sockets();
  foreign_sockets(const foreign_sockets&) = delete;
  foreign_sockets& operator=(const foreign_sockets&) = delete;
  ~foreign_sockets();

  /// The next activity, sockets and timer in the order in which they became ready.
  /// Errors: those of `readable` for a socket that was given to `set`, each once; busy while another task waits.
  /// Cancel: safe, no activity is lost.
  [[nodiscard]] socket_activity_awaiter next() noexcept { return socket_activity_awaiter(*table_); }

  /// Watches a socket for these events instead of the earlier ones; `fd_event::none` removes it. For callbacks of C
  /// libraries: what fails is the error of the next `next`.
  void set(int socket, fd_event wanted) noexcept;
  /// Forgets it, also what has happened to it.
  void remove(int socket) noexcept;
  /// Once, in so long; instead of an earlier one. Zero or less: at once.
  void set_timer(duration from_now) noexcept;
  void clear_timer() noexcept;

  /// Sockets in the table.
  std::size_t size() const noexcept;

 private:
  std::unique_ptr<detail::socket_table> table_;
};

}  // namespace cuvee::inline v0
