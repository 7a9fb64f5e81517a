// SPDX-License-Identifier: MIT
#pragma once
#include "http/body.h"
#include "http/chars.h"
#include "http/parser.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Feeds messages to the codec in pieces, the way a connection would, and records all that can be
// seen from outside, so that two ways of cutting the same bytes can be compared.

namespace cuvee::test {

using namespace cuvee::http;
using namespace cuvee::http::detail;
using pieces = std::vector<std::string_view>;
using fields = std::vector<std::pair<std::string, std::string>>;

struct outcome {
  progress state = progress::need_more;
  int refused = 0;  // the status of the refusal
  bool head = false;
  std::string start;  // method, target, path, query, authority; or status and reason
  int minor = -1;
  bool keep_alive = false, expect = false, upgrade = false;
  fields headers, trailers;
  std::string body;
  std::string rest;  // what belongs to the next message

  bool operator==(const outcome&) const = default;
};

inline fields copy_fields(const head_arena& from) {
  fields to;
  for (std::uint32_t i = 0; i < from.field_count(); ++i)
    to.emplace_back(from.view(i).name, from.view(i).value);
  return to;
}

inline void note_head(const request_parser& p, outcome& o) {
  for (std::string_view part :
       {to_string(p.verb()), p.target(), p.path(), p.query(), p.authority()})
    o.start.append(part).append(1, '|');
  o.expect = p.expect_continue();
}

inline void note_head(const response_parser& p, outcome& o) {
  o.start = std::to_string(p.status()).append(1, '|').append(p.reason());
}

/// One message through `parser`. `closed`: the peer finished sending after the last piece.
template <class Parser>
outcome feed(Parser& parser, const limits& l, const pieces& wire, bool closed) {
  outcome o;
  body_decoder body;
  auto fail = [&](const refusal& why) {
    o.state = progress::failed;
    o.refused = why.status;
    CHECK(why.cause != nullptr);
  };
  auto head = [&](std::string_view in) {
    const head_step s = parser.parse_head(in);
    if (s.state == progress::failed) fail(parser.why());
    if (s.state != progress::complete) return in.size();
    o.head = true;
    note_head(parser, o);
    o.minor = parser.minor_version();
    o.keep_alive = parser.keep_alive();
    o.upgrade = parser.upgrade();
    o.headers = copy_fields(parser.arena());
    body.begin(parser.body(), l, l.body_bytes);
    o.state = body.state();
    if (o.state == progress::failed) fail(body.why());
    return s.used;
  };
  auto data = [&](std::string_view in) {
    std::string buffer(in);
    const body_step s = body.decode(buffer, buffer.data());
    o.body.append(buffer, 0, s.produced);
    o.state = s.state;
    if (s.state == progress::failed) fail(body.why());
    return s.used;
  };
  for (std::string_view in : wire) {
    while (!in.empty() && o.state == progress::need_more)
      in.remove_prefix(o.head ? data(in) : head(in));
    if (o.state == progress::complete) o.rest.append(in);
  }
  if (closed && o.head && o.state == progress::need_more) {
    o.state = body.finish();
    if (o.state == progress::failed) fail(body.why());
  }
  o.trailers = copy_fields(body.trailers());
  return o;
}

inline outcome feed_request(const pieces& wire, const limits& l = {}) {
  request_parser p(l);
  return feed(p, l, wire, false);
}

inline outcome feed_response(const pieces& wire, method asked = method::get, bool closed = true,
                             const limits& l = response_limits()) {
  response_parser p(l);
  p.answers(asked);
  return feed(p, l, wire, closed);
}

/// Feeds `wire` whole, byte by byte and in two pieces cut at every place; all must agree.
template <class Feed>
outcome every_cut(std::string_view wire, Feed&& feed_pieces) {
  const outcome whole = feed_pieces(pieces{wire});
  pieces bytes;
  for (std::size_t i = 0; i < wire.size(); ++i) bytes.push_back(wire.substr(i, 1));
  CAPTURE(wire);
  CHECK_MESSAGE(feed_pieces(bytes) == whole, "byte by byte differs");
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    const bool same = feed_pieces(pieces{wire.substr(0, cut), wire.substr(cut)}) == whole;
    if (!same) CHECK_MESSAGE(same, "cut at ", cut, " differs");
  }
  return whole;
}

inline outcome request(std::string_view wire, const limits& l = {}) {
  return every_cut(wire, [&](const pieces& p) { return feed_request(p, l); });
}

inline outcome response(std::string_view wire, method asked = method::get, bool closed = true) {
  return every_cut(wire, [&](const pieces& p) { return feed_response(p, asked, closed); });
}

/// A request with these field lines after a Host, which need their line ends.
inline std::string get_with(std::string_view lines) {
  return std::string("GET / HTTP/1.1\r\nHost: a\r\n").append(lines).append("\r\n");
}

inline std::string post_with(std::string_view lines, std::string_view body) {
  return std::string("POST / HTTP/1.1\r\nHost: a\r\n").append(lines).append("\r\n").append(body);
}

inline std::string chunked_post(std::string_view body) {
  return post_with("Transfer-Encoding: chunked\r\n", body);
}

}  // namespace cuvee::test
