// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/body.h>
#include <cuvee/http/headers.h>
#include <cuvee/http/url.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cuvee::inline v0::http {

namespace detail {

struct response_record;
class download;

struct CUVEE_API response_deleter {
  void operator()(response_record* r) const noexcept;
  void operator()(download* d) const noexcept;
};

}  // namespace detail

/// What the head of a response says. Lifetime of every view: the response's.
class CUVEE_API received_head {
 public:
  int status() const noexcept;
  /// Whether the status is 2xx.
  bool ok() const noexcept { return status() / 100 == 2; }
  /// What follows the status, as sent; often empty.
  std::string_view reason() const noexcept;
  /// 0 or 1 of HTTP/1.x.
  int minor_version() const noexcept;
  /// The value of the first field of that name.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// All fields; made of the head at the first call.
  const http::headers& headers() const;
  /// The URL that answered: the last one after redirects.
  const http::url& url() const noexcept;

 protected:
  using record_ptr = std::unique_ptr<detail::response_record, detail::response_deleter>;
  explicit received_head(record_ptr r) noexcept : record_(std::move(r)) {}

  record_ptr record_;
};

/// A response with its whole body.
class CUVEE_API client_response : public received_head {
 public:
  explicit client_response(record_ptr r) noexcept : received_head(std::move(r)) {}

  const std::string& body() const& noexcept;
  std::string body() && noexcept;
};

/// A response whose body is still to be read. Read to its end, the connection goes back to the
/// client; destroyed before, it is closed.
class CUVEE_API response_stream : public received_head {
 public:
  using download_ptr = std::unique_ptr<detail::download, detail::response_deleter>;
  response_stream(record_ptr r, download_ptr d) noexcept;

  /// The body. Its errors: end_of_stream if it was cut short, protocol, limit_exceeded,
  /// timeout_error, those of the connection; all name the request.
  http::body& body() noexcept;

 private:
  download_ptr download_;
};

}  // namespace cuvee::inline v0::http
