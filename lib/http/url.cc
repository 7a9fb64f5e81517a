// SPDX-License-Identifier: MIT
#include <cuvee/http/url.h>

#include "authority.h"
#include "chars.h"
#include "quote.h"
#include "url_host.h"

#include <cuvee/base/error.h>

#include <algorithm>

namespace cuvee::inline v0::http {

namespace {

// Printable ASCII that each part escapes beside what is not printable; those of WHATWG's URL
// standard for http.
constexpr std::string_view path_escapes = "\"#<>?`{}^";
constexpr std::string_view query_escapes = "\"#<>'";
constexpr std::string_view fragment_escapes = "\"<>`";
constexpr std::string_view userinfo_escapes = "\"#<>?`{}/:;=@[\\]^|";

void escape_into(std::string& out, std::string_view text, std::string_view escapes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7f && escapes.find(c) == escapes.npos;
    if (plain) out += c;
    else out.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
}

std::string_view trim_spaces(std::string_view text) noexcept {
  constexpr std::string_view spaces = " \t\r\n\f";
  const std::size_t first = std::min(text.find_first_not_of(spaces), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

// For error messages: whatever might be a user name and password, in a text that could not be
// parsed, goes up to the last at sign.
std::string without_userinfo(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos) return detail::quoted(text);
  const std::size_t slashes = text.substr(0, at).find("//");
  const std::size_t from = slashes == text.npos ? 0 : slashes + 2;
  return detail::quoted(std::string(text.substr(0, from)) + "***" + std::string(text.substr(at)));
}

// How many dots a path segment consists of if it is "." or "..", counting %2e as one; else 0.
int dot_segment(std::string_view segment) noexcept {
  int dots = 0;
  while (!segment.empty()) {
    const bool escaped = segment.size() > 2 && segment[0] == '%' && segment[1] == '2' &&
                         detail::lower(segment[2]) == 'e';
    if (!escaped && segment[0] != '.') return 0;
    segment.remove_prefix(escaped ? 3 : 1);
    if (++dots > 2) return 0;
  }
  return dots;
}

}  // namespace

/// Parses one text into one url; `text_` is kept for the error.
class url_parser {
 public:
  url_parser(std::string_view operation, std::string_view text)
      : operation_(operation), text_(text), rest_(trim_spaces(text)) {
    for (char c : rest_)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) refuse("a control character");
  }

  url absolute() {
    if (!take_scheme()) refuse("no scheme");
    if (slashes() < 2) refuse("no // after the scheme");
    rest_.remove_prefix(2);
    from_authority();
    return std::move(out_);
  }

  url relative_to(const url& base) {
    if (take_scheme()) {
      if (slashes() < 2) refuse("no // after the scheme");
      rest_.remove_prefix(2);
      from_authority();
      return std::move(out_);
    }
    out_.https_ = base.https_;
    if (slashes() >= 2) {
      rest_.remove_prefix(2);
      from_authority();
      return std::move(out_);
    }
    out_ = base;
    out_.fragment_.reset();
    const std::string_view path = take_path();
    if (!path.empty()) {
      const bool rooted = path.front() == '/' || path.front() == '\\';
      // Relative to the base's folder.
      std::string merged = rooted ? std::string() : base.path_.substr(0, base.path_.rfind('/') + 1);
      set_path(merged.append(path));
      out_.query_.reset();
    }
    take_query_and_fragment();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const char* problem) const {
    throw error(errc::bad_url, operation_, without_userinfo(text_), problem);
  }

  // How many slashes `rest_` begins with, up to two.
  std::size_t slashes() const noexcept {
    std::size_t n = 0;
    while (n < 2 && n < rest_.size() && (rest_[n] == '/' || rest_[n] == '\\')) ++n;
    return n;
  }

  bool take_scheme() {
    std::size_t i = 0;
    auto follows = [](char c) {
      return detail::is(c, detail::chars::alpha | detail::chars::digit) || c == '+' || c == '-' ||
             c == '.';
    };
    while (i < rest_.size() && follows(rest_[i])) ++i;
    if (i == 0 || i == rest_.size() || rest_[i] != ':') return false;
    if (!detail::is(rest_.front(), detail::chars::alpha)) return false;
    const std::string_view scheme = rest_.substr(0, i);
    out_.https_ = detail::iequal(scheme, "https");
    if (!out_.https_ && !detail::iequal(scheme, "http"))
      refuse("only http and https URLs are supported");
    rest_.remove_prefix(i + 1);
    return true;
  }

