// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cuvee::inline v0::http {

/// An absolute http or https URL, in the normal form that browsers use: lower-case host, no
/// default port, numeric IPv4 hosts in dotted form, no dot segments, percent-encoded where it must
/// be. Two URLs that name the same thing in that form compare equal.
///
/// Like a browser, a backslash counts as a slash and blanks around the text are dropped; unlike
/// one, control characters anywhere are an error. Host names beyond ASCII are an error (write the
/// `xn--` form).
class CUVEE_API url {
 public:
  /// Errors: bad_url, with the text and the reason; user name and password are never shown.
  explicit url(std::string_view text);

  /// What a link `reference` in the document at this URL means: `../x`, `?q`, `//host/`, or a URL
  /// (RFC 3986 §5).
  /// Errors: bad_url, also for other schemes than http and https.
  url resolve(std::string_view reference) const;

  bool is_https() const noexcept { return https_; }
  std::string_view scheme() const noexcept { return https_ ? "https" : "http"; }
  /// Percent-encoded, as it was given; empty if there is none. Not a part of anything below but
  /// `to_string_with_userinfo`.
  const std::string& userinfo() const noexcept { return userinfo_; }
  /// A name, a dotted IPv4 address, or an IPv6 address without its brackets.
  const std::string& host() const noexcept { return host_; }
  bool has_ipv6_host() const noexcept { return ipv6_; }
  /// The port to connect to, 80 or 443 unless the URL says otherwise.
  std::uint16_t port() const noexcept { return port_; }
  /// Begins with a slash.
  const std::string& path() const noexcept { return path_; }
  /// What follows the question mark; without a value if there is none.
  const std::optional<std::string>& query() const noexcept { return query_; }
  const std::optional<std::string>& fragment() const noexcept { return fragment_; }

  /// `host[:port]` as the Host field has it: brackets around IPv6, the default port left out.
  std::string authority() const;
  /// `https://example.com:8443`: what decides whether credentials may be sent along.
  std::string origin() const;
  /// Path and query, as the request line has them.
  std::string target() const;
  /// The whole URL without user name and password.
  std::string to_string() const;
  std::string to_string_with_userinfo() const;

  bool same_origin(const url& other) const noexcept;
  bool operator==(const url& other) const = default;

 private:
  url() = default;
  friend class url_parser;

  std::string userinfo_, host_, path_ = "/";
  std::optional<std::string> query_, fragment_;
  std::uint16_t port_ = 80;
  bool https_ = false, ipv6_ = false;
};

/// `%41` to `A`. A percent sign that no two hexadecimal digits follow stays as it is.
CUVEE_API std::string percent_decode(std::string_view text);

/// Encodes everything but letters, digits and `-._~`, so that the result can stand for one part of
/// a path or one name or value of a query.
CUVEE_API std::string percent_encode(std::string_view text);

/// The names and values of a query string or of a form body
/// (`application/x-www-form-urlencoded`), decoded, in order.
class CUVEE_API query_params {
 public:
  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;

  query_params() = default;
  /// Parses `a=1&b=two+words`; never fails. A name without `=` has an empty value.
  explicit query_params(std::string_view text);

  query_params& add(std::string_view name, std::string_view value);

  /// The first value of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  std::vector<std::string_view> get_all(std::string_view name) const;
  bool contains(std::string_view name) const noexcept { return get(name).has_value(); }
  std::size_t size() const noexcept { return pairs_.size(); }
  bool empty() const noexcept { return pairs_.empty(); }
  const_iterator begin() const noexcept { return pairs_.begin(); }
  const_iterator end() const noexcept { return pairs_.end(); }

  /// Encoded, without a question mark.
  std::string to_string() const;

 private:
  std::vector<value_type> pairs_;
};

}  // namespace cuvee::inline v0::http
