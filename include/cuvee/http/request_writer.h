// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/core/task.h>
#include <cuvee/http/client_response.h>

#include <memory>

namespace cuvee::inline v0::http {

namespace detail {

struct client_upload;
struct CUVEE_API upload_deleter {
  void operator()(client_upload* u) const noexcept;
};

}  // namespace detail

/// A request of `client::upload`: its body is sent as it is made. `write` and `response` may be awaited side
/// by side, for a server that answers while it still receives. Destroyed before the response was
/// taken, the connection is closed. Move-only.
class CUVEE_API request_writer {
 public:
  using upload_ptr = std::unique_ptr<detail::client_upload, detail::upload_deleter>;
  explicit request_writer(upload_ptr u) noexcept : upload_(std::move(u)) {}

  /// Sends bytes, and waits while more than 64 KiB wait for the server. One write at a time.
  /// Errors: closed if the server is gone or has taken nothing for the client's `read_timeout`, the
  /// exchange is over or the body is finished (a server that refuses a body may have answered:
  /// `response` tells); busy if another write is pending; limit_exceeded beyond the declared
  /// length; timeout_error once the total time has run out. Cancel: partial. Up to 4 KiB are sent all
  /// the same; a larger piece that is cut closes the connection.
  /// Lifetime: the writer and the bytes stay where they are until it ends.
  task<> write(const_bytes bytes);
  /// Ends the body. Errors: busy if a write is pending; end_of_stream if less than the declared length was
  /// written; then the connection is closed.
  void finish();
  /// Waits for the head of the response; most servers answer only after `finish`. Once. A redirect is the
  /// response: the body cannot be sent again. Errors: those of `client`; busy if another call is pending;
  /// closed if the response has been taken. Cancel: safe.
  task<response_stream> response();

 private:
  upload_ptr upload_;
};

}  // namespace cuvee::inline v0::http
