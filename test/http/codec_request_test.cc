// SPDX-License-Identifier: MIT
#include "codec_feed.h"

using namespace cuvee::test;

namespace {

struct vector {
  const char* what;
  std::string wire;
  int status;
};

void refuses(const std::vector<vector>& vectors) {
  for (const vector& v : vectors) {
    CAPTURE(v.what);
    const outcome o = request(v.wire);
    CHECK(o.state == progress::failed);
    CHECK(o.refused == v.status);
    CHECK_FALSE(o.head);
  }
}

std::string line(std::string_view request_line) {
  return std::string(request_line).append("\r\nHost: a\r\n\r\n");
}

}  // namespace

TEST_CASE("codec: a plain request is parsed") {
  const outcome o =
      request("GET /a/b?x=1&y HTTP/1.1\r\nHost: example.com:8080\r\nAccept: */*\r\n\r\nGET");
  CHECK(o.state == progress::complete);
  CHECK(o.start == "GET|/a/b?x=1&y|/a/b|x=1&y|example.com:8080|");
  CHECK(o.minor == 1);
  CHECK(o.keep_alive);
  CHECK(o.headers == fields{{"Host", "example.com:8080"}, {"Accept", "*/*"}});
  CHECK(o.rest == "GET");
}

TEST_CASE("codec: views of a head outlive the input") {
  limits l;
  request_parser p(l);
  std::string wire = get_with("X-One: 1\r\n");
  CHECK(p.parse_head(wire).state == progress::complete);
  wire.assign(wire.size(), 'x');
  CHECK(p.find("x-ONE") == "1");
  CHECK(p.find("absent").data() == nullptr);
  CHECK(p.path() == "/");
}

TEST_CASE("codec: messages follow each other through one parser") {
  limits l;
  request_parser p(l);
  const std::string two = get_with("A: 1\r\n") + get_with("B: 2\r\nConnection: close\r\n");
  const head_step first = p.parse_head(two);
  CHECK(first.state == progress::complete);
  CHECK(p.parse_head(two).used == 0);
  p.next();
  const head_step second = p.parse_head(std::string_view(two).substr(first.used));
  CHECK(second.state == progress::complete);
  CHECK(first.used + second.used == two.size());
  CHECK(p.find("b") == "2");
  CHECK_FALSE(p.keep_alive());
  p.release();
  CHECK_FALSE(p.in_head());
  CHECK(p.parse_head(get_with("")).state == progress::complete);
}

TEST_CASE("codec: a failed parser stays failed") {
  limits l;
  request_parser p(l);
  CHECK(p.parse_head("BAD\r\n").state == progress::failed);
  CHECK(p.parse_head(get_with("")).state == progress::failed);
}

