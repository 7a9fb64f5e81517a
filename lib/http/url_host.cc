// SPDX-License-Identifier: MIT
#include "url_host.h"

#include "authority.h"
#include "chars.h"

#include <cuvee/http/url.h>

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <optional>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::size_t most_host_bytes = 253;  // RFC 1035; a longer name cannot be looked up

parsed_host refused(const char* problem) { return {{}, false, problem}; }

parsed_host parse_literal(std::string_view text) {
  if (text.size() < 2 || text.back() != ']') return refused("unclosed bracket in the host");
  const auto address = parse_ipv6(text.substr(1, text.size() - 2));
  if (!address) return refused("malformed IPv6 address");
  char printed[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, address->data(), printed, sizeof printed);
  return {printed, true, nullptr};
}

// One part of an IPv4 address as browsers read it: decimal, 0x hexadecimal, 0 octal.
std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  unsigned base = 10;
  if (text.size() > 1 && text[0] == '0') {
    base = lower(text[1]) == 'x' ? 16 : 8;
    text.remove_prefix(base == 16 ? 2 : 1);
  }
  std::uint64_t n = 0;
  for (char c : text) {
    if (!is(c, chars::hex) || hex_value(c) >= base) return std::nullopt;
    n = n * base + hex_value(c);
    if (n > UINT32_MAX) return std::uint64_t{UINT32_MAX} + 1;
  }
  return n;
}

// Whether a browser would take the host for an IPv4 address: its last label is a number.
bool ends_in_number(std::string_view host) noexcept {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (last.empty()) return false;
  if (all(last, chars::digit)) return true;
  return last.size() > 1 && last[0] == '0' && lower(last[1]) == 'x' && parse_number(last);
}

parsed_host parse_ipv4(std::string_view host) {
  constexpr const char* problem = "malformed IPv4 address";
  if (host.back() == '.') host.remove_suffix(1);
  std::array<std::uint64_t, 4> parts{};
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    const std::size_t dot = host.find('.');
    const auto n = parse_number(host.substr(0, dot));
    if (dot == 0 || host.empty() || !n || count == parts.size()) return refused(problem);
    parts[count] = *n;
    more = dot != host.npos;
    if (more) host.remove_prefix(dot + 1);
  }
  // The last part fills all the bytes that the others leave.
  std::uint64_t address = parts[count - 1];
  if (address >= std::uint64_t{1} << 8 * (5 - count)) return refused(problem);
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (parts[i] > 255) return refused(problem);
    address |= parts[i] << 8 * (3 - i);
  }
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string(address >> shift & 255);
  }
  return {std::move(text), false, nullptr};
}

}  // namespace

parsed_host parse_host(std::string_view text) {
  if (text.empty()) return refused("no host");
  if (text.front() == '[') return parse_literal(text);
  std::string host = percent_decode(text);
  for (char& c : host) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return refused("host names beyond ASCII are not supported");
    if (!is(c, chars::reg_name)) return refused("a character that is not allowed in a host");
    c = lower(c);
  }
  if (ends_in_number(host)) return parse_ipv4(host);
  if (host.size() > most_host_bytes) return refused("host name too long");
  if (host == ".") return refused("no host");
  return {std::move(host), false, nullptr};
}

}  // namespace cuvee::inline v0::http::detail
