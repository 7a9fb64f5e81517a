// SPDX-License-Identifier: MIT
#include "authority.h"

#include "chars.h"

#include <arpa/inet.h>

#include <cstring>

namespace cuvee::inline v0::http::detail {

std::optional<ipv6_bytes> parse_ipv6(std::string_view text) noexcept {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return std::nullopt;
  if (std::memchr(text.data(), 0, text.size())) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = 0;
  ipv6_bytes bytes;
  if (inet_pton(AF_INET6, terminated, bytes.data()) != 1) return std::nullopt;
  return bytes;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || !all(text, chars::digit)) return std::nullopt;
  unsigned port = 0;
  for (char c : text) port = port * 10 + static_cast<unsigned>(c - '0');
  if (port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

namespace {

// The length of the longest reg-name at the front of `text`.
std::size_t reg_name_size(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    if (is(text[i], chars::reg_name)) {
      ++i;
    } else if (text[i] == '%' && text.size() - i > 2 && is(text[i + 1], chars::hex) &&
               is(text[i + 2], chars::hex)) {
      i += 3;
    } else {
      break;
    }
  }
  return i;
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  std::size_t host = 0;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == text.npos || !parse_ipv6(text.substr(1, end - 1))) return false;
    host = end + 1;
  } else {
    host = reg_name_size(text);
  }
  if (host == 0) return false;
  if (host == text.size()) return true;
  if (text[host] != ':') return false;
  // "example.com:" is allowed by the grammar: an empty port is the default one.
  return host + 1 == text.size() || parse_port(text.substr(host + 1)).has_value();
}

}  // namespace cuvee::inline v0::http::detail
