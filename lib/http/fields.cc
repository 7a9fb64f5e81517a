// SPDX-License-Identifier: MIT
#include "fields.h"

#include <charconv>

namespace cuvee::inline v0::http::detail {

void framing_fields::note_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim_blanks(value.substr(0, comma));
    close_ |= iequal(option, "close");
    keep_alive_ |= iequal(option, "keep-alive");
    upgrade_ |= iequal(option, "upgrade");
    if (comma == value.npos) return;
    value.remove_prefix(comma + 1);
  }
}

void framing_fields::note_length(std::string_view value) noexcept {
  ++lengths_;
  const char* end = value.data() + value.size();
  // Digits only, whatever else from_chars may take.
  if (value.empty() || !all(value, chars::digit)) bad_length_ = true;
  else if (std::from_chars(value.data(), end, length_).ec != std::errc()) bad_length_ = true;
}

void framing_fields::note_coding(std::string_view value) noexcept {
  ++codings_;
  chunked_ = iequal(value, "chunked");
}

refusal framing_fields::settle_framing(head_facts& facts) const noexcept {
  if (lengths_ > 1) return {400, "more than one Content-Length"};
  if (bad_length_) return {400, "Content-Length is not a number"};
  if (codings_ == 0) {
    facts.has_length = true;
    facts.content_length = length_;
    return {};
  }
  if (lengths_ != 0) return {400, "both Content-Length and Transfer-Encoding"};
  if (codings_ > 1) return {400, "more than one Transfer-Encoding"};
  if (facts.minor == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
  if (!chunked_) return {501, "a transfer coding other than chunked"};
  facts.chunked = true;
  return {};
}

}  // namespace cuvee::inline v0::http::detail
