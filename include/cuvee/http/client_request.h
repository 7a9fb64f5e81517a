// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/headers.h>
#include <cuvee/http/method.h>
#include <cuvee/http/url.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cuvee::inline v0::http {

/// A request for a `client` to send. Host, User-Agent, Accept, Content-Length and the connection's
/// fields are written by the client; the first three can be set here instead.
class client_request {
 public:
  /// Errors: bad_url.
  client_request(http::method m, std::string_view target) : client_request(m, http::url(target)) {}
  client_request(http::method m, http::url target) : url_(std::move(target)), method_(m) {}

  /// Replaces a field. Errors: as `headers::set`.
  client_request& header(std::string_view name, std::string_view value) {
    headers_.set(name, value);
    return *this;
  }
  /// Replaces all fields.
  client_request& headers(http::headers fields) {
    headers_ = std::move(fields);
    return *this;
  }
  /// The body; an empty one is sent as Content-Length: 0.
  client_request& body(std::string text) {
    body_ = std::move(text);
    return *this;
  }
  client_request& content_type(std::string_view type) { return header("Content-Type", type); }
  /// The largest response body to accept, instead of the client's limit.
  client_request& max_body(std::uint64_t bytes) {
    max_body_ = bytes;
    return *this;
  }

  http::method method() const noexcept { return method_; }
  const http::url& url() const noexcept { return url_; }
  const http::headers& headers() const noexcept { return headers_; }
  const std::optional<std::string>& body() const noexcept { return body_; }
  /// Gives the body up.
  std::optional<std::string> take_body() && noexcept { return std::exchange(body_, std::nullopt); }
  const std::optional<std::uint64_t>& max_body() const noexcept { return max_body_; }

 private:
  http::url url_;
  http::headers headers_;
  std::optional<std::string> body_;
  std::optional<std::uint64_t> max_body_;
  http::method method_;
};

}  // namespace cuvee::inline v0::http
