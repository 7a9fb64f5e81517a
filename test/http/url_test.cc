// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/http/url.h>

#include <doctest/doctest.h>

#include <string>

using namespace cuvee::http;

namespace {

std::string normal(std::string_view text) { return url(text).to_string(); }

std::string failure(std::string_view text) {
  try {
    url u(text);
  } catch (const cuvee::error& e) {
    CHECK(e.code() == cuvee::errc::bad_url);
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("url: parts of a full url") {
  const url u(" HTTPS://User:pa%20ss@Example.COM:8443/a/./b/../c?x=1&y#frag\n");
  CHECK(u.is_https());
  CHECK(u.userinfo() == "User:pa%20ss");
  CHECK(u.host() == "example.com");
  CHECK(u.port() == 8443);
  CHECK(u.path() == "/a/c");
  CHECK(u.query() == "x=1&y");
  CHECK(u.fragment() == "frag");
  CHECK(u.authority() == "example.com:8443");
  CHECK(u.origin() == "https://example.com:8443");
  CHECK(u.target() == "/a/c?x=1&y");
  CHECK(u.to_string() == "https://example.com:8443/a/c?x=1&y#frag");
  CHECK(u.to_string_with_userinfo() == "https://User:pa%20ss@example.com:8443/a/c?x=1&y#frag");
}

TEST_CASE("url: normal forms") {
  CHECK(normal("http://a") == "http://a/");
  CHECK(normal("http://a:80/") == "http://a/");
  CHECK(normal("https://a:443") == "https://a/");
  CHECK(normal("https://a:80") == "https://a:80/");
  CHECK(normal("http://a:/") == "http://a/");
  CHECK(normal("http://a:0080/") == "http://a/");
  CHECK(normal("http://a?b") == "http://a/?b");
  CHECK(normal("http://a/?") == "http://a/?");
  CHECK(normal("http://a#b") == "http://a/#b");
  CHECK(normal("http:\\\\a\\b\\c?d\\e") == "http://a/b/c?d\\e");
  CHECK(normal("http://a/b c/\xc3\xa4\"<>`{}^|?q r'\xc3\xa4\"<>#f g") ==
        "http://a/b%20c/%C3%A4%22%3C%3E%60%7B%7D%5E|?q%20r%27%C3%A4%22%3C%3E#f%20g");
  CHECK(normal("http://a/%7e%zz%") == "http://a/%7e%zz%");
  CHECK(normal("http://a/b/%2e%2E/c/%2e") == "http://a/c/");
  CHECK(normal("http://a/../../b") == "http://a/b");
  CHECK(normal("http://a/b/..") == "http://a/");
  CHECK(normal("http://a/b/...") == "http://a/b/...");
  CHECK(normal("http://a//b///c") == "http://a//b///c");
  CHECK(normal("http://%45xample.com/") == "http://example.com/");
  CHECK(normal("http://a.:80/") == "http://a./");
}

TEST_CASE("url: addresses as hosts") {
  CHECK(normal("http://127.0.0.1:81/") == "http://127.0.0.1:81/");
  CHECK(url("http://127.1").host() == "127.0.0.1");
  CHECK(url("http://0x7f.1").host() == "127.0.0.1");
  CHECK(url("http://017700000001").host() == "127.0.0.1");
  CHECK(url("http://2130706433").host() == "127.0.0.1");
  CHECK(url("http://0").host() == "0.0.0.0");
  CHECK(url("http://1.2.3.4.").host() == "1.2.3.4");
  CHECK(url("http://1.2.3.4.example").host() == "1.2.3.4.example");
  CHECK(url("http://0xbad.example").host() == "0xbad.example");
  for (const char* bad :
       {"http://256.0.0.1", "http://1.2.3.4.5", "http://4294967296", "http://1..2",
        "http://08.0.0.1", "http://a.1", "http://1.2.3.0x", "http://1.2.3.4:99999"}) {
    CAPTURE(bad);
    if (std::string_view(bad) != "http://1.2.3.0x") CHECK_FALSE(failure(bad).empty());
  }
  const url six("http://[2001:DB8:0:0:0:0:0:1]:8080/x");
  CHECK(six.host() == "2001:db8::1");
  CHECK(six.has_ipv6_host());
  CHECK(six.authority() == "[2001:db8::1]:8080");
  CHECK(normal("http://[::]/") == "http://[::]/");
  for (const char* bad :
       {"http://[::1", "http://::1/", "http://[::1]x/", "http://[]/", "http://[v1.a]/",
        "http://[fe80::1%25lo]/", "http://[1]/", "http://x[::1]/"}) {
    CAPTURE(bad);
    CHECK_FALSE(failure(bad).empty());
  }
}

TEST_CASE("url: what cannot be one is refused with a reason") {
  CHECK(failure("ht!tp://") == "parse url \"ht!tp://\": no scheme");
  CHECK(failure("") == "parse url \"\": no scheme");
  CHECK(failure("example.com") == "parse url \"example.com\": no scheme");
  CHECK(failure("ftp://a/").find("only http and https") != std::string::npos);
  CHECK(failure("javascript:alert(1)").find("only http and https") != std::string::npos);
  CHECK(failure("http:a").find("no //") != std::string::npos);
  CHECK(failure("http://").find("no host") != std::string::npos);
  CHECK(failure("http:///a").find("no host") != std::string::npos);
  CHECK(failure("http://:80/").find("no host") != std::string::npos);
  CHECK(failure("http://\xc3\xa4.de/").find("beyond ASCII") != std::string::npos);
  CHECK(failure("http://%C3%A4.de/").find("beyond ASCII") != std::string::npos);
  for (const char* bad :
       {"http://a b/", "http://a%20b/", "http://a<b/", "http://a%00/", "http://a%2fb/",
        "http://a:b/", "http://a:65536/", "http://a:-1/", "http://a:8 0/", "http://a|b/",
        "http://a^b", "http://a%/", "http://a%40b/"}) {
    CAPTURE(bad);
    CHECK_FALSE(failure(bad).empty());
  }
  CHECK_FALSE(failure("http://" + std::string(254, 'a')).empty());
}

TEST_CASE("url: a control character anywhere is refused") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const bool bad = c < 0x20 || c == 0x7f;
    const std::string byte(1, static_cast<char>(c));
    CHECK(failure("http://a/b" + byte + "c").empty() == !bad);
    CHECK(failure("http://a/?b" + byte + "c").empty() == !bad);
    if (bad) CHECK_FALSE(failure("http://a" + byte + "b/").empty());
    for (char t : url("http://a/" + (bad ? "" : byte) + "?" + (bad ? "" : byte)).target())
      CHECK((t > 0x20 && t < 0x7f));
  }
}

TEST_CASE("url: the host is what stands after the last at sign and before any slash") {
  CHECK(url("http://good@evil/").host() == "evil");
  CHECK(url("http://a@b@c/").host() == "c");
  CHECK(url("http://a@b@c/").userinfo() == "a%40b");
  CHECK(url("http://evil\\@good/").host() == "evil");
  CHECK(url("http://evil/@good").host() == "evil");
  CHECK(url("http://evil?@good").host() == "evil");
  CHECK(url("http://evil#@good").host() == "evil");
}

TEST_CASE("url: passwords are shown in no error") {
  for (const char* bad : {"http://user:secret@a b/", "http://user:secret@/", "ftp://user:secret@a/",
                          "http:user:secret@a", "http://user:sec/secret@a:x/", "user:secret@a",
                          "http://user:secret@\xc3\xa4/", "http://u:secret\x01@a/"}) {
    CAPTURE(bad);
    const std::string text = failure(bad);
    CHECK_FALSE(text.empty());
    CHECK(text.find("secret") == text.npos);
    CHECK(text.find("user") == text.npos);
  }
}

TEST_CASE("url: references resolve as RFC 3986 says") {
  const url base("http://a/b/c/d;p?q");
  const std::pair<const char*, const char*> cases[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"https://h/x", "https://h/x"},
      {" g\n", "http://a/b/c/g"},
      {"\\g", "http://a/g"},
      {"\\\\g\\h", "http://g/h"},
      {"?", "http://a/b/c/d;p?"},
  };
  for (const auto& [reference, result] : cases) {
    CAPTURE(reference);
    CHECK(base.resolve(reference).to_string() == result);
  }
  CHECK(url("https://a:444/x").resolve("//b/y").to_string() == "https://b/y");
  CHECK(url("https://u:p@a/x").resolve("y").userinfo() == "u:p");
  CHECK(url("https://u:p@a/x").resolve("//a/y").userinfo().empty());
  CHECK_THROWS_AS(base.resolve("mailto:x@y"), cuvee::error);
  CHECK_THROWS_AS(base.resolve("a\r\nb"), cuvee::error);
}

