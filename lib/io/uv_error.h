// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>

namespace cuvee::inline v0::detail {

/// A negative libuv status as a code: errno, end_of_stream, or of name lookup.
std::error_code uv_code(int status) noexcept;

inline error uv_error(int status, std::string_view operation, std::string_view subject = {}) {
  return error(uv_code(status), operation, subject);
}

}  // namespace cuvee::inline v0::detail
