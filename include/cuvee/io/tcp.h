// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/event.h>
#include <cuvee/core/task.h>
#include <cuvee/core/time.h>
#include <cuvee/io/accept.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/resolve.h>
#include <cuvee/io/stream.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace cuvee::inline v0 {

class resolver;

/// A connected TCP socket; TCP_NODELAY is on unless `connect_options` say otherwise.
class CUVEE_API tcp_stream : public stream {
 public:
  using stream::stream;

  /// Who it was connected to, also after the end. Errors: not_connected, for a stream that another process has passed on
  /// and that is closed or was reset.
  endpoint peer() const;
  /// Errors: not_connected once it is closed.
  endpoint local() const;
  /// Errors: not_connected.
  void set_nodelay(bool on);
  /// Probes the connection when it was idle for `idle`, in whole seconds; nothing: does not.
  /// Errors: not_connected; invalid_argument for less than a second.
  void set_keepalive(std::optional<duration> idle);
};

/// For `connect`.
struct connect_options {
  std::optional<endpoint> local = {};  ///< address to connect from; port 0: the system chooses
  std::optional<duration> keepalive =
      {};               ///< idle for so long, a connection is probed; whole seconds
  bool nodelay = true;  ///< small writes go out at once
  duration stagger = std::chrono::milliseconds(250);  ///< before the next address is tried as well
  resolver* names = nullptr;  ///< looks the host up, if given; it outlives the task
};
static_assert(std::is_trivially_destructible_v<connect_options>);

class CUVEE_API connect_awaiter {
 public:
  connect_awaiter(const endpoint& to, const connect_options& options);
  connect_awaiter(connect_awaiter&& other) noexcept;
  ~connect_awaiter();

  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&);
  bool await_must_resume() const noexcept;
  tcp_stream await_resume();
  result<tcp_stream> await_result();
  void visit(detail::visitor& v);

 private:
  struct operation;
  int set_options() noexcept;
  endpoint to_;
  connect_options options_;
  operation* op_ = nullptr;
  int status_ = 0;  // why it could not be started
};

/// Connects to a numeric address. Errors: `connection_refused`, `network_unreachable`, … naming the
/// address. Cancel: safe; the socket is closed.
[[nodiscard]] inline connect_awaiter connect(const endpoint& to, connect_options options = {}) {
  return connect_awaiter(to, options);
}

/// Connects to the first of several addresses that accepts: by turns of either family, each
/// `options.stagger` after the one before or as soon as that has failed (RFC 8305).
/// Errors: if every address fails, the first failure with the others `suppressed` on it;
/// invalid_argument for no address, or none of the family of `options.local`. Cancel: safe.
CUVEE_API task<tcp_stream> connect(std::vector<endpoint> addresses, connect_options options = {});

/// The same with the addresses of `host`, a name or a numeric address. Errors: those of the lookup as well.
CUVEE_API task<tcp_stream> connect(std::string host, std::uint16_t port,
                                   connect_options options = {});

struct listen_options {
  int backlog = 1024;       ///< connections that the kernel keeps waiting
  bool reuse_port = false;  ///< several sockets share the port, the kernel spreads connections
  bool v6_only = true;      ///< off: an IPv6 socket takes IPv4 connections, too
};
static_assert(std::is_trivially_destructible_v<listen_options>);

class CUVEE_API accept_awaiter : public detail::accept_node {
 public:
  using accept_node::accept_node;
  tcp_stream await_resume() { return await_result().value(); }
  result<tcp_stream> await_result();
};

/// Listening sockets. Connections are taken one by one as they are asked for; the others wait in the kernel,
/// also while the process has no descriptors or memory for them: accepting then pauses and is tried again every
/// 100 ms, with a report at most once a minute.
class CUVEE_API tcp_listener {
 public:
  /// Use `listen`.
  explicit tcp_listener(detail::acceptor* sockets) noexcept : sockets_(sockets) {}
  tcp_listener(tcp_listener&& other) noexcept : sockets_(std::exchange(other.sockets_, nullptr)) {}
  tcp_listener& operator=(tcp_listener&& other) noexcept {
    std::swap(sockets_, other.sockets_);
    return *this;
  }
  ~tcp_listener();

  /// Waits for a connection; several tasks may wait, they are served in order. A connection that ends
  /// before it is accepted is passed over. Errors: closed. Cancel: safe, no connection is lost.
  [[nodiscard]] accept_awaiter accept() { return accept_awaiter(*sockets_); }
  /// The first address it is bound to, with the port the system chose where 0 was asked for.
  /// Errors: closed.
  endpoint local() const;
  /// All of them.
  std::vector<endpoint> locals() const;
  /// Stops listening; waiting tasks get the error closed.
  void close();
  bool is_open() const noexcept;
  /// Waits until somebody closes it. Cancel: safe, at once.
  [[nodiscard]] event::wait_awaiter until_closed();

 private:
  detail::acceptor* sockets_;
};

/// Listens on all addresses of a name, or on a numeric address. Port 0 lets the system choose one, the same
/// for all. Addresses that this machine does not have are passed over if there are others.
/// Errors: `address_in_use`, `permission_denied`, … naming the address. Cancel: safe.
CUVEE_API task<tcp_listener> listen(std::string host, std::uint16_t port,
                                    listen_options options = {});
/// The same without a lookup.
CUVEE_API tcp_listener listen(const endpoint& at, listen_options options = {});
CUVEE_API tcp_listener listen(const std::vector<endpoint>& at, listen_options options = {});

}  // namespace cuvee::inline v0
