// SPDX-License-Identifier: MIT
#include "policy.h"

#include "authority.h"
#include "chars.h"
#include "fields.h"

#include <algorithm>

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::uint32_t version_line_bytes = 11;  // " HTTP/1.1\r\n"

// Fields that a request has at most one of, or that change what follows.
struct request_fields : framing_fields {
  std::string_view host;
  std::uint32_t hosts = 0;
  bool expect_continue = false, expect_other = false;

  [[gnu::always_inline]] void note(std::string_view name, std::string_view value) {
    const std::uint32_t word = name_word(name.data());
    if (word == literal_word("host")) {
      if (name.size() != 4) return;
      host = value;
      ++hosts;
    } else if (word == literal_word("expe")) {
      if (is_name(name, "expect")) [[unlikely]]
        note_expect(value);
    } else {
      framing_fields::note(name, value);
    }
  }
  [[gnu::noinline]] void note_expect(std::string_view value) noexcept {
    if (iequal(value, "100-continue")) expect_continue = true;
    else expect_other = true;
  }
};

extent extent_of(const head_arena& head, std::string_view part) noexcept {
  return {static_cast<std::uint32_t>(part.data() - head.data()),
          static_cast<std::uint32_t>(part.size())};
}

// ` HTTP/1.x` and the line end, as nearly every request has it.
bool is_usual_version(const char* line) noexcept {
  constexpr char prefix[] = {' ', 'H', 'T', 'T', 'P', '/', '1', '.'};
  std::uint64_t word;
  std::memcpy(&word, line, sizeof word);
  return word == __builtin_bit_cast(std::uint64_t, prefix) && (line[8] == '1' || line[8] == '0') &&
         is_crlf(line + 9);
}

// What is wrong with a version line that is not usual.
refusal refuse_version(const char* line, std::uint32_t size) noexcept {
  const bool whole = size >= version_line_bytes && is_crlf(line + 9);
  const bool versioned = whole && std::memcmp(line, " HTTP/", 6) == 0 && line[7] == '.';
  if (versioned && is(line[6], chars::digit) && is(line[8], chars::digit))
    return {505, "unsupported HTTP version"};
  return {400, "malformed request line"};
}

// Splits an absolute-form target; what is left of `target` begins with the path.
bool take_authority(std::string_view& target, std::string_view& authority) noexcept {
  const std::size_t colon = target.find(':');
  if (colon == target.npos || target.substr(colon, 3) != "://") return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!iequal(scheme, "http") && !iequal(scheme, "https")) return false;
  target.remove_prefix(colon + 3);
  authority = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(authority.size());
  return is_authority(authority);
}

// What follows a path: a query, or a character that has no place there.
[[gnu::noinline]] refusal check_query(const head_arena& head, std::string_view rest,
                                      request_facts& facts) noexcept {
  facts.has_query = rest.front() == '?';
  facts.query = extent_of(head, rest.substr(facts.has_query));
  if (all(rest, chars::target)) return {};
  return {400, "a character that is not allowed in a request target"};
}

// Checks the characters of the path and the query and finds where one ends.
[[gnu::always_inline]] inline refusal check_path(const head_arena& head, extent whole,
                                                 request_facts& facts) noexcept {
  const char* const begin = head.data() + whole.at;
  const char* const end = begin + whole.size;
  const char* at = begin;
  while (at != end && is(*at, chars::path)) ++at;
  facts.path = {whole.at, static_cast<std::uint32_t>(at - begin)};
  if (at == end) [[likely]]
    return {};
  return check_query(head, std::string_view(at, static_cast<std::size_t>(end - at)), facts);
}

// A target that does not begin with a slash.
[[gnu::noinline]] refusal check_other_target(const head_arena& head, const request_line& line,
                                             request_facts& facts) {
  std::string_view target = head.text(line.target.at, line.target.size);
  if (target.empty()) return {400, "empty request target"};
  if (target == "*") {
    if (line.verb != method::options) return {400, "target * with a method other than OPTIONS"};
    facts.path = line.target;
    return {};
  }
  std::string_view authority;
  if (!take_authority(target, authority)) return {400, "malformed request target"};
  facts.authority = extent_of(head, authority);
  return check_path(head, extent_of(head, target), facts);
}

