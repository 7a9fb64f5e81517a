// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/stream.h>
#include <cuvee/io/tcp.h>
#include <cuvee/io/tls_context.h>
#include <cuvee/io/tls_info.h>

#include <cstdint>
#include <string>

namespace cuvee::inline v0 {

class CUVEE_API tls_close_awaiter : public close_awaiter {
 public:
  explicit tls_close_awaiter(detail::stream_block* block) noexcept
      : close_awaiter(block), block_(block) {}
  void await_suspend(waiter& w);
  void await_resume();

 private:
  detail::stream_block* block_;
};

class CUVEE_API tls_shutdown_awaiter : public shutdown_awaiter {
 public:
  explicit tls_shutdown_awaiter(detail::stream_block& block) noexcept
      : shutdown_awaiter(block), block_(&block) {}
  void await_resume();

 private:
  detail::stream_block* block_;
};

/// A stream of bytes that TLS carries over another stream, which it owns: a TCP socket, a pipe, another TLS stream.
/// The handshake is over. What `stream` says holds, and beyond it: the end of the stream is the peer's close_notify;
/// a connection that ends without one is the error `tls_errc::truncated`. A renegotiation is refused, new
/// keys (TLS 1.3) are taken without notice.
class CUVEE_API tls_stream : public stream {
 public:
  using stream::stream;

  /// Tells the peer, waits until it has ended its side, too, and closes the stream below. `stream::close` and
  /// destroying the stream do not wait for the peer.
  /// Errors: timeout_error if it has not answered in `shutdown_timeout`; all is closed then, too.
  /// Cancel: shielded.
  [[nodiscard]] tls_close_awaiter close() { return tls_close_awaiter(block_); }

  /// Ends the output behind all that was written, and tells the peer.
  /// Errors: timeout_error if it has not taken that in `shutdown_timeout`; all is closed then. `stream::shutdown_write`
  /// closes as well, but does not tell. Cancel: safe; the output ends all the same, within that time.
  [[nodiscard]] tls_shutdown_awaiter shutdown_write() { return tls_shutdown_awaiter(*block_); }

  /// What the handshake has agreed on.
  tls_info info() const;
  /// The addresses of the stream below, as `tcp_stream` has them. Errors: not_connected.
  endpoint peer() const;
  endpoint local() const;
  /// Changes the keys from here on, and asks the peer to do likewise; nothing below TLS 1.3.
  void update_keys();
};

/// Speaks TLS on a live stream from now on, as a client: `host` is asked for and checked. No byte is lost: what has come
/// and was not read yet is the beginning of TLS.
/// Errors: `tls_errc` with what is wrong, naming the host and port; timeout_error after
/// `handshake_timeout`; end_of_stream; those of the stream; busy if a read or write is under way. The stream
/// is closed then. Cancel: the stream is closed. Lifetime: `context` may go at once.
CUVEE_API task<tls_stream> start_tls(stream s, const tls_client_context& context, std::string host);
/// The same as a server.
CUVEE_API task<tls_stream> start_tls(stream s, const tls_server_context& context);

/// Connects by TCP and speaks TLS, with `default_tls_client()` where no context is given.
/// Errors: those of `connect` and `start_tls`. Cancel: safe.
CUVEE_API task<tls_stream> tls_connect(std::string host, std::uint16_t port,
                                       const tls_client_context& context,
                                       connect_options options = {});
CUVEE_API task<tls_stream> tls_connect(std::string host, std::uint16_t port,
                                       connect_options options = {});

/// Trusts the system's roots: made at its first use in a loop's main task, gone when that ends.
CUVEE_API tls_client_context& default_tls_client();

}  // namespace cuvee::inline v0
