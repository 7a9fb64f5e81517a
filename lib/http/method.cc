// SPDX-License-Identifier: MIT
#include <cuvee/http/method.h>

#include <array>

namespace cuvee::inline v0::http {

namespace {

constexpr std::array<std::string_view, method_count> names = {
    "GET",         "HEAD",       "POST",       "PUT",   "DELETE",   "PATCH",  "OPTIONS",
    "TRACE",       "CONNECT",    "COPY",       "LOCK",  "MKCOL",    "MOVE",   "PROPFIND",
    "PROPPATCH",   "SEARCH",     "UNLOCK",     "BIND",  "REBIND",   "UNBIND", "ACL",
    "REPORT",      "MKACTIVITY", "CHECKOUT",   "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE",
    "UNSUBSCRIBE", "PURGE",      "MKCALENDAR", "LINK",  "UNLINK"};

}  // namespace

std::string_view to_string(method m) noexcept { return names[static_cast<std::size_t>(m)]; }

std::optional<method> method_from_string(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<method>(i);
  return std::nullopt;
}

bool is_safe(method m) noexcept {
  switch (m) {
    case method::get:
    case method::head:
    case method::options:
    case method::trace:
    case method::propfind:
    case method::search:
    case method::report: return true;
    default: return false;
  }
}

bool is_idempotent(method m) noexcept {
  switch (m) {
    case method::put:
    case method::delete_:
    case method::copy:
    case method::move:
    case method::mkcol:
    case method::proppatch:
    case method::unlock:
    case method::bind:
    case method::rebind:
    case method::unbind:
    case method::acl:
    case method::mkactivity:
    case method::checkout:
    case method::merge:
    case method::mkcalendar:
    case method::link:
    case method::unlink: return true;
    default: return is_safe(m);
  }
}

}  // namespace cuvee::inline v0::http
