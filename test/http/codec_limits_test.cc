// SPDX-License-Identifier: MIT
#include "codec_feed.h"

using namespace cuvee::test;

namespace {

// Whole and byte by byte; cutting at every place would be quadratic here.
outcome both(std::string_view wire, const limits& l = {}) {
  const outcome whole = feed_request({wire}, l);
  pieces bytes;
  for (std::size_t i = 0; i < wire.size(); ++i) bytes.push_back(wire.substr(i, 1));
  CHECK(feed_request(bytes, l) == whole);
  return whole;
}

std::string get_target(std::size_t size) {
  return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// Field lines of exactly `size` bytes in all, a Host among them.
std::string get_block(std::size_t size) {
  const std::string start = "Host: a\r\nA: ";
  return "GET / HTTP/1.1\r\n" + start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

}  // namespace

TEST_CASE("codec: the target limit holds to the byte, in pieces too") {
  CHECK(both(get_target(8192)).state == progress::complete);
  CHECK(both(get_target(8193)).refused == 414);
  CHECK(both("GET /" + std::string(100000, 'a')).refused == 414);
  CHECK(both("GET /" + std::string(9000, 'a') + "\x01 HTTP/1.1\r\n").refused == 414);
}

TEST_CASE("codec: the header limit holds to the byte, in pieces too") {
  CHECK(both(get_block(16384)).state == progress::complete);
  CHECK(both(get_block(16385)).refused == 431);
  CHECK(both("GET / HTTP/1.1\r\nA: " + std::string(100000, 'a')).refused == 431);
  CHECK(both("GET / HTTP/1.1\r\n" + std::string(100000, 'a')).refused == 431);
  CHECK(both("GET / HTTP/1.1\r\nA: " + std::string(20000, 'a') + "\x01\r\n").refused == 431);
  CHECK(both("GET /" + std::string(30000, ' ')).refused == 431);
}

TEST_CASE("codec: many small fields count against the header limit together") {
  std::string lines;
  for (int i = 0; i < 90; ++i) lines += "A: " + std::string(200, 'x') + "\r\n";
  CHECK(both(get_with(lines)).refused == 431);
}

TEST_CASE("codec: the number of fields is limited") {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "A: b\r\n";
  CHECK(both(get_with(lines)).state == progress::complete);
  CHECK(both(get_with(lines + "A: b\r\n")).refused == 431);
  CHECK(both(get_with(lines + "AB\x01: b\r\n")).refused == 431);
  CHECK(both(get_with(lines + "\x01: b\r\n")).refused == 400);
}

TEST_CASE("codec: a head at both limits fits the arena") {
  const std::string wire = "GET /" + std::string(8191, 'a') +
                           " HTTP/1.1\r\nHost: a\r\nA: " + std::string(16384 - 16, 'x') +
                           "\r\n\r\n";
  CHECK(both(wire).state == progress::complete);
  limits wide;
  wide.header_bytes = 200000;
  wide.header_fields = 1000;
  std::string lines;
  for (int i = 0; i < 999; ++i) lines += "A: " + std::string(100, 'x') + "\r\n";
  const outcome o = both(get_with(lines), wide);
  CHECK(o.state == progress::complete);
  CHECK(o.headers.size() == 1000);
  CHECK(both(get_with("A: " + std::string(70000, 'x') + "\r\n"), wide).refused == 431);
}

TEST_CASE("codec: a body over the limit is refused by its declared length") {
  const outcome o = both(post_with("Content-Length: 1048577\r\n", ""));
  CHECK(o.refused == 413);
  CHECK(o.head);
  CHECK(both(chunked_post("100001\r\n")).refused == 413);
  CHECK(both(chunked_post("ffffffffffffffff\r\n")).refused == 413);
  limits l;
  l.body_bytes = 5;
  CHECK(both(chunked_post("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), l).body == "abcde");
  const outcome more = both(chunked_post("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"), l);
  CHECK(more.refused == 413);
  CHECK(more.body == "abc");
}

TEST_CASE("codec: chunk extensions are limited over the whole message") {
  const std::string ext = ";" + std::string(4095, 'a');
  CHECK(both(chunked_post("0" + ext + "\r\n\r\n")).state == progress::complete);
  CHECK(both(chunked_post("0" + ext + "a\r\n\r\n")).refused == 431);
  CHECK(both(chunked_post("0;a=\"" + std::string(100000, 'b'))).refused == 431);
  CHECK(both(chunked_post("0" + std::string(100000, ' '))).refused == 431);
  std::string many;
  for (int i = 0; i < 1366; ++i) many += "1;ab\r\nx\r\n";
  CHECK(both(chunked_post(many)).refused == 431);
}

TEST_CASE("codec: trailers are limited in bytes and number") {
  const std::string line = "A: " + std::string(8192 - 5, 'x') + "\r\n";
  CHECK(both(chunked_post("0\r\n" + line + "\r\n")).state == progress::complete);
  CHECK(both(chunked_post("0\r\nB" + line + "\r\n")).refused == 431);
  std::string lines;
  for (int i = 0; i < 32; ++i) lines += "A: b\r\n";
  CHECK(both(chunked_post("0\r\n" + lines + "\r\n")).trailers.size() == 32);
  CHECK(both(chunked_post("0\r\n" + lines + "A: b\r\n\r\n")).refused == 431);
}

TEST_CASE("codec: many pipelined requests need no more memory than one") {
  limits l;
  request_parser p(l);
  const std::string one = get_with("Accept: */*\r\n");
  std::string wire;
  for (int i = 0; i < 100000; ++i) wire += one;
  std::string_view rest = wire;
  int count = 0;
  while (!rest.empty()) {
    const head_step s = p.parse_head(rest);
    REQUIRE(s.state == progress::complete);
    REQUIRE(s.used == one.size());
    rest.remove_prefix(s.used);
    ++count;
    p.next();
  }
  CHECK(count == 100000);
}
