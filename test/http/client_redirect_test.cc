// SPDX-License-Identifier: MIT
#include "scripted_server.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace scripted;

namespace {

std::string line_of(const std::string& request) { return request.substr(0, request.find('\r')); }
bool has(const std::string& request, std::string_view field) {
  return request.find("\r\n" + std::string(field) + ": ") != std::string::npos;
}

}  // namespace

CUVEE_TEST_CASE("redirect: relative and absolute, is followed on the same connection") {
  server s({{moved(301, "/b?x=1")}, {moved(302, "c/d")}, {ok("end")}});
  http::client c;
  auto use = [&]() -> task<> {
    auto page = co_await c.get(s.url("/a"));
    CHECK(page.body() == "end");
    CHECK(page.url().to_string() == s.url("/c/d"));
  };
  co_await s.during(use());
  CHECK(s.connections == 1);
  REQUIRE(s.requests.size() == 3);
  CHECK(line_of(s.requests[1]) == "GET /b?x=1 HTTP/1.1");
  CHECK(line_of(s.requests[2]) == "GET /c/d HTTP/1.1");
}

CUVEE_TEST_CASE("redirect: of a POST, becomes a GET or stays as the status says") {
  struct expected {
    int status;
    http::method verb;
    const char* then;
  };
  const expected rules[] = {
      {301, http::method::post, "GET"},       {302, http::method::post, "GET"},
      {303, http::method::post, "GET"},       {307, http::method::post, "POST"},
      {308, http::method::post, "POST"},      {301, http::method::put, "PUT"},
      {303, http::method::put, "GET"},        {303, http::method::head, "HEAD"},
      {302, http::method::delete_, "DELETE"},
  };
  for (const expected& e : rules) {
    CAPTURE(e.status);
    server s({{e.verb == http::method::head ? "HTTP/1.1 303 x\r\nLocation: /to\r\n\r\n"
                                            : moved(e.status, "/to")},
              {e.verb == http::method::head ? "HTTP/1.1 200 OK\r\n\r\n" : ok("")}});
    auto use = [&]() -> task<> {
      http::client_request r(e.verb, s.url());
      if (e.verb != http::method::head) r.body("text").content_type("text/x");
      co_await http::fetch(std::move(r));
    };
    co_await s.during(use());
    REQUIRE(s.requests.size() == 2);
    CHECK(line_of(s.requests[1]) == std::string(e.then) + " /to HTTP/1.1");
    bool changed = std::string_view(e.then) == "GET";
    bool empty = changed || e.verb == http::method::head;
    CHECK(has(s.requests[1], "Content-Length") == !empty);
    CHECK(has(s.requests[1], "Content-Type") == !empty);
    CHECK(s.requests[1].ends_with("\r\n\r\ntext") == !empty);
  }
}

CUVEE_TEST_CASE("redirect: to another origin, loses every credential and the Host") {
  server other(ok("there"));
  for (const std::string& to : {other.url("/x"), other.url("/x").substr(5)}) {
    server s({{moved(302, to)}, {ok("")}});
    auto use = [&]() -> task<> {
      http::headers fields;
      fields.add("Authorization", "a").add("authorization", "b").add("Cookie", "c=d");
      fields.add("cookie", "e=f").add("Proxy-Authorization", "g").add("X-Kept", "1");
      fields.add("Host", "example.org");
      http::client_request r(http::method::get, s.url());
      r.headers(std::move(fields));
      auto page = co_await http::fetch(std::move(r));
      CHECK(page.body() == "there");
    };
    co_await other.during(s.during(use()));
    CHECK(has(s.requests[0], "Authorization"));
    CHECK(has(s.requests[0], "cookie"));
    const std::string& second = other.requests.back();
    for (const char* name :
         {"Authorization", "authorization", "Cookie", "cookie", "Proxy-Authorization"})
      CHECK(!has(second, name));
    CHECK(has(second, "X-Kept"));
    CHECK(second.find("Host: 127.0.0.1:" + std::to_string(other.port())) != std::string::npos);
  }
}

CUVEE_TEST_CASE("redirect: within the origin, keeps credentials") {
  server s({{moved(302, "/x")}, {ok("")}});
  auto use = [&]() -> task<> {
    http::client_request r(http::method::get, s.url());
    r.header("Authorization", "a").header("Cookie", "c=d");
    co_await http::fetch(std::move(r));
  };
  co_await s.during(use());
  CHECK(has(s.requests[1], "Authorization"));
  CHECK(has(s.requests[1], "Cookie"));
}

CUVEE_TEST_CASE("redirect: for ever, ends after ten") {
  server s(moved(302, "/again"));
  std::string text;
  auto use = [&]() -> task<> { text = co_await error_of(http::get(s.url())); };
  co_await s.during(use());
  CHECK(text == "get " + s.url("/again") + ": more than 10 redirects");
  CHECK(s.requests.size() == 11);
}

CUVEE_TEST_CASE("redirect: given back where the options say so") {
  server s(moved(302, "/again"));
  http::client_options options;
  options.redirects = http::on_redirect::give_back;
  http::client c(options);
  auto use = [&]() -> task<> {
    auto page = co_await c.get(s.url());
    CHECK(page.status() == 302);
    CHECK(page.body() == "moved");
    CHECK(page.header("Location").value_or("") == "/again");
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("redirect: to what is no http URL, is an error") {
  for (const char* to : {"ftp://a/", "file:///etc/passwd", "http://[::1", "javascript:x"}) {
    CAPTURE(to);
    server s(moved(302, to));
    std::string text;
    auto use = [&]() -> task<> { text = co_await error_of(http::get(s.url())); };
    co_await s.during(use());
    CHECK(text.starts_with("get " + s.url() + ": redirect: "));
    CHECK(s.requests.size() == 1);
  }
}

CUVEE_TEST_CASE("redirect: without a Location, is the response") {
  server s("HTTP/1.1 302 x\r\nContent-Length: 2\r\n\r\nhm");
  auto use = [&]() -> task<> {
    auto page = co_await http::get(s.url());
    CHECK(page.status() == 302);
    CHECK(page.body() == "hm");
  };
  co_await s.during(use());
}

CUVEE_TEST_CASE("redirect: with a huge body, costs the connection but not the time") {
  server s({{"HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 1000000\r\n\r\n", then::stall},
            {ok("end")}});
  auto use = [&]() -> task<> {
    auto page = co_await http::get(s.url());
    CHECK(page.body() == "end");
  };
  co_await s.during(use());
  CHECK(s.connections == 2);
}
