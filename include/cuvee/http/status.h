// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <string_view>

namespace cuvee::inline v0::http {

/// The reason phrase of a registered status code; empty for any other.
CUVEE_API std::string_view reason_phrase(int status) noexcept;

/// Whether a response of that status never has a body: 1xx, 204 and 304 (RFC 9110 §6.4.1).
constexpr bool is_bodyless(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

/// Whether a response of that status is an answer: neither interim (1xx) nor out of range.
constexpr bool is_final(int status) noexcept { return status >= 200 && status <= 999; }

}  // namespace cuvee::inline v0::http
