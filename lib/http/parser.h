// SPDX-License-Identifier: MIT
#pragma once
#include "arena.h"
#include "head.h"
#include "policy.h"

#include <cuvee/http/limits.h>

#include <cstddef>
#include <string>

// The parsers of heads. Bodies are decoded in body.h; nothing here does I/O.
//
// One parser serves all messages of a connection, one after another:
//
//   request_parser p(limits);
//   head_step s = p.parse_head(input);     // input without the s.used bytes is what follows
//   // need_more: call again with the bytes that come next; all of `input` was used
//   // failed:    answer p.why().status and close; nothing more can be parsed
//   // complete:  the accessors are good; s.used ends at the first byte of the body
//   p.next();                              // after the body: ready for the next head
//
// The bytes of the head are copied into the parser's arena, once per call: views stay good until
// `next`, `release` or the parser's end, whatever happens to the input.

namespace cuvee::inline v0::http::detail {

/// What requests and responses share. Holds the tokenizer in place, so it does not move.
class head_parser {
 public:
  head_parser(const head_parser&) = delete;
  head_parser& operator=(const head_parser&) = delete;

  /// Whether some bytes of a head have arrived but not all: the header deadline runs.
  bool in_head() const noexcept { return state_ == state::reading && arena_.size() != 0; }
  /// Why parsing failed.
  const refusal& why() const noexcept { return why_; }

  std::uint32_t field_count() const noexcept { return arena_.field_count(); }
  field_view field(std::uint32_t i) const noexcept { return arena_.view(i); }
  /// The value of the first field of that name, in any case; null data if there is none.
  std::string_view find(std::string_view name) const noexcept {
    const std::uint32_t i = arena_.find(name);
    return i == arena_.field_count() ? std::string_view() : arena_.view(i).value;
  }
  /// The fields and text, for `find` from a position and for copying.
  const head_arena& arena() const noexcept { return arena_; }

  /// Makes ready for the next head; keeps a small block for it.
  void next() noexcept;
  bool holds_memory() const noexcept { return arena_.data() != nullptr; }
  /// Like `next`, and gives all memory back: what a connection does when it goes idle.
  void release() noexcept;

 protected:
  enum class kind : std::uint8_t { request, response };
  enum class state : std::uint8_t { reading, complete, failed };
  friend struct tokenizer_events;

  head_parser(kind k, const limits& l) noexcept;
  ~head_parser() = default;

  /// Runs the tokenizer over `input` and appends what it took to the arena. Complete means that
  /// the head is whole, not that it is acceptable.
  inline void restart() noexcept;
  [[gnu::always_inline]] inline head_step tokenize(std::string_view input);
  head_step fail(refusal why) noexcept;
  std::string_view text(extent e) const noexcept { return arena_.text(e.at, e.size); }

  // The tokenizer's own state; parser.cc asserts that it fits.
  static constexpr std::size_t tokenizer_bytes = 128;
  alignas(8) unsigned char tokenizer_[tokenizer_bytes];
  head_arena arena_;
  const limits* limits_;
  std::size_t most_bytes_;          // of a head; what lies beyond is not even looked at
  std::uint32_t most_table_bytes_;  // of the arena's table of fields
  std::uint32_t table_bound_ = 0;   // the arena's, during `tokenize`
  std::uintptr_t origin_ = 0;       // where the arena's text would begin in front of the input
  extent target_;
  refusal why_;
  kind kind_;
  state state_ = state::reading;
  bool in_name_ = false;
  std::uint8_t leading_ = 0;  // bytes of empty lines before the request line

 private:
  bool over_limit() const noexcept;
  head_step give_up(std::string_view input, bool is_http2);
  head_step refuse_again(const std::string& seen);
};

/// Parses request heads. `l` must outlive the parser.
class request_parser : public head_parser {
 public:
  explicit request_parser(const limits& l) noexcept : head_parser(kind::request, l) {}

  head_step parse_head(std::string_view input);

  method verb() const noexcept { return line_.verb; }
  /// As sent: origin-form, absolute-form or `*`.
  std::string_view target() const noexcept { return text(line_.target); }
  /// The raw path, `*` for an asterisk-form target; never empty.
  std::string_view path() const noexcept {
    return facts_.path.size == 0 ? std::string_view("/") : text(facts_.path);
  }
  bool has_query() const noexcept { return facts_.has_query; }
  /// What follows the question mark, raw.
  std::string_view query() const noexcept { return text(facts_.query); }
  /// `host[:port]`: of an absolute-form target, else of Host. Empty only on HTTP/1.0.
  std::string_view authority() const noexcept { return text(facts_.authority); }
  /// 0 or 1: the version is HTTP/1.`minor_version`.
  int minor_version() const noexcept { return facts_.minor; }
  bool keep_alive() const noexcept { return facts_.keep_alive; }
  bool upgrade() const noexcept { return facts_.upgrade; }
  /// The client waits for a 100 before it sends the body.
  bool expect_continue() const noexcept { return facts_.expect_continue; }
  bool has_body() const noexcept { return facts_.chunked || facts_.content_length != 0; }
  body_framing body() const noexcept {
    if (facts_.chunked) return {framing::chunked, 0};
    if (facts_.content_length != 0) return {framing::length, facts_.content_length};
    return {};
  }

 private:
  std::size_t skip_empty_lines(std::string_view input) noexcept;

  request_line line_;
  request_facts facts_;
  host_memo host_;
};

/// Parses response heads. `l` must outlive the parser.
class response_parser : public head_parser {
 public:
  explicit response_parser(const limits& l) noexcept : head_parser(kind::response, l) {}

  /// The method of the request that the next response answers; it decides on the body. Final
  /// responses only take it up after 1xx ones, so it is said once per request.
  void answers(method m) noexcept { asked_ = m; }
  head_step parse_head(std::string_view input);

  int status() const noexcept { return facts_.status; }
  std::string_view reason() const noexcept { return text(facts_.reason); }
  /// 1xx: another head follows. 101 ends HTTP on this connection.
  bool informational() const noexcept { return facts_.status < 200; }
  int minor_version() const noexcept { return facts_.minor; }
  /// False also where only the end of the connection ends the body.
  bool keep_alive() const noexcept {
    return facts_.keep_alive && body().kind != framing::until_close;
  }
  bool upgrade() const noexcept { return facts_.upgrade; }
  body_framing body() const noexcept;
  /// Content-Length, also where there is no body: in the response to HEAD and in a 304.
  bool has_content_length() const noexcept { return facts_.has_length; }
  std::uint64_t content_length() const noexcept { return facts_.content_length; }

 private:
  method asked_ = method::get;
  response_facts facts_;
};

}  // namespace cuvee::inline v0::http::detail
