// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/event.h>
#include <cuvee/core/task.h>
#include <cuvee/io/accept.h>
#include <cuvee/io/stream.h>
#include <cuvee/io/tcp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace cuvee::inline v0 {

/// Who is at the other end, as the kernel saw it when the connection was made.
struct peer_credentials {
  int pid = 0;
  unsigned uid = 0;
  unsigned gid = 0;
};

class unix_stream;

class CUVEE_API send_handle_awaiter {
 public:
  send_handle_awaiter(detail::stream_block& over, detail::stream_block& handle,
                      const_bytes with) noexcept
      : over_(&over), handle_(&handle), with_(with) {}
  bool await_ready() noexcept;
  bool await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&);
  bool await_must_resume() const noexcept { return status_ == 0; }
  void await_resume() { await_result().value(); }
  result<void> await_result();

 private:
  struct request;
  detail::stream_block* over_;
  detail::stream_block* handle_;
  const_bytes with_;
  waiter* waiter_ = nullptr;
  int status_ = 0;
};

/// What another process has passed: a `tcp_stream` or a `unix_stream`.
using received_handle = std::variant<tcp_stream, unix_stream>;

/// A connected unix socket.
class CUVEE_API unix_stream : public stream {
 public:
  using stream::stream;

  /// Errors: not_connected once it is closed.
  peer_credentials credentials() const;

  /// Passes a TCP or unix stream on to the other process, together with `with`, which is not empty: the
  /// receiver has it when it has read the first byte of that. Here it stays open.
  /// Errors: as `write`; invalid_argument where the stream was made without `pass_handles`, or for
  /// what is no such stream. Cancel: partial; the stream is closed. Lifetime: `handle` stays open
  /// meanwhile.
  [[nodiscard]] send_handle_awaiter send_handle(stream& handle, const_bytes with) {
    return {*block_, handle.native(), with};
  }
  /// The next stream that was passed with what has been read so far; nothing if there is none. Those
  /// that nobody takes close with the stream.
  /// Errors: not_enough_memory, which leaves it; not_supported for a descriptor that is no stream,
  /// which is closed.
  std::optional<received_handle> take_handle();
};

/// For `connect_unix` and `unix_stream_pair`.
struct unix_options {
  bool pass_handles = false;  ///< `send_handle` and `take_handle` work; both ends need it
};
static_assert(std::is_trivially_destructible_v<unix_options>);

/// Connects to a path; one that begins with a NUL byte is a name of Linux' abstract namespace. Waits while the
/// listener's queue is full. Errors: `no_such_file_or_directory`, `connection_refused` where nobody
/// listens, `permission_denied`, `filename_too_long`, naming the path. Cancel: safe.
CUVEE_API task<unix_stream> connect_unix(std::string path, unix_options options = {});

/// Two ends of a connection, one of which may go to a child.
CUVEE_API std::pair<unix_stream, unix_stream> unix_stream_pair(unix_options options = {});

/// For `listen_unix`.
struct unix_listen_options {
  int backlog = 1024;                 ///< connections that the kernel keeps waiting
  std::optional<unsigned> mode = {};  ///< permissions of the file; by default what the umask leaves
  bool pass_handles = false;          ///< of the connections, as in `unix_options`
};
static_assert(std::is_trivially_destructible_v<unix_listen_options>);

class CUVEE_API unix_accept_awaiter : public detail::accept_node {
 public:
  using accept_node::accept_node;
  unix_stream await_resume() { return await_result().value(); }
  result<unix_stream> await_result();
};

/// A listening unix socket; like `tcp_listener`. Its file goes with it, if it still is its own.
class CUVEE_API unix_listener {
 public:
  /// Use `listen_unix`.
  unix_listener(detail::acceptor* socket, std::string path) noexcept
      : socket_(socket), path_(std::move(path)) {}
  unix_listener(unix_listener&& other) noexcept
      : socket_(std::exchange(other.socket_, nullptr)),
        path_(std::move(other.path_)),
        device_(other.device_),
        inode_(std::exchange(other.inode_, 0)) {}
  unix_listener& operator=(unix_listener&& other) noexcept;
  ~unix_listener();

  /// Waits for a connection; several tasks may wait, they are served in order.
  /// Errors: closed. Cancel: safe, no connection is lost.
  [[nodiscard]] unix_accept_awaiter accept() { return unix_accept_awaiter(*socket_); }
  const std::string& path() const noexcept { return path_; }
  /// Stops listening and removes the file; waiting tasks get the error closed.
  void close();
  bool is_open() const noexcept;
  /// Waits until somebody closes it. Cancel: safe, at once.
  [[nodiscard]] event::wait_awaiter until_closed();

 private:
  friend CUVEE_API unix_listener listen_unix(std::string path, unix_listen_options options);
  void own_file() noexcept;
  void remove_file() noexcept;

  detail::acceptor* socket_;
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;  // 0: the file is not ours
};

/// Listens on a path, or an abstract name. A socket file that nobody listens on any more is replaced.
/// Errors: `address_in_use` where somebody listens, or where there is a file of another kind;
/// `permission_denied`, `filename_too_long`, …, naming the path.
CUVEE_API unix_listener listen_unix(std::string path, unix_listen_options options = {});

}  // namespace cuvee::inline v0
