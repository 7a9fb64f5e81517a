// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "chars.h"
#include "head.h"

namespace cuvee::inline v0::http::detail {

/// The start line as the tokenizer saw it.
struct request_line {
  bool known_method = false;
  method verb = method::get;
  extent target;
};

/// The last Host that was found well-formed: on one connection it is nearly always the same, and
/// the comparison costs a tenth of the check.
class host_memo {
 public:
  bool holds(std::string_view host) const noexcept {
    return host.size() == size_ && same_bytes(host.data(), text_, size_);
  }
  void keep(std::string_view host) noexcept {
    if (host.size() > sizeof text_) return;
    std::memcpy(text_, host.data(), host.size());
    size_ = static_cast<std::uint8_t>(host.size());
  }

 private:
  std::uint8_t size_ = 0;
  char text_[47];
};

/// Decides on a whole request head, from nothing but its bytes and the places of its tokens: every
/// byte between two tokens is accounted for, so bare line feeds, folded lines and stray blanks end
/// here whatever the tokenizer lets through. Trims the values in the arena.
refusal check_request(head_arena& head, const request_line& line, host_memo& memo,
                      request_facts& facts);

/// The same for a response head.
refusal check_response(head_arena& head, response_facts& facts);

/// The status for a request head that the tokenizer gave up on. `seen` ends with the byte it
/// did not take.
refusal classify_request(std::string_view seen);

}  // namespace cuvee::inline v0::http::detail