TEST_CASE("codec: keep-alive follows version and Connection") {
  CHECK(request(get_with("Connection: keep-alive\r\n")).keep_alive);
  CHECK_FALSE(request(get_with("Connection: foo, Close\r\n")).keep_alive);
  CHECK_FALSE(request(get_with("Connection: foo\r\nConnection: close\r\n")).keep_alive);
  CHECK(request(get_with("Connection: closed\r\n")).keep_alive);
  CHECK_FALSE(request("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  CHECK_FALSE(request("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n").keep_alive);
}

TEST_CASE("codec: Upgrade does not end HTTP parsing") {
  const outcome o = request(get_with("Connection: Upgrade\r\nUpgrade: websocket\r\n") + "next");
  CHECK(o.state == progress::complete);
  CHECK(o.upgrade);
  CHECK(o.rest == "next");
}

TEST_CASE("codec: empty lines before a request are skipped, a few of them") {
  CHECK(request("\r\n\r\n" + get_with("")).state == progress::complete);
  refuses({{"five", "\r\n\r\n\r\n\r\n\r\n" + get_with(""), 400},
           {"lone LF", "\n" + get_with(""), 400},
           {"lone CR", "\r" + get_with(""), 400},
           {"LF CR", "\n\r" + get_with(""), 400},
           {"space", " " + get_with(""), 400}});
}

TEST_CASE("codec: framing that two readers could disagree on is refused") {
  refuses({
      {"CL and TE", post_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", ""), 400},
      {"TE and CL", post_with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", ""), 400},
      {"CL twice, equal", post_with("Content-Length: 3\r\nContent-Length: 3\r\n", ""), 400},
      {"CL twice, different", post_with("Content-Length: 3\r\nContent-Length: 4\r\n", ""), 400},
      {"CL list", post_with("Content-Length: 3, 3\r\n", ""), 400},
      {"CL plus", post_with("Content-Length: +5\r\n", ""), 400},
      {"CL minus", post_with("Content-Length: -5\r\n", ""), 400},
      {"CL tail", post_with("Content-Length: 5x\r\n", ""), 400},
      {"CL hex", post_with("Content-Length: 0x5\r\n", ""), 400},
      {"CL underscore", post_with("Content-Length: 1_0\r\n", ""), 400},
      {"CL inner space", post_with("Content-Length: 1 0\r\n", ""), 400},
      {"CL empty", post_with("Content-Length:\r\n", ""), 400},
      {"CL blank", post_with("Content-Length: \r\n", ""), 400},
      {"CL overflow", post_with("Content-Length: 18446744073709551616\r\n", ""), 400},
      {"CL non-ASCII digit", post_with("Content-Length: \xd9\xa3\r\n", ""), 400},
      {"TE identity", post_with("Transfer-Encoding: identity\r\n", ""), 501},
      {"TE gzip, chunked", post_with("Transfer-Encoding: gzip, chunked\r\n", ""), 501},
      {"TE unknown", post_with("Transfer-Encoding: xchunked\r\n", ""), 501},
      {"TE twice", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ""),
       400},
      {"TE on 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
  });
  for (const char* te : {"chunked, chunked", "chunked, gzip", "chunked;x=y", "\"chunked\"", "",
                         "chunked,", ",chunked",
                         "\x0b"
                         "chunked",
                         "chunked\x0c", "chun\tked"}) {
    CAPTURE(te);
    const outcome o = request(post_with(std::string("Transfer-Encoding: ") + te + "\r\n", ""));
    CHECK((o.refused == 400 || o.refused == 501));
  }
  CHECK(request(chunked_post("0\r\n\r\n")).state == progress::complete);
  CHECK(request(post_with("Transfer-Encoding:  ChunkeD \r\n", "0\r\n\r\n")).state ==
        progress::complete);
}

TEST_CASE("codec: folded and obfuscated field lines are refused") {
  refuses({
      {"fold", get_with("A: b\r\n c\r\n"), 400},
      {"fold with tab", get_with("A: b\r\n\tc\r\n"), 400},
      {"fold after empty", get_with("A:\r\n b\r\n"), 400},
      {"folded TE", post_with("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400},
      {"space before colon", get_with("A : b\r\n"), 400},
      {"tab before colon", get_with("A\t: b\r\n"), 400},
      {"space before CL colon", post_with("Content-Length : 3\r\n", "abc"), 400},
      {"space before first name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"space before name", get_with(" A: b\r\n"), 400},
      {"space in name", get_with("A B: c\r\n"), 400},
      {"no colon", get_with("Abc\r\n"), 400},
      {"empty name", get_with(": b\r\n"), 400},
      {"empty name after empty value", get_with("A:\r\n: b\r\n"), 400},
  });
}

TEST_CASE("codec: only CR LF ends a line of a head") {
  refuses({
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"bare LF as last line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"lone CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
      {"lone CR after a field", "GET / HTTP/1.1\r\nHost: a\rA: b\r\n\r\n", 400},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
      {"CR LF CR X ends no head", "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n", 400},
      {"LF in a value", get_with("A: b\nc: d\r\n"), 400},
  });
}

TEST_CASE("codec: control characters in names and values are refused") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const std::string byte(1, static_cast<char>(c));
    const bool value_ok = (c >= 0x20 && c != 0x7f) || c == '\t';
    const outcome value = request(get_with("A: b" + byte + "c\r\n"));
    CHECK((value.state == progress::complete) == value_ok);
    if (!value_ok) CHECK(value.refused == 400);
    const bool name_ok = is(static_cast<char>(c), chars::token);
    const outcome name = request(get_with("A" + byte + "b: c\r\n"));
    if (c != ':') CHECK((name.state == progress::complete) == name_ok);
  }
}

TEST_CASE("codec: blanks around a value are dropped") {
  const outcome o = request(get_with("A:b\r\nB: \t c d \t\r\nC:\r\nD:  \r\n"));
  CHECK(o.state == progress::complete);
  CHECK(o.headers == fields{{"Host", "a"}, {"A", "b"}, {"B", "c d"}, {"C", ""}, {"D", ""}});
}

TEST_CASE("codec: HTTP/1.1 needs one well-formed Host") {
  auto with_host = [](std::string_view host) {
    return std::string("GET / HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
  };
  for (const char* host : {"a", "a.b-c_d~", "127.0.0.1:80", "a:", "[::1]", "[::1]:8080", "%41b",
                           "a!$&'()*+,;=", "[::ffff:1.2.3.4]", "A:65535"}) {
    CAPTURE(host);
    CHECK(request(with_host(host)).state == progress::complete);
  }
  for (const char* host :
       {"",     "a b",     "a/b", "u@a",      "a:b",    "a:65536", "a:123456",
        "a:-1", "[::1",    "::1", "[]",       "[::1]x", "[g::1]",  "[fe80::1%25eth0]",
        "a\\b", "%4",      "%zz", "a?b",      "a#b",    "a,b:c",   "\"a\"",
        "<a>",  "a:80:80", ":80", "a\xc3\xa4"}) {
    CAPTURE(host);
    CHECK(request(with_host(host)).refused == 400);
  }
  refuses({{"none", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
           {"no field at all", "GET / HTTP/1.1\r\n\r\n", 400},
           {"two", get_with("Host: a\r\n"), 400},
           {"two, other case", get_with("hOST: b\r\n"), 400},
           {"two on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400}});
  CHECK(request("GET / HTTP/1.0\r\n\r\n").state == progress::complete);
}

TEST_CASE("codec: a remembered Host does not excuse another one") {
  limits l;
  request_parser p(l);
  CHECK(p.parse_head(get_with("")).state == progress::complete);
  p.next();
  CHECK(p.parse_head(get_with("")).state == progress::complete);
  p.next();
  CHECK(p.parse_head("GET / HTTP/1.1\r\nHost: @\r\n\r\n").state == progress::failed);
}

TEST_CASE("codec: versions other than 1.0 and 1.1 are refused") {
  for (const char* version : {"HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/1.9", "HTTP/3.0"}) {
    CAPTURE(version);
    CHECK(request(line(std::string("GET / ") + version)).refused == 505);
  }
  CHECK(request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refused == 505);
  for (const char* version : {"HTTP/1", "HTTP/1.", "HTTP/1.1x", "HTTP/1.10", "http/1.1", "HTTP/a.b",
                              "HTTP /1.1", "HTTP/ 1.1", "XTTP/1.1", "HTTP/1,1", "HTTP/-1.1"}) {
    CAPTURE(version);
    CHECK(request(line(std::string("GET / ") + version)).refused == 400);
  }
  refuses({{"no version", "GET /\r\nHost: a\r\n\r\n", 400},
           {"RTSP version", line("GET / RTSP/1.0"), 400},
           {"blank after the version", line("GET / HTTP/1.1 "), 400}});
}

TEST_CASE("codec: unknown methods get 501") {
  for (const char* name :
       {"FOO",           "GETS",          "get",      "Get",    "PRIX",  "A",      "G",
        "SOURCE",        "DESCRIBE",      "ANNOUNCE", "SETUP",  "PLAY",  "PAUSE",  "TEARDOWN",
        "GET_PARAMETER", "SET_PARAMETER", "REDIRECT", "RECORD", "FLUSH", "CONNECT"}) {
    CAPTURE(name);
    CHECK(request(line(std::string(name) + " / HTTP/1.1")).refused == 501);
  }
  CHECK(request("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n").refused == 501);
  CHECK(request("ANNOUNCE rtsp://a/ RTSP/1.0\r\nHost: a\r\n\r\n").refused == 501);
  refuses({{"no token", line("G@T / HTTP/1.1"), 400},
           {"quoted", line("\"GET\" / HTTP/1.1"), 400},
           {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
           {"tab after method", line("GET\t/ HTTP/1.1"), 400}});
  for (int i = 0; i < method_count; ++i) {
    const auto m = static_cast<method>(i);
    CHECK(method_from_string(to_string(m)) == m);
    if (m == method::connect) continue;
    const outcome o = request(line(std::string(to_string(m)) + " / HTTP/1.1"));
    CHECK(o.state == progress::complete);
    CHECK(o.start.starts_with(std::string(to_string(m)) + "|/|"));
  }
}

TEST_CASE("codec: request targets are checked") {
  auto get = [](std::string_view target) {
    return request(line(std::string("GET ").append(target).append(" HTTP/1.1")));
  };
  CHECK(get("//evil/x").start == "GET|//evil/x|//evil/x||a|");
  CHECK(get("http://b:81/x?y").start == "GET|http://b:81/x?y|/x|y|b:81|");
  CHECK(get("HTTPS://b").start == "GET|HTTPS://b|/||b|");
  CHECK(get("http://b?q").start == "GET|http://b?q|/|q|b|");
  CHECK(get("/?").start == "GET|/?|/||a|");
  CHECK(get("/a?b?c").start == "GET|/a?b?c|/a|b?c|a|");
  CHECK(get("/%00").state == progress::complete);
  CHECK(request(line("OPTIONS * HTTP/1.1")).start == "OPTIONS|*|*||a|");
  for (const char* target : {"*",
                             "a:80",
                             "a",
                             "/a#b",
                             "/#",
                             "http://",
                             "http:///x",
                             "http://u@b/",
                             "http://b:99999/",
                             "ftp://b/",
                             "http:/b",
                             "/\xc3\xa4",
                             "/a\x01",
                             "http://b#f",
                             "/a?b#c",
                             "?a",
                             "**",
                             "*/",
                             "http://[::1/",
                             "x://b/"}) {
    CAPTURE(target);
    CHECK(get(target).refused == 400);
  }
  for (int c = 0; c < 256; ++c) {
    if (c == ' ' || c == '?') continue;
    CAPTURE(c);
    const bool ok = c > 0x20 && c < 0x7f && c != '#';
    CHECK((get("/a" + std::string(1, static_cast<char>(c)) + "b").refused == 400) == !ok);
  }
  refuses({{"two spaces before", line("GET  / HTTP/1.1"), 400},
           {"two spaces after", line("GET /  HTTP/1.1"), 400},
           {"tab after", line("GET /\tHTTP/1.1"), 400},
           {"space within", line("GET /a b HTTP/1.1"), 400},
           {"no target", line("GET HTTP/1.1"), 400}});
}

TEST_CASE("codec: expectations count on HTTP/1.1 only") {
  CHECK(request(post_with("Expect: 100-Continue\r\nContent-Length: 1\r\n", "x")).expect);
  CHECK_FALSE(request(get_with("Expect: 100-continue\r\n")).expect);
  CHECK(request(get_with("Expect: magic\r\n")).refused == 417);
  const outcome old = request("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\ny");
  CHECK(old.state == progress::complete);
  CHECK_FALSE(old.expect);
}

TEST_CASE("codec: a head cut short is incomplete, at every place") {
  const std::string wire = get_with("Content-Length: 0\r\n");
  for (std::size_t n = 0; n < wire.size(); ++n) {
    const outcome o = feed_request({std::string_view(wire).substr(0, n)});
    CHECK(o.state == progress::need_more);
  }
}
