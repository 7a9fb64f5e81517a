// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/headers.h>

#include <string>
#include <string_view>
#include <utility>

namespace cuvee::inline v0::http {

/// A complete response of a handler. Date, Content-Length and the connection's fields are the server's to
/// write; Content-Type is text/plain unless a header says otherwise.
class response {
 public:
  response() = default;
  response(std::string body) : body_(std::move(body)) {}
  response(std::string_view body) : body_(body) {}
  response(const char* body) : body_(body) {}
  response(int status, std::string body) : body_(std::move(body)), status_(status) {}
  explicit response(int status) : status_(status) {}

  response& status(int code) {
    status_ = code;
    return *this;
  }
  response& body(std::string text) {
    body_ = std::move(text);
    return *this;
  }
  /// Errors: as `headers::set`.
  response& header(std::string_view name, std::string_view value) {
    headers_.set(name, value);
    return *this;
  }
  response& content_type(std::string_view type) { return header("Content-Type", type); }

  int status() const noexcept { return status_; }
  const std::string& body() const& noexcept { return body_; }
  std::string& body() & noexcept { return body_; }
  const http::headers& headers() const noexcept { return headers_; }
  http::headers& headers() noexcept { return headers_; }

 private:
  http::headers headers_;
  std::string body_;
  int status_ = 200;
};

}  // namespace cuvee::inline v0::http
