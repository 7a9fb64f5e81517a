// SPDX-License-Identifier: MIT
// Which status a request is answered with, and whether the connection survives it.
#include "server_case.h"

using namespace server_case;

namespace {

http::app hello_app() {
  http::app a;
  a.get("/", [] { return "hello"; });
  a.post("/", [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  a.any("/any", [](http::request& r) { return std::string(http::to_string(r.method())); });
  return a;
}

constexpr std::string_view host = "Host: a\r\n\r\n";

/// A request after which the server must say `status`, nothing else, and close.
task<> refused(endpoint at, std::string request, int status) {
  std::string reply = co_await reply_to(at, request);
  CAPTURE(request.substr(0, 200));
  CHECK(status_of(reply) == status);
  CHECK(reply.find("\r\nConnection: close\r\n") != reply.npos);
  CHECK(reply.find("\r\nContent-Type: text/plain\r\n") != reply.npos);
  std::size_t body = reply.find("\r\n\r\n") + 4;
  CHECK(reply.find("HTTP/1.1", body) == reply.npos);
  CHECK(reply.substr(body).starts_with(std::to_string(status)));
  CHECK(reply.size() - body < 100);
}

}  // namespace

CUVEE_TEST_CASE("server: a plain handler's text is the response") {
  http::app a = hello_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string reply =
        co_await reply_to(at, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(steady(reply) ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
          "Connection: close\r\n\r\nhello");
  });
}

CUVEE_TEST_CASE("server: an unparsable request is answered with 400 in full, and closed") {
  http::app a = hello_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string reply = co_await reply_to(at, "GET /\r\n\r\n");
    CHECK(steady(reply).starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(reply.find("\r\nDate: ") != reply.npos);
  });
}

CUVEE_TEST_CASE("server: what llhttp lets through is refused at the connection, too") {
  http::app a = hello_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string tail(host);
    struct row {
      std::string request;
      int status;
    };
    const row rows[] = {
        {"GET / HTTP/0.9\r\n" + tail, 505},
        {"GET / HTTP/2.0\r\n" + tail, 505},
        {"GET / HTTP/1.2\r\n" + tail, 505},
        {"OPTIONS / RTSP/1.0\r\n" + tail, 400},
        {"GET * HTTP/1.1\r\n" + tail, 400},
        {"GET a:80 HTTP/1.1\r\n" + tail, 400},
        {"GET http:/// HTTP/1.1\r\n" + tail, 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n" + tail, 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nX: a\r\n b\r\n" + tail, 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\r\nX: a\rb\r\n" + tail, 400},
        {"GET / HTTP/1.1\r\nX: a\0b\r\n"s + tail, 400},
        {"GET  / HTTP/1.1\r\n" + tail, 400},
        {"GET / HTTP/1.1 \r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: +1\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1x\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: \r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + tail, 400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n" + tail, 400},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" + tail, 501},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + tail, 501},
        {"BREW / HTTP/1.1\r\n" + tail, 501},
        {"CONNECT a:80 HTTP/1.1\r\n" + tail, 501},
        {"GET / HTTP/1.1\r\nExpect: cookies\r\n" + tail, 417},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
    };
    for (const row& r : rows) co_await refused(at, r.request, r.status);
  });
}

CUVEE_TEST_CASE("server: too large heads are 414 and 431, also one byte at a time") {
  http::app a = hello_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string tail(host);
    std::string target = "GET /" + std::string(8192, 'a');
    co_await refused(at, target + " HTTP/1.1\r\n" + tail, 414);
    co_await refused(at, target, 414);  // does not wait for the end of the line
    std::string block = "GET / HTTP/1.1\r\nX: " + std::string(16 * 1024, 'b');
    co_await refused(at, block + "\r\n" + tail, 431);
    co_await refused(at, block, 431);
    std::string fields = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 101; i++) fields += "X: 1\r\n";
    co_await refused(at, fields + tail, 431);
  });
}

