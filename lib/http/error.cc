// SPDX-License-Identifier: MIT
#include <cuvee/http/error.h>
#include <cuvee/http/status.h>

namespace cuvee::inline v0::http {

http_error::http_error(int status, std::string_view detail)
    : error(errc::protocol, "http " + std::to_string(status),
            detail.empty() ? reason_phrase(status) : detail),
      status_(status) {}
http_error::~http_error() = default;

}  // namespace cuvee::inline v0::http
