// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/event.h>
#include <cuvee/io/tcp.h>
#include <cuvee/io/tls.h>

#include <functional>
#include <memory>

namespace cuvee::inline v0 {

struct tls_listen_options {
  std::size_t max_handshakes = 256;  ///< at a time; further clients wait in the kernel
  std::size_t max_waiting = 64;  ///< connections that are ready and were not accepted yet; likewise
};

/// A listening socket whose connections speak TLS. Handshakes run beside each other and beside `accept`, each under
/// the context's `handshake_timeout`: a client that takes its time holds up nobody. Connections are accepted in
/// the order in which their handshakes end.
class CUVEE_API tls_listener {
 public:
  /// `context` is asked for each connection, so that a `reload` shows. Lifetime: `context` outlives this.
  tls_listener(tcp_listener l, const tls_server_context& context, tls_listen_options options = {});
  tls_listener(tls_listener&&) noexcept = default;
  tls_listener& operator=(tls_listener&&) noexcept = delete;
  ~tls_listener();

  /// Waits for a connection. Errors: closed; those of accepting on the socket below.
  /// Cancel: safe, no connection is lost.
  [[nodiscard]] task<tls_stream> accept();
  /// Called with each failure of a handshake; without it they pass unnoticed, as clients fail all the time.
  void on_failed_handshake(std::function<void(const error&)> f);
  endpoint local() const;
  /// Stops listening; handshakes under way are cancelled, what is ready can still be accepted.
  void close();
  /// Waits until somebody closes it. Cancel: safe, at once.
  [[nodiscard]] event::wait_awaiter until_closed();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace cuvee::inline v0
