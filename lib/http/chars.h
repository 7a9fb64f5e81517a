// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

// Character classes of RFC 9110 and RFC 3986, one bit each in one table, and comparison without
// regard to ASCII case. The C library's <cctype> depends on the locale and is a call per byte.

namespace cuvee::inline v0::http::detail {

namespace chars {
inline constexpr std::uint8_t token = 1;        // RFC 9110 §5.6.2
inline constexpr std::uint8_t field_value = 2;  // VCHAR, obs-text, SP, HTAB
inline constexpr std::uint8_t digit = 4;
inline constexpr std::uint8_t hex = 8;
inline constexpr std::uint8_t reg_name = 16;  // RFC 3986 unreserved and sub-delims
inline constexpr std::uint8_t target = 32;    // visible ASCII but '#'
inline constexpr std::uint8_t alpha = 64;

constexpr std::array<std::uint8_t, 256> make() {
  std::array<std::uint8_t, 256> t{};
  auto mark = [&t](std::string_view set, std::uint8_t bit) {
    for (char c : set) t[static_cast<unsigned char>(c)] |= bit;
  };
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(digits, token | digit | hex | reg_name);
  mark(letters, token | alpha | reg_name);
  mark("abcdefABCDEF", hex);
  mark("!#$%&'*+-.^_`|~", token);
  mark("-._~!$&'()*+,;=", reg_name);
  for (unsigned c = 0x20; c < 256; ++c)
    if (c != 0x7f) t[c] |= field_value;
  t['\t'] |= field_value;
  for (unsigned c = 0x21; c < 0x7f; ++c)
    if (c != '#') t[c] |= target;
  return t;
}

inline constexpr std::array<std::uint8_t, 256> table = make();
}  // namespace chars

constexpr bool is(char c, std::uint8_t classes) noexcept {
  return (chars::table[static_cast<unsigned char>(c)] & classes) != 0;
}

constexpr bool all(std::string_view text, std::uint8_t classes) noexcept {
  for (char c : text)
    if (!is(c, classes)) return false;
  return true;
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool iequal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/// Whether `name` is the field name `lowercase`, of letters and hyphens, whose size it has. For
/// those, and as names hold token characters only, setting one bit is as good as `lower`.
template <std::size_t Size>
constexpr bool is_name(std::string_view name, const char (&lowercase)[Size]) noexcept {
  for (std::size_t i = 0; i + 1 < Size; ++i)
    if ((name[i] | 0x20) != lowercase[i]) return false;
  return true;
}

/// The value of a hexadecimal digit. The caller has checked the class.
constexpr unsigned hex_value(char c) noexcept {
  return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/// Without the spaces and tabs at both ends: RFC 9110's OWS.
constexpr std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace cuvee::inline v0::http::detail
