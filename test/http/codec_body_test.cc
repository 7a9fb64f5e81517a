// SPDX-License-Identifier: MIT
#include "codec_feed.h"

#include <chrono>

using namespace cuvee::test;

TEST_CASE("codec: a body of known length ends where it says") {
  const outcome o = request(post_with("Content-Length: 3\r\n", "abcGET"));
  CHECK(o.state == progress::complete);
  CHECK(o.body == "abc");
  CHECK(o.rest == "GET");
  CHECK(request(post_with("Content-Length: 0\r\n", "x")).rest == "x");
  CHECK(request(post_with("Content-Length: 003\r\n", "abc")).body == "abc");
  CHECK(request(post_with("Content-Length: 4\r\n", "abc")).state == progress::need_more);
  CHECK(request(get_with("Content-Length: 3\r\n") + "abcd").rest == "d");
}

TEST_CASE("codec: a chunked body is joined and the next request found") {
  const outcome o =
      request(chunked_post("3\r\nabc\r\n0000a\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\r\n"
                           "\r\n0\r\n\r\nGET"));
  CHECK(o.state == progress::complete);
  CHECK(o.body == "abc0123456789\r\n\r\n\r\n\r\n\r\n");
  CHECK(o.rest == "GET");
}

TEST_CASE("codec: chunk extensions are checked and ignored") {
  for (const char* ext : {";a", ";a=b", ";a=\"b\"", " ; a = b", ";a;b=c;d", ";a=\"x;y\\\"\\\\z\"",
                          "\t;\ta\t=\t\"\"", ";a=\"\x80\"", ";a=\"\t\"", ";a=b ;c"}) {
    CAPTURE(ext);
    const std::string body = std::string("3") + ext + "\r\nabc\r\n0" + ext + "\r\n\r\n";
    const outcome o = request(chunked_post(body));
    CHECK(o.state == progress::complete);
    CHECK(o.body == "abc");
  }
  for (const char* ext :
       {";",         "; ",          " ",    "\t",   ";a=",   ";a= ",      ";a=\"",
        ";a=\"b\"c", ";=b",         ";a b", ";a\n", ";a\nb", ";a=\"\n\"", ";a=\"\r\n\"",
        ";a\x01",    ";a=\"\x7f\"", "a=b;", ";a ",  ";a=b ", ";a=\"b\" ", ";a=b c",
        ";a==b",     ";a=b=c",      ";;",   ";a\\"}) {
    CAPTURE(ext);
    CHECK(request(chunked_post(std::string("3") + ext + "\r\nabc\r\n0\r\n\r\n")).refused == 400);
  }
}

TEST_CASE("codec: a bare LF in a chunk extension is refused") {
  CHECK(request(chunked_post("3;a\nabc\r\n0\r\n\r\n")).refused == 400);
  CHECK(request(chunked_post("3;\nabc\r\n0\r\n\r\n")).refused == 400);
  CHECK(request(chunked_post("3\nabc\r\n0\r\n\r\n")).refused == 400);
  CHECK(request(chunked_post("3\r\nabc\n0\r\n\r\n")).refused == 400);
  CHECK(request(chunked_post("3\r\nabc\r\n0\n\r\n")).refused == 400);
  CHECK(request(chunked_post("3\r\nabc\r\n0\r\n\n")).refused == 400);
}

TEST_CASE("codec: malformed chunk sizes are refused") {
  for (const char* size :
       {"", "-2", "+3", "0x3", "3_0", "g", " 3", "\t3", "3g", "3 3", "3.0", "\xd9\xa3",
        "00000000000000003", "fffffffffffffffff", "\"3\"", "3h", "3\r", "3\x0b"}) {
    CAPTURE(size);
    CHECK(request(chunked_post(std::string(size) + "\r\nabc\r\n0\r\n\r\n")).refused == 400);
  }
  CHECK(request(chunked_post("0000000000000003\r\nabc\r\n0\r\n\r\n")).body == "abc");
}

