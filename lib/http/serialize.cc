// SPDX-License-Identifier: MIT
#include "serialize.h"

#include "authority.h"
#include "chars.h"
#include "quote.h"

#include <cuvee/base/error.h>
#include <cuvee/http/status.h>

#include <charconv>
#include <chrono>
#include <cstring>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::string_view length_name = "Content-Length: ";
constexpr std::string_view type_name = "Content-Type: ";
constexpr std::string_view chunked_line = "Transfer-Encoding: chunked\r\n";
constexpr std::size_t most_digits = 20;

inline char* put(char* out, std::string_view text) noexcept {
  return copy_bytes(out, text.data(), text.size());
}

// For literals: the size is a constant, so no call is made.
template <std::size_t Size>
inline char* put(char* out, const char (&text)[Size]) noexcept {
  std::memcpy(out, text, Size - 1);
  return out + Size - 1;
}

char* put_two(char* out, unsigned n) noexcept {  // below 100
  *out++ = static_cast<char>('0' + n / 10);
  *out++ = static_cast<char>('0' + n % 10);
  return out;
}

inline char* put_number(char* out, std::uint64_t n) noexcept {
  if (n >= 10 && n < 100) return put_two(out, static_cast<unsigned>(n));
  return std::to_chars(out, out + most_digits, n).ptr;
}

[[gnu::noinline]] char* put_other_status_line(char* out, int status) noexcept {
  out = std::to_chars(put(out, "HTTP/1.1 "), out + most_digits, status).ptr;
  *out++ = ' ';  // stays where there is no phrase (RFC 9112 §4)
  return put(put(out, reason_phrase(status)), "\r\n");
}

char* put_status_line(char* out, int status) noexcept {
  if (status == 200) [[likely]]
    return put(out, "HTTP/1.1 200 OK\r\n");
  switch (status) {
    case 204: return put(out, "HTTP/1.1 204 No Content\r\n");
    case 304: return put(out, "HTTP/1.1 304 Not Modified\r\n");
    case 404: return put(out, "HTTP/1.1 404 Not Found\r\n");
    default: return put_other_status_line(out, status);
  }
}

char* put_connection(char* out, connection_option option) noexcept {
  if (option == connection_option::silent) [[likely]]
    return out;
  switch (option) {
    case connection_option::silent: break;
    case connection_option::keep_alive: return put(out, "Connection: keep-alive\r\n");
    case connection_option::close: return put(out, "Connection: close\r\n");
    case connection_option::upgrade: return put(out, "Connection: Upgrade\r\n");
  }
  return out;
}

[[gnu::always_inline]] inline char* put_framing(char* out, const body_framing& body) noexcept {
  if (body.kind == framing::chunked) return put(out, chunked_line);
  if (body.kind != framing::length) return out;
  out = put(out, length_name);
  out = put_number(out, body.length);
  return put(out, "\r\n");
}

char* put_rest(char* out, std::string_view lines, const headers* fields) noexcept {
  if (!lines.empty()) [[unlikely]]
    out = put(out, lines);
  if (fields) out = put(out, fields->wire());
  return put(out, "\r\n");
}

[[noreturn]] void refuse(std::string_view what, std::string_view detail) {
  throw error(std::make_error_code(std::errc::invalid_argument), "send request", quoted(what),
              detail);
}

}  // namespace

char* write_head(const response_head& head, char* out) noexcept {
  out = put_status_line(out, head.status);
  out = put(out, head.date_line);
  if (!head.content_type.empty()) out = put(put(put(out, type_name), head.content_type), "\r\n");
  out = put_framing(out, head.body);
  out = put_connection(out, head.connection);
  return put_rest(out, head.more_lines, head.fields);
}

std::size_t head_bound(const request_head& head) noexcept {
  return fixed_lines + head.target.size() + head.host.size() + head.more_lines.size() +
         (head.fields ? head.fields->wire().size() : 0);
}

char* write_head(const request_head& head, char* out) {
  if (head.target.empty() || !all(head.target, chars::target))
    refuse(head.target, "a character that is not allowed in a request target");
  if (!is_authority(head.host)) refuse(head.host, "malformed host");
  out = put(out, to_string(head.verb));
  *out++ = ' ';
  out = put(put(out, head.target), " HTTP/1.1\r\nHost: ");
  out = put(put(out, head.host), "\r\n");
  out = put_framing(out, head.body);
  out = put_connection(out, head.connection);
  return put_rest(out, head.more_lines, head.fields);
}

char* write_chunk_header(std::uint64_t size, char* out) noexcept {
  return put(std::to_chars(out, out + 16, size, 16).ptr, "\r\n");
}

// By hand of <chrono>: strftime depends on the locale, gmtime_r takes the time zone's lock.
char* format_http_date(std::time_t when, char* out) noexcept {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::chrono::sys_seconds time{std::chrono::seconds{when}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  out = put(out, days.substr(3 * std::chrono::weekday{day}.c_encoding(), 3));
  out = put_two(put(out, ", "), static_cast<unsigned>(date.day()));
  *out++ = ' ';
  out = put(out, months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3));
  *out++ = ' ';
  out = put_two(put_two(out, year / 100), year % 100);
  *out++ = ' ';
  out = put_two(out, static_cast<unsigned>(clock.hours().count()));
  *out++ = ':';
  out = put_two(out, static_cast<unsigned>(clock.minutes().count()));
  *out++ = ':';
  out = put_two(out, static_cast<unsigned>(clock.seconds().count()));
  return put(out, " GMT");
}

}  // namespace cuvee::inline v0::http::detail
