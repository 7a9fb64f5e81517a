// SPDX-License-Identifier: MIT
#include <cuvee/http/url.h>

#include "chars.h"

#include <algorithm>

namespace cuvee::inline v0::http {

namespace {

bool is_unreserved(char c) noexcept {
  return detail::is(c, detail::chars::alpha | detail::chars::digit) || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && text.size() - i > 2 &&
                        detail::is(text[i + 1], detail::chars::hex) &&
                        detail::is(text[i + 2], detail::chars::hex);
    if (escape) {
      out +=
          static_cast<char>(detail::hex_value(text[i + 1]) << 4 | detail::hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string percent_decode(std::string_view text) { return decode(text, false); }

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c)) out += c;
    else out.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return out;
}

query_params::query_params(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    if (!pair.empty()) {
      const std::size_t equals = std::min(pair.find('='), pair.size());
      const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
      pairs_.emplace_back(decode(pair.substr(0, equals), true), decode(value, true));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

query_params& query_params::add(std::string_view name, std::string_view value) {
  pairs_.emplace_back(name, value);
  return *this;
}

std::optional<std::string_view> query_params::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : pairs_)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<std::string_view> query_params::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : pairs_)
    if (key == name) values.push_back(value);
  return values;
}

std::string query_params::to_string() const {
  std::string out;
  for (const auto& [key, value] : pairs_) {
    if (!out.empty()) out += '&';
    out.append(percent_encode(key)).append(1, '=').append(percent_encode(value));
  }
  return out;
}

}  // namespace cuvee::inline v0::http
