// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

namespace cuvee::inline v0::http {

/// Thrown by a handler (or by what it awaits), it becomes the response: the status, and `detail` as
/// a short plain text. The peer sees `detail`: no secrets.
class CUVEE_API http_error : public error {
 public:
  explicit http_error(int status, std::string_view detail = {});
  ~http_error() override;

  int status() const noexcept { return status_; }
  /// The text for the peer: `detail`, else the reason phrase.
  const std::string& detail() const noexcept { return subject(); }

 private:
  int status_;
};

}  // namespace cuvee::inline v0::http