TEST_CASE("codec: exactly CR LF follows the data of a chunk") {
  for (const char* tail : {"", "\r", "\n", "xx", "\rx", " \r\n", "d\r\n", "\n\r", "\r\r\n"}) {
    CAPTURE(tail);
    const outcome o = request(chunked_post(std::string("3\r\nabc") + tail + "0\r\n\r\n"));
    CHECK(o.refused == 400);
    CHECK(o.body == "abc");
  }
}

TEST_CASE("codec: trailers are kept apart and the next request parses exactly") {
  const outcome o = request(chunked_post(
      "1\r\nx\r\n0\r\nDigest:  abc \r\nContent-Length: 5\r\nX-Empty:\r\n\r\nGET / HTTP/1.1\r\n"));
  CHECK(o.state == progress::complete);
  CHECK(o.body == "x");
  CHECK(o.headers == fields{{"Host", "a"}, {"Transfer-Encoding", "chunked"}});
  CHECK(o.trailers == fields{{"Digest", "abc"}, {"Content-Length", "5"}, {"X-Empty", ""}});
  CHECK(o.rest == "GET / HTTP/1.1\r\n");
}

TEST_CASE("codec: malformed trailers are refused") {
  for (const char* lines :
       {"A : b\r\n", "A b\r\n", ": b\r\n", " A: b\r\n", "A: b\r\n c\r\n", "A: b\n", "A: b\rc\r\n",
        "A: \x01\r\n", "A\x01: b\r\n", "A: b\x7f\r\n", "A\r\n", "A: b\r\r\n", "\n", "\rX"}) {
    CAPTURE(lines);
    CHECK(request(chunked_post(std::string("0\r\n") + lines + "\r\n")).refused == 400);
  }
}

TEST_CASE("codec: a chunked body decodes in place to one span") {
  limits l;
  body_decoder d;
  d.begin({framing::chunked, 0}, l, l.body_bytes);
  std::string buffer = "3\r\nabc\r\n3;x\r\ndef\r\n0\r\n\r\nnext";
  const body_step s = d.decode(buffer, buffer.data());
  CHECK(s.state == progress::complete);
  CHECK(buffer.substr(0, s.produced) == "abcdef");
  CHECK(buffer.substr(s.used) == "next");
  CHECK(d.received() == 6);
}

TEST_CASE("codec: slices of a body are parts of the input") {
  limits l;
  body_decoder d;
  d.begin({framing::chunked, 0}, l, l.body_bytes);
  const std::string_view wire = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  std::string_view rest = wire;
  std::string body;
  while (d.state() == progress::need_more) {
    const body_slice s = d.next_slice(rest);
    if (!s.data.empty()) CHECK((s.data.data() >= wire.data() && s.data.data() < wire.end()));
    body += s.data;
    rest.remove_prefix(s.used);
  }
  CHECK(body == "abcde");
  CHECK(rest.empty());
}

TEST_CASE("codec: a million one-byte chunks decode in linear time") {
  constexpr int count = 1000000;
  limits l;
  std::string wire;
  for (int i = 0; i < count; ++i) wire += "1\r\nx\r\n";
  wire += "0\r\n\r\n";
  body_decoder d;
  d.begin({framing::chunked, 0}, l, l.body_bytes);
  const auto start = std::chrono::steady_clock::now();
  const body_step s = d.decode(wire, wire.data());
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(s.state == progress::complete);
  CHECK(s.produced == count);
  // Some 20 ms; quadratic would be hours.
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("codec: a decoder serves one message after another") {
  limits l;
  body_decoder d;
  for (int i = 0; i < 2; ++i) {
    d.begin({framing::chunked, 0}, l, l.body_bytes);
    std::string wire = "1\r\nx\r\n0\r\nA: b\r\n\r\n";
    CHECK(d.decode(wire, wire.data()).produced == 1);
    CHECK(d.trailers().field_count() == 1);
  }
  d.begin({framing::length, 2}, l, l.body_bytes);
  CHECK(d.left() == 2);
  CHECK(d.finish() == progress::failed);
  CHECK(d.why().status == 400);
  d.release();
}
