// SPDX-License-Identifier: MIT
#include "http/chars.h"
#include "http/headers_access.h"
#include "http/parser.h"

#include <cuvee/base/error.h>
#include <cuvee/http/headers.h>

#include <doctest/doctest.h>

#include <string>

using namespace cuvee::http;

namespace {

std::string failure(const std::string& name, const std::string& value) {
  headers h;
  try {
    h.set(name, value);
  } catch (const cuvee::error& e) {
    CHECK(e.code() == std::errc::invalid_argument);
    CHECK(h.empty());
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("headers: names compare without case and order is kept") {
  headers h{
      {"Content-Type", "text/plain"}, {"Set-Cookie", "a=1"}, {"X", "y"}, {"set-cookie", "b=2"}};
  CHECK(h.size() == 4);
  CHECK(h.get("content-TYPE") == "text/plain");
  CHECK(h.get_all("Set-Cookie") == std::vector<std::string_view>{"a=1", "b=2"});
  CHECK_FALSE(h.get("Absent"));
  CHECK(h.contains("x"));
  std::string seen;
  for (header_field f : h) seen.append(f.name).append(1, '=').append(f.value).append(1, ';');
  CHECK(seen == "Content-Type=text/plain;Set-Cookie=a=1;X=y;set-cookie=b=2;");
  CHECK(h.wire() == "Content-Type: text/plain\r\nSet-Cookie: a=1\r\nX: y\r\nset-cookie: b=2\r\n");
}

TEST_CASE("headers: set replaces every field of the name in place") {
  headers h{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  h.set("a", "longer than before");
  CHECK(h.wire() == "A: longer than before\r\nB: 2\r\nC: 4\r\n");
  CHECK(h.get("C") == "4");
  h.set("B", "");
  h.set("D", "  trimmed\t");
  CHECK(h.wire() == "A: longer than before\r\nB: \r\nC: 4\r\nD: trimmed\r\n");
  h.set("A", *h.get("C"));
  CHECK(h.get("A") == "4");
}

TEST_CASE("headers: erase removes all of a name") {
  headers h{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  CHECK(h.erase("A") == 2);
  CHECK(h.erase("A") == 0);
  CHECK(h.wire() == "B: 2\r\n");
  CHECK(h[0].value == "2");
  h.clear();
  CHECK(h.empty());
}

TEST_CASE("headers: a byte that could end a line is refused at set, and the value never shown") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const std::string byte(1, static_cast<char>(c));
    const bool value_ok = (c >= 0x20 && c != 0x7f) || c == '\t';
    const std::string text = failure("X-Key", "secret" + byte + "tail");
    CHECK(text.empty() == value_ok);
    CHECK(text.find("secret") == text.npos);
    if (!value_ok) CHECK(text.find("set header \"X-Key\": ") == 0);
    const bool name_ok = detail::is(static_cast<char>(c), detail::chars::token);
    CHECK(failure("X" + byte + "Y", "v").empty() == name_ok);
  }
  CHECK(failure("", "v").find("empty header name") != std::string::npos);
  CHECK(failure("A\r\nB", "v").find("\"A\\x0d\\x0aB\"") != std::string::npos);
}

TEST_CASE("headers: framing fields cannot be set by hand, in any case") {
  for (const char* name : {"Content-Length", "content-length", "TRANSFER-ENCODING", "Connection",
                           "Keep-Alive", "Proxy-Connection", "Upgrade", "TE"}) {
    CAPTURE(name);
    CHECK(failure(name, "1").find("the library writes this header itself") != std::string::npos);
    headers h;
    CHECK_THROWS_AS(h.add(name, "1"), cuvee::error);
  }
}

TEST_CASE("headers: received fields are copied as they came") {
  const limits l = response_limits();
  detail::response_parser p(l);
  p.parse_head("HTTP/1.1 200 OK\r\nContent-Length:  0 \r\nB:\r\n\r\n");
  const headers h = detail::headers_access::copy(p.arena());
  CHECK(h.get("content-length") == "0");
  CHECK(h.get("b") == "");
  CHECK(h.wire() == "Content-Length: 0\r\nB: \r\n");
}
