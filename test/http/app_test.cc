// SPDX-License-Identifier: MIT
// What handlers may look like, and what they see of a request.
#include "server_case.h"

using namespace server_case;

namespace {

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a:8080\r\nX-One: 1\r\nX-One: 2\r\n\r\n";
}

std::string plain_function(http::request& r) { return r.param("x"); }

/// The answer to one request, on a connection of its own.
task<answer> asked(const http::app& a, std::string request) {
  answer r;
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    r = co_await c.ask(request);
  });
  co_return r;
}

}  // namespace

CUVEE_TEST_CASE("app: handlers may return text, a response or a task of either") {
  http::app a;
  a.get("/literal", [] { return "text"; });
  a.get("/string", [] { return "text"s; });
  a.get("/view", [] { return "text"sv; });
  a.get("/response", [] { return http::response(202, "text"); });
  a.get("/task", []() -> task<std::string> { co_return "text"; });
  a.get("/task-response", []() -> task<http::response> { co_return http::response(202, "text"); });
  a.get("/task-view", [](http::request&) -> task<std::string_view> { co_return "text"; });
  a.get("/task-literal", []() -> task<const char*> { co_return "text"; });
  a.get("/function/{x}", &plain_function);
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    for (std::string_view path :
         {"/literal", "/string", "/view", "/response", "/task", "/task-response", "/task-view",
          "/task-literal", "/function/text"}) {
      answer r = co_await c.ask(get(path));
      CAPTURE(path);
      CHECK(r.body == "text");
      CHECK(r.status == (path.find("response") == path.npos ? 200 : 202));
      CHECK(r.has("Content-Type: text/plain"));
    }
  });
}

CUVEE_TEST_CASE("app: captures of a handler live as long as the app, also in coroutines") {
  http::app a;
  std::string long_text = "a text that is too long to sit inside of a string object";
  a.get("/", [long_text]() -> task<std::string> {
    co_await checkpoint();
    co_return long_text;
  });
  answer r = co_await asked(a, get("/"));
  CHECK(r.body == long_text);
}

CUVEE_TEST_CASE("app: a handler sees the request as it was sent") {
  http::app a;
  a.get("/p/{one}/{rest...}", [](http::request& r) {
    std::string text;
    text.append(r.target()).append("|").append(r.path()).append("|").append(r.raw_query());
    text.append("|").append(r.query().get("k").value_or("none")).append("|").append(r.authority());
    text.append("|").append(r.header("x-one").value_or("none")).append("|");
    text.append(r.header("absent") ? "there" : "absent").append("|").append(r.param("one"));
    text.append("|").append(r.param("rest")).append("|").append(r.param("other"));
    text.append("|").append(std::to_string(r.minor_version())).append(r.has_body() ? "body" : "");
    return text;
  });
  answer r = co_await asked(a, get("/p/a%2Fb%20c/d/e?k=v%26w&x"));
  CHECK(r.body ==
        "/p/a%2Fb%20c/d/e?k=v%26w&x|/p/a%2Fb%20c/d/e|k=v%26w&x|v&w|a:8080|1|absent|a/b c|d/e||1");
}

CUVEE_TEST_CASE("app: views of the request stay good while the handler waits") {
  http::app a;
  a.post("/", [](http::request& r) -> task<std::string> {
    std::string_view target = r.target(), field = *r.header("X-Long");
    std::string body = co_await r.body().text();
    co_await sleep(1ms);
    co_return std::string(target) + " " + std::string(field) + " " + std::to_string(body.size());
  });
  std::string request =
      "POST /?q HTTP/1.1\r\nHost: a\r\nX-Long: value\r\nContent-Length: 200000\r\n\r\n";
  answer r = co_await asked(a, request + std::string(200'000, 'x') + get("/next"));
  CHECK(r.body == "/?q value 200000");
}

CUVEE_TEST_CASE("app: copied headers and the peer's address outlive the request") {
  http::app a;
  std::optional<http::headers> kept;
  std::string peer;
  a.get("/", [&](http::request& r) {
    kept = r.copy_headers();
    peer = r.peer().address();
    return "x";
  });
  co_await asked(a, get("/"));
  REQUIRE(kept);
  CHECK(kept->get_all("X-One").size() == 2);
  CHECK(kept->get("host") == "a:8080");
  CHECK(peer == "127.0.0.1");
}

CUVEE_TEST_CASE("app: a response carries its own fields once") {
  http::app a;
  a.get("/", [] {
    http::response r("<p>");
    r.content_type("text/html").header("X-A", "1").header("x-a", "2");
    r.headers().add("Set-Cookie", "a=1").add("Set-Cookie", "b=2");
    return r;
  });
  answer r = co_await asked(a, get("/"));
  CHECK(r.has("Content-Type: text/html"));
  CHECK(r.head.find("text/plain") == std::string::npos);
  CHECK(r.head.find("X-A: 1") == std::string::npos);
  CHECK(r.head.find("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n") != std::string::npos);
}

CUVEE_TEST_CASE("app: a field that would split the response is an error of the handler") {
  reports seen;
  http::app a;
  a.get("/", [](http::request& r) {
    return http::response("x").header("X-Back", http::percent_decode(r.raw_query()));
  });
  answer r = co_await asked(a, get("/?a%0d%0aSet-Cookie:%20evil=1"));
  CHECK(r.status == 500);
  CHECK(r.head.find("evil") == std::string::npos);
  CHECK(seen.messages.size() == 1);
}

CUVEE_TEST_CASE("app: the fallback answers what no pattern matches") {
  http::app a;
  a.get("/x", [] { return "x"; });
  a.fallback([](http::request& r) {
    return std::string(http::to_string(r.method())) + " " + std::string(r.target());
  });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer known = co_await c.ask(get("/x"));
    CHECK(known.body == "x");
    answer unknown = co_await c.ask(get("/y?z"));
    CHECK(unknown.body == "GET /y?z");
    answer all = co_await c.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(all.body == "OPTIONS *");
    answer wrong = co_await c.ask("PUT /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(wrong.status == 405);
  });
}

CUVEE_TEST_CASE("app: 204 and 304 never have a body, whatever the handler says") {
  http::app a;
  a.get("/204", [] { return http::response(204, "text"); });
  a.get("/304", [] { return http::response(304, "text"); });
  a.get("/x", [] { return "x"; });
  co_await serving(a, [](endpoint at) -> task<> {
    client c = co_await connected(at);
    answer none = co_await c.ask(get("/204")), same = co_await c.ask(get("/304"));
    CHECK(none.status == 204);
    CHECK(same.status == 304);
    answer next = co_await c.ask(get("/x"));
    CHECK(next.body == "x");
  });
}
