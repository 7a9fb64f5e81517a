// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/body.h>
#include <cuvee/http/headers.h>
#include <cuvee/http/method.h>
#include <cuvee/http/url.h>
#include <cuvee/io/endpoint.h>

#include <optional>
#include <string_view>

namespace cuvee::inline v0::http {

namespace detail {
class connection;
}

/// A request as a server's handler sees it.
/// Lifetime: it and every view of it are valid until the handler has ended.
class CUVEE_API request {
 public:
  explicit request(detail::connection& c) noexcept : connection_(&c) {}
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  http::method method() const noexcept;
  /// As sent: `/path?query`, an absolute URL, or `*`.
  std::string_view target() const noexcept;
  /// The raw path, as sent; `/` for an absolute URL without one.
  std::string_view path() const noexcept;
  /// What follows the question mark, raw; `query_params` decodes it.
  std::string_view raw_query() const noexcept;
  query_params query() const { return query_params(raw_query()); }
  /// `host[:port]` that the client asked for; empty only on HTTP/1.0.
  std::string_view authority() const noexcept;
  /// 0 or 1 of HTTP/1.x.
  int minor_version() const noexcept;

  /// The value of the first field of that name.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  std::size_t header_count() const noexcept;
  header_field header(std::size_t i) const noexcept;
  headers copy_headers() const;

  /// The part of the path that the pattern's `{name}` stands for, decoded; empty for an unknown name.
  std::string param(std::string_view name) const;

  /// The body, to be pulled by the handler. What it leaves is discarded, or the connection closed.
  http::body& body() noexcept;
  bool has_body() const noexcept;
  /// Content-Length, where there is one.
  std::optional<std::uint64_t> content_length() const noexcept;

  endpoint peer() const;
  /// Whether it came over TLS.
  bool is_https() const noexcept;
  /// Whether the client is gone, or has finished sending without waiting for the answer.
  bool disconnected() const noexcept;

 private:
  detail::connection* connection_;
};

}  // namespace cuvee::inline v0::http
