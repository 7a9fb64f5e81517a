// SPDX-License-Identifier: MIT
#pragma once
#include "cuts.h"

#include "http/authority.h"
#include "http/body.h"
#include "http/chars.h"
#include "http/parser.h"

#include <string>
#include <vector>

namespace cuvee::fuzz {

using namespace cuvee::http;
using namespace cuvee::http::detail;

/// All that can be told of a stream of messages from outside, as one text.
template <class Parser>
class message_log {
 public:
  explicit message_log(const limits& l) : limits_(l), parser_(limits_) {}

  void feed(std::string_view in) {
    while (!in.empty() && !failed_) in.remove_prefix(in_body_ ? take_body(in) : take_head(in));
  }
  std::string finish() {
    if (in_body_ && !failed_) {
      text_ += body_.finish() == progress::complete ? " closed" : " cut short";
    }
    return std::move(text_);
  }

 private:
  std::size_t take_head(std::string_view in) {
    const head_step s = parser_.parse_head(in);
    require(s.used <= in.size(), "used no more than was given");
    if (s.state == progress::failed) return fail(parser_.why(), in.size());
    if (s.state == progress::need_more) {
      require(s.used == in.size(), "all used when more is needed");
      return s.used;
    }
    text_ += "\n";
    note(parser_);
    for (std::uint32_t i = 0; i < parser_.field_count(); ++i) note(parser_.field(i));
    begin_body();
    return s.used;
  }

  void begin_body() {
    const body_framing framing = parser_.body();
    body_.begin(framing, limits_, limits_.body_bytes);
    text_ += " body:";
    if (body_.state() == progress::failed) fail(body_.why(), 0);
    else if (body_.complete()) end();
    else in_body_ = true;
  }

  std::size_t take_body(std::string_view in) {
    std::string buffer(in);
    const body_step s = body_.decode(buffer, buffer.data());
    require(s.used <= in.size() && s.produced <= s.used, "no more produced than used");
    text_.append(buffer, 0, s.produced);
    if (s.state == progress::failed) return fail(body_.why(), in.size());
    if (s.state == progress::complete) {
      const head_arena& trailers = body_.trailers();
      for (std::uint32_t i = 0; i < trailers.field_count(); ++i) note(trailers.view(i));
      end();
    }
    return s.used;
  }

  std::size_t fail(const refusal& why, std::size_t used) {
    failed_ = true;
    require(why.cause != nullptr && why.status >= 400, "a refusal has a status and a cause");
    text_ += " refused " + std::to_string(why.status);
    return used;
  }

  void end() {
    in_body_ = false;
    if (parser_.keep_alive()) parser_.next();
    else failed_ = true;
  }

  void note(const field_view& f) {
    require(!f.name.empty(), "a field has a name");
    for (char c : f.value) require(is(c, chars::field_value), "no control character in a value");
    for (char c : f.name) require(is(c, chars::token), "names are tokens");
    text_.append(" [").append(f.name).append(": ").append(f.value).append("]");
  }
  void note(const request_parser& p) {
    for (std::string_view s : {to_string(p.verb()), p.target(), p.path(), p.query(), p.authority()})
      text_.append(s).append(1, '|');
    text_ += p.expect_continue() ? 'e' : '-';
    text_ += static_cast<char>('0' + p.minor_version());
    require(p.minor_version() == 0 || is_authority(p.authority()), "HTTP/1.1 has an authority");
  }
  void note(const response_parser& p) {
    text_.append(std::to_string(p.status())).append(1, '|').append(p.reason());
  }

  limits limits_;
  Parser parser_;
  body_decoder body_;
  std::string text_;
  bool in_body_ = false, failed_ = false;
};

/// Small limits, so that short inputs reach them.
inline limits tight_limits() {
  limits l;
  l.target_bytes = 48;
  l.header_bytes = 160;
  l.header_fields = 8;
  l.chunk_extension_bytes = 24;
  l.trailer_bytes = 48;
  l.trailer_fields = 3;
  l.body_bytes = 64;
  return l;
}

template <class Parser>
std::string run(const std::vector<std::string_view>& pieces, const limits& l) {
  message_log<Parser> log(l);
  for (std::string_view piece : pieces) log.feed(piece);
  return log.finish();
}

/// The same bytes, whole and in pieces, must come to the same end.
template <class Parser>
void compare_cuts(std::string_view wire, std::uint32_t seed, const limits& l) {
  const std::string whole = run<Parser>({wire}, l);
  const std::string bytes = run<Parser>(cut(wire, 0), l);
  const std::string random = run<Parser>(cut(wire, seed | 1), l);
  if (whole != bytes) std::fprintf(stderr, "whole: %s\nbytes: %s\n", whole.c_str(), bytes.c_str());
  require(whole == bytes, "whole and byte by byte agree");
  require(whole == random, "whole and in pieces agree");
}

}  // namespace cuvee::fuzz
