// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/core/waiter.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace cuvee::inline v0::http {

namespace detail {

/// Where a body comes from: a server's or a client's connection.
struct body_source {
  /// Whether a chunk, the end or an error is there to take.
  virtual bool poll() = 0;
  virtual void wait(waiter& w) = 0;
  virtual void stop_waiting() noexcept = 0;
  /// The next chunk, nothing at the end. Throws what went wrong.
  virtual std::optional<std::string_view> take() = 0;

 protected:
  ~body_source() = default;
};

}  // namespace detail

class CUVEE_API next_chunk_awaiter {
 public:
  explicit next_chunk_awaiter(detail::body_source& source) noexcept : source_(&source) {}
  bool await_ready() { return source_->poll(); }
  void await_suspend(waiter& w) { source_->wait(w); }
  bool await_cancel(waiter&) noexcept {
    source_->stop_waiting();
    return true;
  }
  std::optional<std::string_view> await_resume() { return source_->take(); }

 private:
  detail::body_source* source_;
};

/// The body of a message, pulled piece by piece; not pulling stops the peer. The same for a server's
/// requests and a client's responses.
class CUVEE_API body {
 public:
  explicit body(detail::body_source& source) noexcept : source_(&source) {}

  /// Returns: the next piece, decoded from its framing and good until the next call; nothing at the
  /// end. Errors: http_error (a server answers with its status) for a broken or too large body; the
  /// connection's own; timeout_error. Cancel: safe, no byte is lost.
  [[nodiscard]] next_chunk_awaiter next() { return next_chunk_awaiter(*source_); }

  /// All of it. Errors: as `next`, and limit_exceeded beyond `most_bytes`. Cancel: what was read is lost.
  task<std::string> text(std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());

 private:
  detail::body_source* source_;
};

}  // namespace cuvee::inline v0::http
