// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/core/task.h>
#include <cuvee/http/headers.h>

#include <cstdint>
#include <optional>
#include <string>

namespace cuvee::inline v0::http {

namespace detail {
class connection;
}

/// A response that is sent as the handler makes it. Without a declared length it is chunked (on HTTP/1.0 its
/// end is the connection's).
/// Lifetime: the handler's.
class CUVEE_API response_writer {
 public:
  explicit response_writer(detail::connection& c) noexcept : connection_(&c) {}
  response_writer(const response_writer&) = delete;
  response_writer& operator=(const response_writer&) = delete;

  // Before the first write:
  response_writer& status(int code) noexcept;
  /// Errors: as `headers::set`.
  response_writer& header(std::string_view name, std::string_view value);
  /// Declares the length. Writing more throws; ending short closes the connection, so the client knows.
  response_writer& content_length(std::uint64_t bytes) noexcept;

  /// Sends bytes, and waits while more than 64 KiB wait for the client. One write at a time.
  /// Errors: closed if the client is gone, has taken nothing for the server's `write_timeout`, or
  /// the response is finished; busy if another write is pending; limit_exceeded beyond a declared
  /// length. Cancel: partial. Up to 4 KiB are sent all the same; a larger piece that is cut closes
  /// the connection.
  task<> write(const_bytes bytes);
  /// Ends the response; the end of the handler does as well.
  void finish();
  bool started() const noexcept { return started_; }

 private:
  friend class detail::connection;
  void start();

  detail::connection* connection_;
  headers headers_;
  std::optional<std::uint64_t> length_;
  std::uint64_t sent_ = 0;
  int status_ = 200;
  bool started_ = false;
  bool finished_ = false;
  bool chunked_ = false;
  bool writing_ = false;
};

}  // namespace cuvee::inline v0::http
