// SPDX-License-Identifier: MIT
#include "scripted_server.h"
#include "server_case.h"
#include "test_ca.h"

#include <cuvee/io/tls.h>
#include <cuvee/testing/torture.h>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

const tls_server_context& server_context() {
  static const tls_server_context made(test_ca::server_options());
  return made;
}
const tls_client_context& client_context() {
  static const tls_client_context made(test_ca::client_options());
  return made;
}

http::serve_options securely(const tls_server_context& c = server_context()) {
  http::serve_options o;
  o.tls = &c;
  return o;
}
http::client secure_client(const tls_client_context& c = client_context()) {
  http::client_options o;
  o.tls = &c;
  return http::client(o);
}

std::string url_of(const endpoint& at, std::string_view path = "/") {
  return ("https://" + at.to_string()).append(path);
}

task<std::string> failure(task<http::client_response> request) {
  auto result = co_await as_result(std::move(request));
  if (result) co_return "";
  co_return result.error().what();
}

http::app small_app() {
  http::app a;
  a.get("/", [] { return "Hello"; });
  a.get("/big", [] { return std::string(5'000'000, 'b'); });
  a.post("/echo", [](http::request& r) -> task<http::response> {
    co_return http::response(co_await r.body().text());
  });
  return a;
}

// One TLS connection at a time: says `text`, and then ends TLS, or not.
task<> say_and_end(tcp_listener& l, std::string text, bool in_order) {
  tcp_stream plain = co_await l.accept();
  tls_stream s = co_await start_tls(std::move(plain), server_context());
  char room[4096];
  co_await s.read_some(room);
  co_await s.write(text);
  if (in_order) co_await s.close();
  else s.abort();
}

}  // namespace

CUVEE_TEST_CASE("https: requests go over one connection, bodies both ways") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    http::client c = secure_client();
    for (int i = 0; i < 3; i++) {
      auto page = co_await c.get(url_of(at));
      CHECK(page.status() == 200);
      CHECK(page.body() == "Hello");
    }
    auto big = co_await c.get(url_of(at, "/big"));
    CHECK(big.body().size() == 5'000'000);
    http::client_request post(http::method::post, url_of(at, "/echo"));
    post.body(std::string(700'000, 'x'));
    auto echoed = co_await c.fetch(std::move(post));
    CHECK(echoed.body() == std::string(700'000, 'x'));
    CHECK(c.connections() == 1);
    CHECK(c.idle_connections() == 1);
  });
}

CUVEE_TEST_CASE("https: many at once") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    http::client c = secure_client();
    auto some = [&]() -> task<> {
      for (int i = 0; i < 10; i++) {
        auto page = co_await c.get(url_of(at));
        CHECK(page.body() == "Hello");
      }
    };
    co_await gather(some(), some(), some(), some(), some(), some(), some(), some());
    CHECK(c.connections() <= 8);
  });
}

CUVEE_TEST_CASE("https: pipelined requests are answered in order") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    tls_stream s = co_await tls_connect(at.address(), at.port(), client_context());
    std::string requests;
    for (int i = 0; i < 50; i++) requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    co_await s.write(requests + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    std::string all, piece(65536, '\0');
    while (std::size_t n = co_await s.read_some(piece)) all.append(piece, 0, n);
    std::size_t answers = 0;
    for (std::size_t at_text = 0; (at_text = all.find("\r\n\r\nHello", at_text)) != all.npos;
         at_text++)
      answers++;
    CHECK(answers == 51);
  });
}

CUVEE_TEST_CASE("https: what is wrong with a certificate is in the error") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    std::string url = url_of(at, "/x");
    std::string unknown = co_await failure(http::get(url));
    CHECK(unknown == "get " + url + ": the certificate's issuer is not trusted (CN=server)");
    tls_client_context insecure(tls_client_options().insecure());
    http::client blind = secure_client(insecure);
    auto page = co_await blind.get(url_of(at));
    CHECK(page.body() == "Hello");
  });
  tls_server_context elsewhere(tls_server_options().identity(
      test_ca::shared().issue("elsewhere", {.names = "DNS:elsewhere.test"}).identity()));
  co_await server_case::serving(a, securely(elsewhere), [](endpoint at) -> task<> {
    http::client c = secure_client();
    std::string wrong = co_await failure(c.get(url_of(at)));
    CHECK(wrong ==
          "get " + url_of(at) + ": the certificate is for another host (it is for elsewhere.test)");
  });
}

CUVEE_TEST_CASE("https: a server that speaks plain http, and the other way round") {
  http::app a = small_app();
  co_await server_case::serving(a, [](endpoint at) -> task<> {
    http::client c = secure_client();
    std::string why = co_await failure(c.get(url_of(at)));
    CHECK(why == "get " + url_of(at) + ": wrong version number");
  });
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    auto code = co_await as_result(http::get("http://" + at.to_string()));
    CHECK_FALSE(code);
    http::client c = secure_client();
    auto page = co_await c.get(url_of(at));  // and serves others
    CHECK(page.body() == "Hello");
  });
}

