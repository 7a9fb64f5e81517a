// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "chars.h"
#include "head.h"

// What request and response policy have in common: the walk over the field lines and the fields
// that decide on framing.

namespace cuvee::inline v0::http::detail {

/// Whether the two characters stand there.
inline bool is_pair(const char* at, const char (&pair)[3]) noexcept {
  return load<std::uint16_t>(at) == load<std::uint16_t>(pair);
}
inline bool is_crlf(const char* at) noexcept { return is_pair(at, "\r\n"); }

/// The fields about framing, as they are met.
class framing_fields {
 public:
  /// Looks at one field. Nearly all are others, and their first four characters tell; whoever
  /// calls this knows that a whole line stands there. The marks keep the calls out of the loop
  /// over the fields, which then needs no stack.
  [[gnu::always_inline]] void note(std::string_view name, std::string_view value) {
    switch (name_word(name.data())) {
      case literal_word("conn"):
        if (is_name(name, "connection")) [[unlikely]]
          note_connection(value);
        break;
      case literal_word("cont"):
        if (is_name(name, "content-length")) [[unlikely]]
          note_length(value);
        break;
      case literal_word("tran"):
        if (is_name(name, "transfer-encoding")) [[unlikely]]
          note_coding(value);
        break;
      default: break;
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
[[gnu::noinline]] inline std::uint32_t check_field_line(const char* text, std::uint32_t end,
                                                        raw_field& f) noexcept {
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
bool walk_fields(head_arena& head, std::size_t at, Visit&& visit) {
  const char* const text = head.data();
  const std::uint32_t end = head.size();
  const raw_field* const last = head.fields_begin();
  for (raw_field* f = head.fields_end(); f != last;) {
    --f;
    const std::size_t name_size = f->name_size;
    if (f->name != static_cast<std::uint32_t>(at) || name_size == 0) [[unlikely]]
      return false;
    // `Name: value`, as everybody writes it. No token reaches beyond the text, and the table lies
    // behind it, so the two bytes after a value can be read; if they are not in the text, `at`
    // ends up beyond its end. An empty value would end with the blank before it.
    const std::size_t value = at + name_size + 2, after = value + f->value_size;
    std::size_t next = after + 2;
    if (f->value != static_cast<std::uint32_t>(value) || !is_pair(text + value - 2, ": ") ||
        static_cast<unsigned char>(text[after - 1]) <= ' ' || !is_crlf(text + after)) [[unlikely]] {
      next = check_field_line(text, end, *f);
      if (next == 0) return false;
    }
    visit(std::string_view(text + at, name_size), std::string_view(text + f->value, f->value_size));
    at = next;
  }
  return at + 2 == end && is_crlf(text + at);
}

}  // namespace cuvee::inline v0::http::detail
