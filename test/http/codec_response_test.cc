// SPDX-License-Identifier: MIT
#include "codec_feed.h"

using namespace cuvee::test;

namespace {

std::string ok(std::string_view lines, std::string_view body = {}) {
  return std::string("HTTP/1.1 200 OK\r\n").append(lines).append("\r\n").append(body);
}

}  // namespace

TEST_CASE("codec: a plain response is parsed") {
  const outcome o = response(ok("Content-Length: 3\r\nX: y  \r\n", "abcrest"));
  CHECK(o.state == progress::complete);
  CHECK(o.start == "200|OK");
  CHECK(o.keep_alive);
  CHECK(o.body == "abc");
  CHECK(o.rest == "rest");
  CHECK(o.headers == fields{{"Content-Length", "3"}, {"X", "y"}});
}

TEST_CASE("codec: a response without framing runs to the end of the connection") {
  const outcome o = response(ok("", "abc"));
  CHECK(o.state == progress::complete);
  CHECK(o.body == "abc");
  CHECK_FALSE(o.keep_alive);
  CHECK(response(ok("", "abc"), method::get, false).state == progress::need_more);
}

TEST_CASE("codec: a response cut short is refused") {
  CHECK(response(ok("Content-Length: 4\r\n", "abc")).state == progress::failed);
  CHECK(response(ok("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n")).state == progress::failed);
  CHECK(response("HTTP/1.1 200 OK\r\nA: b\r\n").state == progress::need_more);
}

TEST_CASE("codec: responses that never have a body end with their head") {
  for (const char* status : {"204 No Content", "304 Not Modified", "100 Continue",
                             "103 Early Hints", "101 Switching Protocols"}) {
    CAPTURE(status);
    const outcome o =
        response(std::string("HTTP/1.1 ") + status +
                 "\r\nContent-Length: 5\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest");
    CHECK(o.state == progress::complete);
    CHECK(o.rest == "rest");
  }
  const std::string wire = ok("Content-Length: 5\r\n", "rest");
  CHECK(response(wire, method::head).rest == "rest");
  CHECK(response(ok("", "rest"), method::connect).rest == "rest");
  CHECK(response(ok("Transfer-Encoding: chunked\r\n", "rest"), method::head).rest == "rest");
}

TEST_CASE("codec: an informational response is followed by the final one") {
  const limits l = response_limits();
  response_parser p(l);
  p.answers(method::get);
  const std::string wire =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("Content-Length: 0\r\n");
  const head_step first = p.parse_head(wire);
  CHECK(first.state == progress::complete);
  CHECK(p.informational());
  p.next();
  CHECK(p.parse_head(std::string_view(wire).substr(first.used)).state == progress::complete);
  CHECK(p.status() == 200);
  CHECK_FALSE(p.informational());
  CHECK(p.has_content_length());
}

TEST_CASE("codec: status lines are checked") {
  CHECK(response("HTTP/1.1 200\r\n\r\n").start == "200|");
  CHECK(response("HTTP/1.1 200 \r\n\r\n").start == "200|");
  CHECK(response("HTTP/1.0 404 Not \tFound\xe4\r\n\r\n").start == "404|Not \tFound\xe4");
  CHECK(response("HTTP/1.1 999 Denied\r\n\r\n").start == "999|Denied");
  for (const char* line :
       {"HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 0x1 OK", "HTTP/1.1 +20 OK",
        "HTTP/1.1 099 OK", "HTTP/1.1", "HTTP/1.1 ", "ICY 200 OK", "http/1.1 200 OK",
        "HTTP/1.1\t200 OK", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK", "HTTP/1.1 200\tOK",
        "HTTP/1.1 200OK"}) {
    CAPTURE(line);
    CHECK(response(std::string(line) + "\r\n\r\n").refused == 502);
  }
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const bool allowed = (c >= 0x20 && c != 0x7f) || c == '\t';
    const std::string phrase = "a" + std::string(1, static_cast<char>(c)) + "b";
    const outcome o = response("HTTP/1.1 200 " + phrase + "\r\n\r\n");
    CHECK((o.state == progress::complete) == allowed);
  }
}

TEST_CASE("codec: only CR LF ends a line of a response head") {
  for (const char* wire :
       {"HTTP/1.1 200 OK\n\r\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n", "HTTP/1.1 200 OK\r\n\n",
        "HTTP/1.1 200 OK\rA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\rX", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n"}) {
    CAPTURE(wire);
    CHECK(response(wire).refused == 502);
  }
}

TEST_CASE("codec: response framing that readers disagree on is refused") {
  for (const char* lines :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 5x\r\n", "Content-Length: 5, 6\r\n", "Content-Length: +5\r\n",
        "Content-Length: -1\r\n", "Content-Length:\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: gzip\r\n", "Content-Length: 99999999999999999999\r\n"}) {
    CAPTURE(lines);
    CHECK(response(ok(lines, "abc")).refused == 502);
  }
  CHECK(response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").refused == 502);
}

TEST_CASE("codec: control characters in response fields are refused") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const bool allowed = (c >= 0x20 && c != 0x7f) || c == '\t';
    const outcome o = response(ok("A: b" + std::string(1, static_cast<char>(c)) + "c\r\n"));
    CHECK((o.state == progress::complete) == allowed);
  }
}

TEST_CASE("codec: a response head has limits of its own") {
  auto block = [](std::size_t size) {
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  CHECK(feed_response({block(32 * 1024)}).state == progress::complete);
  CHECK(feed_response({block(32 * 1024 + 1)}).refused == 502);
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += "A: b\r\n";
  CHECK(feed_response({ok(lines)}).state == progress::complete);
  CHECK(feed_response({ok(lines + "A: b\r\n")}).refused == 502);
  limits l = response_limits();
  l.body_bytes = 3;
  CHECK(feed_response({ok("", "abc")}, method::get, true, l).body == "abc");
  const outcome over = every_cut(
      ok("", "abcd"), [&](const pieces& p) { return feed_response(p, method::get, true, l); });
  CHECK(over.refused == 413);
}

TEST_CASE("codec: HTTP/1.0 responses keep the connection only when they say so") {
  CHECK_FALSE(response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  CHECK(response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
            .keep_alive);
  CHECK_FALSE(response(ok("Content-Length: 0\r\nConnection: close\r\n")).keep_alive);
}