inline refusal check_target(const head_arena& head, const request_line& line,
                            request_facts& facts) {
  if (line.target.size == 0 || head.data()[line.target.at] != '/') [[unlikely]]
    return check_other_target(head, line, facts);
  return check_path(head, line.target, facts);
}

refusal check_host(const head_arena& head, const request_fields& fields, host_memo& memo,
                   request_facts& facts) {
  if (fields.hosts == 0) {
    if (facts.minor == 1) return {400, "no Host"};
    return {};
  }
  if (fields.hosts > 1) return {400, "more than one Host"};
  if (fields.host.empty() || !memo.holds(fields.host)) {
    if (!is_authority(fields.host)) return {400, "malformed Host"};
    memo.keep(fields.host);
  }
  if (facts.authority.size == 0) facts.authority = extent_of(head, fields.host);
  return {};
}

// Whether ` HTTP/` and a version that the tokenizer does not take stand there.
bool names_other_version(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (!text.starts_with("HTTP/") || text.size() < 8 || text[6] != '.') return false;
  if (!is(text[5], chars::digit) || !is(text[7], chars::digit)) return false;
  const std::string_view version = text.substr(5, 3);
  return version != "1.1" && version != "1.0" && version != "0.9" && version != "2.0";
}

}  // namespace

refusal check_request(head_arena& head, const request_line& line, host_memo& memo,
                      request_facts& facts) {
  facts = {};
  if (!line.known_method) return {501, "method not implemented"};
  // One space on either side of the target.
  const char* const target = head.data() + line.target.at;
  if (line.target.at < 2 || target[-1] != ' ' || target[-2] == ' ') [[unlikely]]
    return {400, "malformed request line"};
  const std::size_t version_at = std::size_t{line.target.at} + line.target.size;
  const char* const version = head.data() + version_at;
  if (head.size() < version_at + version_line_bytes || !is_usual_version(version)) [[unlikely]]
    return refuse_version(version, static_cast<std::uint32_t>(head.size() - version_at));
  facts.minor = static_cast<std::uint8_t>(version[8] - '0');
  request_fields fields;
  const bool whole =
      walk_fields(head, version_at + version_line_bytes,
                  [&](std::string_view n, std::string_view v) { fields.note(n, v); });
  if (!whole) return {400, "malformed header field"};
  if (refusal no = fields.settle(facts)) return no;
  if (line.verb == method::connect) return {501, "CONNECT is not implemented"};
  if (refusal no = check_target(head, line, facts)) return no;
  if (refusal no = check_host(head, fields, memo, facts)) return no;
  if (fields.expect_continue | fields.expect_other) [[unlikely]] {
    // HTTP/1.0 has no 100: the field means nothing there (RFC 9110 §10.1.1).
    if (facts.minor == 1 && fields.expect_other) return {417, "unknown expectation"};
    const bool has_body = facts.chunked || facts.content_length != 0;
    facts.expect_continue = facts.minor == 1 && has_body;
  }
  return {};
}

refusal classify_request(std::string_view seen) {
  std::size_t i = 0;
  while (i < seen.size() && is(seen[i], chars::token)) ++i;
  // All token characters: the tokenizer knows that no method begins like this.
  if (i == seen.size() && i != 0) return {501, "method not implemented"};
  if (i == 0 || seen[i] != ' ') return {400, "malformed request line"};
  if (!method_from_string(seen.substr(0, i))) return {501, "method not implemented"};
  std::string_view rest = seen.substr(i);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  if (names_other_version(rest)) return {505, "unsupported HTTP version"};
  const bool in_line = seen.substr(0, seen.size() - 1).find('\n') == seen.npos;
  return {400, in_line ? "malformed request line" : "malformed header field"};
}

}  // namespace cuvee::inline v0::http::detail
