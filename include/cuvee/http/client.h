// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/core/time.h>
#include <cuvee/http/client_request.h>
#include <cuvee/http/client_response.h>
#include <cuvee/http/limits.h>
#include <cuvee/http/request_writer.h>
#include <cuvee/io/tls_context.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace cuvee::inline v0 {
class resolver;
}

namespace cuvee::inline v0::http {

/// What a client does with a redirect: goes after it, or returns it as the response.
enum class on_redirect : std::uint8_t { follow, give_back };

struct client_options {
  http::limits limits = response_limits();  ///< of heads, and of bodies that are read whole
  duration connect_timeout = std::chrono::seconds(10);  ///< lookup and connecting
  duration pool_timeout = std::chrono::seconds(30);     ///< waiting for a free connection
  duration header_timeout = std::chrono::seconds(60);   ///< from sending to the end of the head
  duration read_timeout = std::chrono::seconds(60);     ///< between two pieces of a body
  duration total_timeout = std::chrono::seconds(300);   ///< from the call to the end of the body
  std::size_t max_connections = 100;                    ///< in all, idle ones included
  std::size_t max_connections_per_host = 16;
  duration idle_timeout = std::chrono::seconds(15);  ///< unless the server's Keep-Alive says else
  /// What https connections are made with; `default_tls_client()` if there is none. Its `alpn` does not count.
  /// Lifetime: the client's.
  const tls_client_context* tls = nullptr;
  resolver* names = nullptr;  ///< looks hosts up, if given. Lifetime: the client's.
  on_redirect redirects = on_redirect::follow;
  int max_redirects = 10;  ///< one more is the error too_many_redirects
};
static_assert(std::is_trivially_destructible_v<client_options>);

namespace detail {

class client_state;
struct CUVEE_API client_deleter {
  void operator()(client_state* s) const noexcept;
};

}  // namespace detail

/// An HTTP client: a pool of keep-alive connections and a set of limits. Move-only.
///
/// Redirects are followed as browsers do: after 301, 302 and 303 a POST becomes a GET, 307 and 308
/// keep method and body; https never leads to http. Authorization, Cookie and Proxy-Authorization
/// are not sent to another origin than they were given for. User name and password of the URL are
/// sent as basic Authorization.
///
/// An idempotent request that meets a connection the server has closed meanwhile is sent once
/// more. Any other failure, timeout or cancel closes the connection of the exchange.
///
/// Errors of all requests, each with method and URL (without user name and password): bad_url;
/// those of `connect`; `tls_errc`; timeout_error, which says what took too long; protocol for a malformed
/// response; end_of_stream for one cut short; limit_exceeded; too_many_redirects; closed.
/// Cancel of all requests: what was sent is sent; the connection is closed.
/// Lifetime: the client must outlive its requests; responses may outlive the client.
class CUVEE_API client {
 public:
  explicit client(const client_options& options = {});
  client(client&&) noexcept = default;
  client& operator=(client&&) noexcept = default;
  ~client() = default;  ///< closes idle connections

  /// GET, with the whole body. Cancel: see above.
  [[nodiscard]] task<client_response> get(std::string target);
  /// Lifetime: `target` lives until the task ends.
  [[nodiscard]] task<client_response> get(const url& target);
  /// Any request, with the whole body of the response. Cancel: see above.
  [[nodiscard]] task<client_response> fetch(client_request r);
  /// Any request; returns when the head of the response is there. No limit but `max_body` holds
  /// for the body. Cancel: see above.
  [[nodiscard]] task<response_stream> open(client_request r);
  /// Any request, whose body is then written piece by piece: with Content-Length if `length` says how
  /// much it will be, else chunked. Returns once the head is sent. Cancel: see above.
  /// Lifetime: the client's, until the response is there.
  [[nodiscard]] task<request_writer> upload(client_request r,
                                            std::optional<std::uint64_t> length = {});

  /// Connections that wait for the next request.
  std::size_t idle_connections() const noexcept;
  /// Connections in all, those being made included.
  std::size_t connections() const noexcept;

 private:
  std::unique_ptr<detail::client_state, detail::client_deleter> state_;
};

/// The client that the free functions use: made at its first use in a loop's main task, gone when
/// that ends.
CUVEE_API client& default_client();

/// `client::get` on the default client. Cancel: as there.
[[nodiscard]] CUVEE_API task<client_response> get(std::string target);
/// `client::fetch` on the default client. Cancel: as there.
[[nodiscard]] CUVEE_API task<client_response> fetch(client_request r);
/// `client::open` on the default client. Cancel: as there.
[[nodiscard]] CUVEE_API task<response_stream> open(client_request r);
/// `client::upload` on the default client. Cancel: as there.
[[nodiscard]] CUVEE_API task<request_writer> upload(client_request r,
                                                    std::optional<std::uint64_t> length = {});

}  // namespace cuvee::inline v0::http