CUVEE_TEST_CASE("server: 404 and 405 keep the connection, and 405 says what is allowed") {
  http::app a = hello_app();
  co_await talking(a, [](client& c) -> task<> {
    answer missing = co_await c.ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(missing.status == 404);
    CHECK(missing.body == "404 Not Found\n");
    answer wrong = co_await c.ask("PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(wrong.status == 405);
    CHECK(wrong.has("Allow: GET, HEAD, POST, OPTIONS"));
    answer fine = co_await c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(fine.body == "hello");
  });
}

CUVEE_TEST_CASE("server: 405 to a request with a body skips the body") {
  http::app a = hello_app();
  co_await talking(a, [](client& c) -> task<> {
    answer wrong = co_await c.ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345");
    CHECK(wrong.status == 405);
    answer fine = co_await c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(fine.body == "hello");
  });
}

CUVEE_TEST_CASE("server: OPTIONS is answered with 204 and Allow, for a path and for all") {
  http::app a = hello_app();
  co_await talking(a, [](client& c) -> task<> {
    answer path = co_await c.ask("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(path.status == 204);
    CHECK(path.has("Allow: GET, HEAD, POST, OPTIONS"));
    CHECK(path.head.find("Content-Length") == std::string::npos);
    answer all = co_await c.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(all.status == 204);
    answer own = co_await c.ask("OPTIONS /any HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(own.body == "OPTIONS");
    answer none = co_await c.ask("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(none.status == 404);
  });
}

CUVEE_TEST_CASE("server: HEAD has the head of GET and no body") {
  http::app a = hello_app();
  co_await talking(a, [](client& c) -> task<> {
    co_await c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    answer found = co_await c.next(true);
    CHECK(found.status == 200);
    CHECK(found.has("Content-Length: 5"));
    answer missing = co_await c.next(true);
    CHECK(missing.status == 404);
    CHECK(missing.has("Content-Length: 14"));
    answer after = co_await c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(after.body == "hello");
  });
}

CUVEE_TEST_CASE("server: Date is an IMF-fixdate of now") {
  http::app a = hello_app();
  co_await talking(a, [](client& c) -> task<> {
    answer r = co_await c.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string date = r.head.substr(r.head.find("\r\nDate: ") + 8, 29);
    std::tm parsed{};
    const char* end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parsed);
    CHECK(end == date.c_str() + 29);
    CHECK(std::abs(std::difftime(timegm(&parsed), std::time(nullptr))) <= 2);
  });
}

CUVEE_TEST_CASE("server: the authority of an absolute target replaces Host") {
  http::app a;
  a.get("/p", [](http::request& r) { return std::string(r.authority()); });
  co_await talking(a, [](client& c) -> task<> {
    answer r = co_await c.ask("GET http://b:81/p HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(r.body == "b:81");
  });
}

CUVEE_TEST_CASE("server: a declared body beyond the limit is 413 before it is sent") {
  http::app a = hello_app();
  http::serve_options o;
  o.limits.body_bytes = 10;
  co_await serving(a, o, [](endpoint at) -> task<> {
    co_await refused(at, "POST / HTTP/1.1\r\nContent-Length: 11\r\n" + std::string(host), 413);
    client c = co_await connected(at);
    answer fits =
        co_await c.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    CHECK(fits.body == "0123456789");
  });
}

CUVEE_TEST_CASE("server: a chunked body beyond the limit is 413 when it passes it") {
  http::app a = hello_app();
  http::serve_options o;
  o.limits.body_bytes = 10;
  co_await serving(a, o, [](endpoint at) -> task<> {
    std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    co_await refused(at, head + "b\r\n01234567890\r\n0\r\n\r\n", 413);
    co_await refused(at, head + "6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n", 413);
  });
}

CUVEE_TEST_CASE("server: a handler's status that is no final one becomes a reported 500") {
  reports seen;
  http::app a;
  a.get("/early/{n}", [](http::request& r) { return http::response(std::stoi(r.param("n"))); });
  a.get("/task/{n}", [](http::request& r) -> task<http::response> {
    co_return http::response(std::stoi(r.param("n")));
  });
  a.get("/stream/{n}", [](http::request& r, http::response_writer& out) -> task<> {
    out.status(std::stoi(r.param("n")));
    co_await out.write("x");
  });
  a.get("/thrown/{n}",
        [](http::request& r) -> std::string { throw http::http_error(std::stoi(r.param("n"))); });
  co_await talking(a, [](client& c) -> task<> {
    for (std::string kind : {"early", "task", "stream", "thrown"})
      for (std::string status : {"100", "101", "42", "-5", "1000"}) {
        answer r = co_await c.ask("GET /" + kind + "/" + status + " HTTP/1.1\r\nHost: a\r\n\r\n");
        CAPTURE(kind);
        CAPTURE(status);
        CHECK(r.status == 500);
      }
    answer last = co_await c.ask("GET /early/999 HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(last.status == 999);
  });
  CHECK(seen.messages.size() == 20);
}