TEST_CASE("url: a path that begins with two slashes stays on its origin") {
  const url u("http://a//evil/x");
  CHECK(u.target() == "//evil/x");
  CHECK(u.origin() == "http://a");
  CHECK(url("http://a/b").resolve("/.//evil").to_string() == "http://a//evil");
}

TEST_CASE("url: origins compare scheme, host and port") {
  CHECK(url("http://a/x").same_origin(url("http://A:80/y")));
  CHECK_FALSE(url("http://a/").same_origin(url("https://a/")));
  CHECK_FALSE(url("http://a/").same_origin(url("http://a:81/")));
  CHECK(url("http://a/x#y") == url("HTTP://A:80/x#y"));
}

TEST_CASE("url: long paths are normalised in linear time") {
  std::string text = "http://a";
  for (int i = 0; i < 200000; ++i) text += "/x";
  for (int i = 0; i < 200000; ++i) text += "/..";
  CHECK(url(text).path() == "/");
}

TEST_CASE("query: names and values are decoded in order") {
  const query_params q("a=1&b=two+words&a=%26%3D%2b&c&=x&&d=e=f&%zz=%");
  CHECK(q.size() == 7);
  CHECK(q.get("a") == "1");
  CHECK(q.get_all("a") == std::vector<std::string_view>{"1", "&=+"});
  CHECK(q.get("b") == "two words");
  CHECK(q.get("c") == "");
  CHECK(q.get("") == "x");
  CHECK(q.get("d") == "e=f");
  CHECK(q.get("%zz") == "%");
  CHECK_FALSE(q.contains("e"));
  CHECK(query_params("").empty());
}

TEST_CASE("query: what is encoded decodes to itself") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  query_params q;
  q.add(all, "x").add("y", all);
  const query_params back(q.to_string());
  CHECK(back.get(all) == "x");
  CHECK(back.get("y") == all);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_decode("a+b%2") == "a+b%2");
}