CUVEE_TEST_CASE("https: a handshake that does not end is cut") {
  tcp_listener silent = listen(endpoint("127.0.0.1", 0));
  tls_client_context quick(test_ca::client_options().handshake_timeout(20ms));
  http::client c = secure_client(quick);
  std::string why = co_await failure(c.get(url_of(silent.local())));
  CHECK(why == "get " + url_of(silent.local()) + ": the TLS handshake timed out");
  CHECK(c.connections() == 0);
}

CUVEE_TEST_CASE("https: clients that shake hands slowly hold up nobody, nor a stop") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    std::vector<tcp_stream> slow;
    for (int i = 0; i < 5; i++) slow.push_back(co_await connect(at));
    http::client c = secure_client();
    auto page = co_await c.get(url_of(at));
    CHECK(page.body() == "Hello");
    slow[0].abort();
  });
}

CUVEE_TEST_CASE("https: redirects lead from http to https, never back") {
  http::app secure = small_app();
  co_await server_case::serving(secure, securely(), [](endpoint at) -> task<> {
    scripted::server plain(scripted::moved(302, url_of(at)));
    auto go = [&]() -> task<> {
      http::client c = secure_client();
      http::client_request r(http::method::get, plain.url());
      auto page = co_await c.fetch(std::move(r));
      CHECK(page.body() == "Hello");
      CHECK(page.url().is_https());
    };
    co_await plain.during(go());
  });
  http::app back;
  back.get("/", [] { return http::response(302).header("Location", "http://127.0.0.1:1/"); });
  co_await server_case::serving(back, securely(), [](endpoint at) -> task<> {
    http::client c = secure_client();
    std::string why = co_await failure(c.get(url_of(at)));
    CHECK(why == "get " + url_of(at) + ": a redirect from https to http");
  });
}

CUVEE_TEST_CASE("https: a body that ends with the connection must end with close_notify") {
  for (bool in_order : {true, false}) {
    tcp_listener l = listen(endpoint("127.0.0.1", 0));
    auto client = [&]() -> task<> {
      http::client c = secure_client();
      auto page = co_await as_result(c.get(url_of(l.local())));
      CHECK(page.has_value() == in_order);
      if (page) CHECK(page->body() == "part");
    };
    co_await gather(say_and_end(l, "HTTP/1.1 200 OK\r\n\r\npart", in_order), client());
  }
}

CUVEE_TEST_CASE("https: certificates are renewed while connections go on") {
  http::app a = small_app();
  tls_server_context s(test_ca::server_options());
  co_await server_case::serving(a, securely(s), [&s](endpoint at) -> task<> {
    http::client c = secure_client();
    auto page = co_await c.get(url_of(at));
    CHECK(page.status() == 200);
    s.reload(tls_server_options().identity(
        test_ca::shared().issue("renewed", {.names = "IP:127.0.0.1"}).identity()));
    page = co_await c.get(url_of(at));
    CHECK(page.status() == 200);
    CHECK(c.connections() == 1);  // the one from before
    tls_client_context fresh(test_ca::client_options());
    tls_stream now = co_await tls_connect(at.address(), at.port(), fresh);
    CHECK(now.info().peer->subject == "CN=renewed");
  });
}

CUVEE_TEST_CASE("https: http/1.1 is agreed on, other protocols only are refused") {
  http::app a = small_app();
  co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
    tls_client_context both(test_ca::client_options().alpn("h2", "http/1.1"));
    tls_stream s = co_await tls_connect(at.address(), at.port(), both);
    CHECK(s.info().alpn == "http/1.1");
    tls_client_context h2(test_ca::client_options().alpn("h2"));
    auto refused = co_await as_result(tls_connect(at.address(), at.port(), h2));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == tls_errc::refused_by_peer);
  });
}

CUVEE_TEST_CASE("https: client certificates") {
  http::app a = small_app();
  tls_server_context s(test_ca::server_options()
                           .ca_file(test_ca::shared().file())
                           .ask_clients(client_certificates::required));
  co_await server_case::serving(a, securely(s), [](endpoint at) -> task<> {
    http::client without = secure_client();
    std::string why = co_await failure(without.get(url_of(at)));
    // The request may already be there unread when the server closes: then it is a reset.
    bool told = why == "get " + url_of(at) + ": the peer refused: certificate required" ||
                why.ends_with("(ECONNRESET)") || why.ends_with("(EPIPE)");
    CHECK_MESSAGE(told, why);
    tls_client_context own(test_ca::client_options().identity(test_ca::server_leaf().identity()));
    http::client with = secure_client(own);
    auto page = co_await with.get(url_of(at));
    CHECK(page.body() == "Hello");
  });
}

TEST_CASE("https: torture over a request") {
  server_context();
  client_context();
  auto body = []() -> task<> {
    http::app a = small_app();
    co_await server_case::serving(a, securely(), [](endpoint at) -> task<> {
      http::client c = secure_client();
      auto page = co_await c.get(url_of(at));
      CHECK(page.body() == "Hello");
    });
  };
  auto report = testing::torture(body);
  CHECK_MESSAGE(report.leaks.empty(), report.leaks);
}
