// SPDX-License-Identifier: MIT
#include "chars.h"
#include "fields.h"
#include "policy.h"

namespace cuvee::inline v0::http::detail {

namespace {

constexpr std::uint32_t code_at = 9, code_end = 12;  // "HTTP/1.1 200"

refusal check_status_line(std::string_view line, response_facts& facts) noexcept {
  if (line.size() < code_end || line.substr(0, 5) != "HTTP/" || line[6] != '.' || line[8] != ' ')
    return {502, "malformed status line"};
  if (line[5] != '1' || (line[7] != '0' && line[7] != '1'))
    return {502, "unsupported HTTP version"};
  facts.minor = static_cast<std::uint8_t>(line[7] - '0');
  unsigned code = 0;
  for (char c : line.substr(code_at, 3)) {
    if (!is(c, chars::digit)) return {502, "malformed status code"};
    code = code * 10 + static_cast<unsigned>(c - '0');
  }
  if (code < 100) return {502, "malformed status code"};
  facts.status = static_cast<std::uint16_t>(code);
  std::string_view reason = line.substr(code_end);
  // The space before an empty phrase is often left out; nothing can be hidden there.
  if (reason.empty()) return {};
  if (reason.front() != ' ') return {502, "malformed status line"};
  reason.remove_prefix(1);
  if (!all(reason, chars::field_value)) return {502, "a control character in the reason phrase"};
  facts.reason = {code_end + 1, static_cast<std::uint32_t>(reason.size())};
  return {};
}

}  // namespace

refusal check_response(head_arena& head, response_facts& facts) {
  facts = {};
  const std::uint32_t fields_at = head.field_count() ? head.field(0).name : head.size() - 2;
  if (fields_at < 2 || !is_crlf(head.data() + fields_at - 2)) return {502, "malformed status line"};
  if (refusal no = check_status_line(head.text(0, fields_at - 2), facts)) return no;
  framing_fields fields;
  const bool whole = walk_fields(
      head, fields_at, [&](std::string_view n, std::string_view v) { fields.note(n, v); });
  if (!whole) return {502, "malformed header field"};
  refusal no = fields.settle(facts);
  if (no) no.status = 502;
  return no;
}

}  // namespace cuvee::inline v0::http::detail
