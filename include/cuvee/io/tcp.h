// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/list.h>
#include <cuvee/core/task.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/resolve.h>
#include <cuvee/io/stream.h>

#include <cstdint>
#include <string>

namespace cuvee::inline v0 {

/// A connected TCP socket; TCP_NODELAY is on.
class CUVEE_API tcp_stream : public stream {
 public:
  using stream::stream;

  /// Errors: not_connected once it is closed or was reset.
  endpoint peer() const;
  endpoint local() const;
};

class CUVEE_API connect_awaiter {
 public:
  explicit connect_awaiter(const endpoint& to);
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
  endpoint to_;
  operation* op_ = nullptr;
  int status_ = 0;  // why it could not be started
};

/// Connects to a numeric address. Errors: `connection_refused`, `network_unreachable`, … naming the
/// address. Cancel: safe; the socket is closed.
[[nodiscard]] inline connect_awaiter connect(const endpoint& to) { return connect_awaiter(to); }

/// Connects to the first address of `host` (a name or a numeric address) that accepts.
/// Errors: those of the lookup; if every address fails, the first failure with the others `suppressed` on
/// it. Cancel: safe.
CUVEE_API task<tcp_stream> connect(std::string host, std::uint16_t port);

struct listen_options {
  int backlog = 1024;       ///< connections that the kernel keeps waiting
  bool reuse_port = false;  ///< several sockets share the port, the kernel spreads connections
};

class tcp_listener;

class CUVEE_API accept_awaiter : detail::list_node {
 public:
  explicit accept_awaiter(tcp_listener& l) noexcept : listener_(&l) {}
  bool await_ready();
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  tcp_stream await_resume();
  void visit(detail::visitor& v);

 private:
  friend class tcp_listener;
  friend detail::list<accept_awaiter>;
  tcp_listener* listener_;
  waiter* waiter_ = nullptr;
  detail::stream_block* accepted_ = nullptr;
  int status_ = 0;
};

/// A listening socket. Connections are taken one by one as they are asked for; the others wait in the kernel.
class CUVEE_API tcp_listener {
 public:
  /// Use `listen`.
  explicit tcp_listener(const endpoint& at, const listen_options& options);
  tcp_listener(tcp_listener&& other) noexcept;
  tcp_listener& operator=(tcp_listener&& other) noexcept;
  ~tcp_listener();

  /// Waits for a connection; several tasks may wait, they are served in order.
  /// Errors: closed; not_enough_memory, which leaves the connection waiting. Cancel: safe, no
  /// connection is lost.
  [[nodiscard]] accept_awaiter accept() { return accept_awaiter(*this); }
  /// The address it is bound to, with the port the system chose where 0 was asked for.
  endpoint local() const;
  /// Stops listening; waiting tasks get the error closed.
  void close();

 private:
  friend class accept_awaiter;
  class block;
  block* block_;
};

/// Listens on a numeric address or a name's first address; port 0 lets the system choose.
/// Errors: `address_in_use`, `permission_denied`, … naming the address. Cancel: safe.
CUVEE_API task<tcp_listener> listen(std::string host, std::uint16_t port,
                                    listen_options options = {});
/// The same without a lookup.
CUVEE_API tcp_listener listen(const endpoint& at, listen_options options = {});

}  // namespace cuvee::inline v0
