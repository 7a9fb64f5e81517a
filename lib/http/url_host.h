// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace cuvee::inline v0::http::detail {

/// The host of a URL in normal form, or why it is none.
struct parsed_host {
  std::string text;
  bool ipv6 = false;
  const char* problem = nullptr;
};

/// `text` is what stands between user information and port, with the brackets of an IP literal.
parsed_host parse_host(std::string_view text);

}  // namespace cuvee::inline v0::http::detail
