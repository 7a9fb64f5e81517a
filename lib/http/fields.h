// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "chars.h"
#include "head.h"

// What request and response policy have in common: the walk over the field lines and the fields
// that decide on framing.

namespace cuvee::inline v0::http::detail {

inline bool is_crlf(const char* at) noexcept {
  std::uint16_t pair;
  std::memcpy(&pair, at, sizeof pair);
  constexpr char crlf[] = {'\r', '\n'};
  return pair == __builtin_bit_cast(std::uint16_t, crlf);
}

/// The fields about framing, as they are met.
class framing_fields {
 public:
  /// Looks at one field; `name` is matched by its length first, as nearly all fields are others.
  void note(std::string_view name, std::string_view value) {
    if (name.size() == 10) {
      if (is_name(name, "connection")) note_connection(value);
    } else if (name.size() == 14) {
      if (is_name(name, "content-length")) note_length(value);
    } else if (name.size() == 17) {
      if (is_name(name, "transfer-encoding")) note_coding(value);
    }
  }
  /// Fills in the facts; `facts.minor` is known by then.
  refusal settle(head_facts& facts) const noexcept {
    facts.keep_alive = !close_ && (facts.minor == 1 || keep_alive_);
    facts.upgrade = upgrade_;
    if ((lengths_ | codings_) == 0) [[likely]]
      return {};
    return settle_framing(facts);
  }

 private:
  void note_connection(std::string_view value) noexcept;
  void note_length(std::string_view value) noexcept;
  void note_coding(std::string_view value) noexcept;
  refusal settle_framing(head_facts& facts) const noexcept;

  std::uint64_t length_ = 0;
  std::uint32_t lengths_ = 0, codings_ = 0;
  bool bad_length_ = false, chunked_ = false;
  bool close_ = false, keep_alive_ = false, upgrade_ = false;
};

/// The place behind the line end of a field line, or 0 if the line is not exactly
/// `name ":" OWS value OWS CRLF` without anything between. Trims the value.
[[gnu::noinline]] inline std::uint32_t check_field_line(const char* text, std::uint32_t end, raw_field& f) noexcept {
  std::uint32_t at = f.name + f.name_size;
  if (f.name_size == 0 || text[at++] != ':') return 0;
  if (f.value_size == 0) [[unlikely]] {
    while (at < end && is_blank(text[at])) ++at;
    f.value = at;
  } else if (at + 1 == f.value && text[at] == ' ') [[likely]] {
    ++at;
  } else {
    while (at < f.value && is_blank(text[at])) ++at;
  }
  if (at != f.value) return 0;
  at += f.value_size;
  if (at + 2 > end || !is_crlf(text + at)) return 0;
  if (f.value_size != 0 && is_blank(text[at - 1])) [[unlikely]] {
    while (f.value_size != 0 && is_blank(text[f.value + f.value_size - 1])) --f.value_size;
  }
  return at + 2;
}

/// Checks that the field lines begin at `at`, touch each other and end the head, and calls
/// `visit(name, value)` for each.
template <class Visit>
bool walk_fields(head_arena& head, std::uint32_t at, Visit&& visit) {
  const char* const text = head.data();
  const std::uint32_t end = head.size(), count = head.field_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    raw_field& f = head.field(i);
    if (f.name != at) return false;
    // `Name: value`, as everybody writes it; `end` leaves room for the line end.
    const std::uint32_t colon = at + f.name_size, after = f.value + f.value_size;
    const bool usual = f.name_size != 0 && f.value_size != 0 && text[colon] == ':' &&
                       text[colon + 1] == ' ' && f.value == colon + 2 &&
                       !is_blank(text[after - 1]) && after + 2 <= end && is_crlf(text + after);
    at = usual ? after + 2 : check_field_line(text, end, f);
    if (at == 0) [[unlikely]] return false;
    visit(std::string_view(text + f.name, f.name_size),
          std::string_view(text + f.value, f.value_size));
  }
  return at + 2 == end && is_crlf(text + at);
}

}  // namespace cuvee::inline v0::http::detail
