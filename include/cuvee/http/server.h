// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/group.h>
#include <cuvee/http/app.h>
#include <cuvee/http/limits.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/tcp.h>
#include <cuvee/io/tls_context.h>

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

namespace cuvee::inline v0::http {

/// What `serve_options::on_listening` calls: a function, or any callable of yours, which is not copied
/// (a lambda with captures therefore needs a name).
/// Lifetime: the callable lives until it has been called, or serving has failed.
class listening_callback {
 public:
  using function = void(const endpoint&);

  listening_callback() = default;
  template <std::convertible_to<function*> F>
  listening_callback(F fn) noexcept : of_(reinterpret_cast<void*>(static_cast<function*>(fn))) {
    if (of_) call_ = [](void* f, const endpoint& at) { reinterpret_cast<function*>(f)(at); };
  }
  template <class F>
    requires(std::invocable<F&, const endpoint&> && !std::convertible_to<F&, function*>)
  listening_callback(F& fn) noexcept
      : of_(const_cast<void*>(static_cast<const void*>(std::addressof(fn)))),
        call_([](void* f, const endpoint& at) { std::invoke(*static_cast<F*>(f), at); }) {}

  explicit operator bool() const noexcept { return call_ != nullptr; }
  void operator()(const endpoint& at) const { call_(of_, at); }

 private:
  void* of_ = nullptr;
  void (*call_)(void*, const endpoint&) = nullptr;
};

struct serve_options {
  /// Name or numeric address to listen on. Lifetime: text of the caller's, which is not copied; it
  /// lives until the server listens, for `run` with several workers until `run` returns.
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: the system chooses
  /// Serves https with it. Its `alpn` does not count: what is spoken is http/1.1. Lifetime: until serving has ended.
  const tls_server_context* tls = nullptr;
  int workers = 1;           ///< threads with a loop each; only for `run`
  http::limits limits = {};  ///< sizes; more is answered with 413, 414 or 431
  duration header_timeout =
      std::chrono::seconds(15);                       ///< for a whole head; the first, since accept
  duration idle_timeout = std::chrono::seconds(75);   ///< for the next request
  duration body_timeout = std::chrono::seconds(30);   ///< between two pieces of a body
  duration write_timeout = std::chrono::seconds(30);  ///< for a client that takes nothing
  duration request_timeout = std::chrono::seconds(300);  ///< for a request to arrive whole
  duration shutdown_timeout = std::chrono::seconds(30);  ///< for answers under way, when stopped
  /// After the last answer of a connection, what the client still sends is read and dropped for so
  /// long and so many bytes, or until it closes: closing at once might destroy the answer on its way.
  duration linger_timeout = std::chrono::seconds(2);
  std::uint64_t linger_bytes = 16 * 1024 * 1024;
  std::uint64_t body_bytes_per_second =
      240;                               ///< slower uploads are cut, after 5 s of grace; 0: any
  listening_callback on_listening = {};  ///< called once it accepts connections
};
static_assert(std::is_trivially_destructible_v<serve_options>);

/// Serves until cancelled; then it stops accepting, lets answers under way finish for `shutdown_timeout`,
/// and returns. Errors: those of `listen`. Cancel: shielded while it drains; it then ends normally.
CUVEE_API task<> serve(const app& a, serve_options options = {});
/// For `group::start`: reports the address once it listens.
CUVEE_API task<> serve_ready(started<endpoint> ready, const app& a, serve_options options = {});
/// On a socket that listens already.
CUVEE_API task<> serve(const app& a, tcp_listener listener, serve_options options = {});

/// Blocks and serves with `options.workers` loops, one a thread, until SIGINT or SIGTERM; then as `serve` when
/// cancelled. Returns: the exit status for main: 0 after a clean stop, 1 after an error, reported in one
/// line.
CUVEE_API int run(const app& a, serve_options options = {});

}  // namespace cuvee::inline v0::http
