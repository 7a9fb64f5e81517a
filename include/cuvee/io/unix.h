// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/accept.h>
#include <cuvee/io/stream.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0 {

/// Who is at the other end, as the kernel saw it when the connection was made.
struct peer_credentials {
  int pid = 0;
  unsigned uid = 0;
  unsigned gid = 0;
};

/// A connected unix socket.
class CUVEE_API unix_stream : public stream {
 public:
  using stream::stream;

  /// Errors: not_connected once it is closed.
  peer_credentials credentials() const;
};

/// Connects to a path; one that begins with a NUL byte is a name of Linux' abstract namespace. Waits while the
/// listener's queue is full. Errors: `no_such_file_or_directory`, `connection_refused` where nobody
/// listens, `permission_denied`, `filename_too_long`, naming the path. Cancel: safe.
CUVEE_API task<unix_stream> connect_unix(std::string path);

/// Two ends of a connection, one of which may go to a child.
CUVEE_API std::pair<unix_stream, unix_stream> unix_stream_pair();

/// For `listen_unix`.
struct unix_listen_options {
  int backlog = 1024;                 ///< connections that the kernel keeps waiting
  std::optional<unsigned> mode = {};  ///< permissions of the file; by default what the umask leaves
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
