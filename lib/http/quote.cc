// SPDX-License-Identifier: MIT
#include "quote.h"

namespace cuvee::inline v0::http::detail {

std::string quoted(std::string_view text) {
  constexpr std::size_t most = 200;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) out += c;
    else out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  if (text.size() > most) out += "...";
  return out += '"';
}

}  // namespace cuvee::inline v0::http::detail