  void from_authority() {
    const std::size_t end = std::min(rest_.find_first_of("/\\?#"), rest_.size());
    std::string_view authority = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
      set_userinfo(authority.substr(0, at));
      authority.remove_prefix(at + 1);
    }
    set_host_and_port(authority);
    set_path(take_path());
    take_query_and_fragment();
  }

  void set_userinfo(std::string_view text) {
    const std::size_t colon = text.find(':');
    escape_into(out_.userinfo_, text.substr(0, colon), userinfo_escapes);
    if (colon == text.npos) return;
    out_.userinfo_ += ':';
    escape_into(out_.userinfo_, text.substr(colon + 1), userinfo_escapes);
  }

  void set_host_and_port(std::string_view text) {
    const std::size_t literal = text.rfind(']');
    const std::size_t colon = text.find(':', literal == text.npos ? 0 : literal);
    detail::parsed_host host = detail::parse_host(text.substr(0, colon));
    if (host.problem) refuse(host.problem);
    out_.host_ = std::move(host.text);
    out_.ipv6_ = host.ipv6;
    out_.port_ = out_.https_ ? 443 : 80;
    if (colon == text.npos || colon + 1 == text.size()) return;
    std::string_view digits = text.substr(colon + 1);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    const auto port = detail::parse_port(digits);
    if (!port) refuse("malformed port");
    out_.port_ = *port;
  }

  std::string_view take_path() noexcept {
    const std::size_t end = std::min(rest_.find_first_of("?#"), rest_.size());
    const std::string_view path = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return path;
  }

  // Removes dot segments and escapes, segment by segment.
  void set_path(std::string_view text) {
    std::string out;
    bool last = false;
    if (!text.empty() && (text.front() == '/' || text.front() == '\\')) text.remove_prefix(1);
    while (!last) {
      const std::size_t end = text.find_first_of("/\\");
      last = end == text.npos;
      const std::string_view segment = text.substr(0, end);
      if (!last) text.remove_prefix(end + 1);
      const int dots = dot_segment(segment);
      if (dots == 2) out.resize(out.empty() ? 0 : out.rfind('/'));
      if (dots == 0) escape_into(out += '/', segment, path_escapes);
      else if (last) out += '/';
    }
    out_.path_ = std::move(out);
  }

  void take_query_and_fragment() {
    const std::size_t hash = std::min(rest_.find('#'), rest_.size());
    const std::string_view query = rest_.substr(0, hash);
    if (!query.empty()) {
      out_.query_.emplace();
      escape_into(*out_.query_, query.substr(1), query_escapes);
    }
    if (hash == rest_.size()) return;
    out_.fragment_.emplace();
    escape_into(*out_.fragment_, rest_.substr(hash + 1), fragment_escapes);
  }

  std::string_view operation_, text_, rest_;
  url out_;
};

url::url(std::string_view text) : url(url_parser("parse url", text).absolute()) {}

url url::resolve(std::string_view reference) const {
  return url_parser("resolve url", reference).relative_to(*this);
}

std::string url::authority() const {
  std::string out = ipv6_ ? '[' + host_ + ']' : host_;
  if (port_ != (https_ ? 443 : 80)) out.append(1, ':').append(std::to_string(port_));
  return out;
}

std::string url::origin() const { return std::string(scheme()).append("://").append(authority()); }

std::string url::target() const { return query_ ? path_ + '?' + *query_ : path_; }

std::string url::to_string() const {
  std::string out = origin() + target();
  if (fragment_) out.append(1, '#').append(*fragment_);
  return out;
}

std::string url::to_string_with_userinfo() const {
  std::string out = to_string();
  if (!userinfo_.empty()) out.insert(scheme().size() + 3, userinfo_ + '@');
  return out;
}

bool url::same_origin(const url& other) const noexcept {
  return https_ == other.https_ && port_ == other.port_ && host_ == other.host_;
}

}  // namespace cuvee::inline v0::http
