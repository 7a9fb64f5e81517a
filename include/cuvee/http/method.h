// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace cuvee::inline v0::http {

/// The request methods cuvee knows. A server answers 501 to every other one, and to `connect`.
enum class method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  patch,
  options,
  trace,
  connect,
  copy,
  lock,
  mkcol,
  move,
  propfind,
  proppatch,
  search,
  unlock,
  bind,
  rebind,
  unbind,
  acl,
  report,
  mkactivity,
  checkout,
  merge,
  msearch,
  notify,
  subscribe,
  unsubscribe,
  purge,
  mkcalendar,
  link,
  unlink,
};

inline constexpr int method_count = static_cast<int>(method::unlink) + 1;

/// The name on the wire: `GET`, `M-SEARCH`.
CUVEE_API std::string_view to_string(method m) noexcept;

/// The method of that name. Names are case-sensitive (RFC 9110 §9.1).
CUVEE_API std::optional<method> method_from_string(std::string_view name) noexcept;

/// Whether the method is meant to change nothing on the server (RFC 9110 §9.2.1).
CUVEE_API bool is_safe(method m) noexcept;

/// Whether sending the request twice has the effect of sending it once (RFC 9110 §9.2.2).
CUVEE_API bool is_idempotent(method m) noexcept;

}  // namespace cuvee::inline v0::http
