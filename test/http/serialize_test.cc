// SPDX-License-Identifier: MIT
#include "http/serialize.h"

#include "codec_feed.h"

#include <cuvee/base/error.h>
#include <cuvee/http/status.h>

using namespace cuvee::test;

namespace {

template <class Head>
std::string written(const Head& head) {
  std::string out(head_bound(head), '\0');
  const char* end = write_head(head, out.data());
  const auto size = static_cast<std::size_t>(end - out.data());
  CHECK(size <= out.size());
  out.resize(size);
  return out;
}

std::string date(std::time_t when) {
  std::string out(date_bytes, '\0');
  CHECK(format_http_date(when, out.data()) == out.data() + date_bytes);
  return out;
}

}  // namespace

TEST_CASE("serialize: a response head holds what it was given, in order") {
  headers h{{"X-A", "b"}};
  response_head head;
  head.date_line = "Date: x\r\n";
  head.content_type = "text/plain";
  head.body = {framing::length, 13};
  head.connection = connection_option::keep_alive;
  head.more_lines = "Keep-Alive: timeout=75\r\n";
  head.fields = &h;
  CHECK(written(head) ==
        "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
        "Connection: keep-alive\r\nKeep-Alive: timeout=75\r\nX-A: b\r\n\r\n");
}

TEST_CASE("serialize: every status line is one that the parser takes") {
  for (int status = 100; status < 600; ++status) {
    response_head head;
    head.status = status;
    head.body = {framing::length, 0};
    const outcome o = feed_response({written(head)});
    CHECK(o.state == progress::complete);
    CHECK(o.start == std::to_string(status) + "|" + std::string(reason_phrase(status)));
  }
}

TEST_CASE("serialize: framing is written as chosen") {
  response_head head;
  head.status = 204;
  CHECK(written(head) == "HTTP/1.1 204 No Content\r\n\r\n");
  head.body = {framing::chunked, 0};
  CHECK(written(head).find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  head.body = {framing::until_close, 0};
  head.connection = connection_option::close;
  CHECK(written(head) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  head.body = {framing::length, UINT64_MAX};
  CHECK(written(head).find("Content-Length: 18446744073709551615\r\n") != std::string::npos);
}

TEST_CASE("serialize: a request head is one that the parser takes") {
  headers h{{"Accept", "*/*"}};
  request_head head;
  head.verb = method::msearch;
  head.target = "/a?b";
  head.host = "[::1]:8080";
  head.body = {framing::length, 0};
  head.fields = &h;
  const std::string wire = written(head);
  CHECK(wire ==
        "M-SEARCH /a?b HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 0\r\nAccept: */*\r\n\r\n");
  CHECK(feed_request({wire}).state == progress::complete);
}

TEST_CASE("serialize: nothing can be injected through the request line or Host") {
  for (const char* bad : {"", "/a b", "/a\r\nX: y", "/\n", "/a#b", "/\x7f", "/\xc3\xa4"}) {
    CAPTURE(bad);
    request_head head;
    head.host = "a";
    head.target = bad;
    std::string out(1000, '\0');
    CHECK_THROWS_AS(write_head(head, out.data()), cuvee::error);
    if (bad[0] == '/') {
      head.target = "/";
      head.host = bad;
      CHECK_THROWS_AS(write_head(head, out.data()), cuvee::error);
    }
  }
}

TEST_CASE("serialize: chunk headers are read back by the decoder") {
  for (std::uint64_t size : {1ull, 15ull, 16ull, 65535ull, 0xffffffffffffffffull}) {
    char out[chunk_header_bound];
    const char* end = write_chunk_header(size, out);
    const std::string_view text(out, static_cast<std::size_t>(end - out));
    CHECK(text.ends_with("\r\n"));
    CHECK(std::stoull(std::string(text), nullptr, 16) == size);
  }
}

TEST_CASE("serialize: dates are IMF-fixdate") {
  CHECK(date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(date(4107542399) == "Sun, 28 Feb 2100 23:59:59 GMT");
  CHECK(date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
}
