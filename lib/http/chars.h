// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

// Character classes of RFC 9110 and RFC 3986, one bit each in one table, and comparison with and
// without regard to ASCII case. The C library's <cctype> depends on the locale and is a call per byte.

namespace cuvee::inline v0::http::detail {

namespace chars {
inline constexpr std::uint8_t token = 1;        // RFC 9110 §5.6.2
inline constexpr std::uint8_t field_value = 2;  // VCHAR, obs-text, SP, HTAB
inline constexpr std::uint8_t digit = 4;
inline constexpr std::uint8_t hex = 8;
inline constexpr std::uint8_t reg_name = 16;  // RFC 3986 unreserved and sub-delims
inline constexpr std::uint8_t target = 32;    // visible ASCII but '#'
inline constexpr std::uint8_t alpha = 64;
inline constexpr std::uint8_t path = 128;  // of a target: what is before the query

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
    if (c != '#') t[c] |= c == '?' ? target : target | path;
  return t;
}

inline constexpr std::array<std::uint8_t, 256> table = make();
}  // namespace chars

/// The bytes at `at` as an integer, whatever their alignment.
template <class Word>
inline Word load(const char* at) noexcept {
  Word w;
  std::memcpy(&w, at, sizeof w);
  return w;
}

/// Whether both hold the same `size` bytes. What is compared on every request is short, and the
/// call of memcmp costs more than that.
inline bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
  if (size < sizeof(std::uint64_t)) {
    for (std::size_t i = 0; i < size; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }
  const std::size_t last = size - sizeof(std::uint64_t);
  for (std::size_t i = 0; i < last; i += sizeof(std::uint64_t))
    if (load<std::uint64_t>(a + i) != load<std::uint64_t>(b + i)) return false;
  return load<std::uint64_t>(a + last) == load<std::uint64_t>(b + last);  // may overlap
}

/// Copies between `Half` and twice as many bytes, as two words that may overlap.
template <std::size_t Half>
inline void copy_halves(char* out, const char* from, std::size_t size) noexcept {
  struct half {
    char bytes[Half];
  };
  const half first = load<half>(from), last = load<half>(from + size - Half);
  std::memcpy(out, &first, Half);
  std::memcpy(out + size - Half, &last, Half);
}

/// memcpy without a call for the usual sizes; returns the end of the copy.
inline char* copy_bytes(char* out, const char* from, std::size_t size) noexcept {
  if (size >= 8 && size <= 16) copy_halves<8>(out, from, size);
  else if (size >= 32 && size <= 64) copy_halves<32>(out, from, size);
  else if (size != 0) std::memcpy(out, from, size);
  return out + size;
}

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

/// Whether `name` is the field name `lowercase`, of letters and hyphens. For those, and as names hold token characters only, setting one bit is as good as `lower`.
template <std::size_t Size>
inline bool is_name(std::string_view name, const char (&lowercase)[Size]) noexcept {
  if (name.size() != Size - 1) return false;
  using word = std::conditional_t<(Size > sizeof(std::uint64_t)), std::uint64_t, std::uint32_t>;
  constexpr std::size_t bytes = Size - 1;
  static_assert(bytes >= sizeof(word));
  constexpr word bits = static_cast<word>(0x2020202020202020);
  for (std::size_t i = 0;; i += sizeof(word)) {
    if (i > bytes - sizeof(word)) i = bytes - sizeof(word);  // the last word overlaps
    if ((load<word>(name.data() + i) | bits) != load<word>(lowercase + i)) return false;
    if (i == bytes - sizeof(word)) return true;
  }
}

/// The first four characters of a field name, as `is_name` compares; of a literal in lower case.
inline std::uint32_t name_word(const char* name) noexcept {
  return load<std::uint32_t>(name) | 0x20202020;
}
constexpr std::uint32_t literal_word(const char (&lowercase)[5]) noexcept {
  const std::array<char, 4> c{lowercase[0], lowercase[1], lowercase[2], lowercase[3]};
  return __builtin_bit_cast(std::uint32_t, c);
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
