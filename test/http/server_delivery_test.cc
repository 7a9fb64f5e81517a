// SPDX-License-Identifier: MIT
// However the bytes of requests are cut into packets, and wherever the client stops sending, the answers
// are the same.
#include "server_case.h"

using namespace server_case;

namespace {

http::app echo_app() {
  http::app a;
  a.get("/", [](http::request& r) { return "query " + std::string(r.raw_query()); });
  a.post("/", [](http::request& r) -> task<std::string> { co_return co_await r.body().text(); });
  a.put("/", [](http::request& r, http::response_writer& out) -> task<> {
    std::string all = co_await r.body().text();
    co_await out.write(all);
  });
  return a;
}

const std::string conversation =
    "GET /?a=1 HTTP/1.1\r\nHost: a\r\nX-Long: some value\r\n\r\n"
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nTrailer: v\r\n\r\n"
    "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    "bad request\r\n\r\n";

/// What the server says to `text`, sent in pieces that end at `cuts`.
task<std::string> in_pieces(endpoint at, std::string_view text, std::vector<std::size_t> cuts) {
  client c = co_await connected(at);
  std::size_t from = 0;
  cuts.push_back(text.size());
  for (std::size_t to : cuts) {
    std::string_view piece = text.substr(from, to - from);
    co_await c.send(piece);
    from = to;
    for (int i = 0; i < 3; i++) co_await checkpoint();  // the server sees it alone
  }
  std::string all = co_await c.rest();
  co_return steady(std::move(all));
}

task<> same_in_two_pieces(std::size_t from, std::size_t step) {
  http::app a = echo_app();
  co_await serving(a, [&](endpoint at) -> task<> {
    std::string whole = co_await in_pieces(at, conversation, {});
    CHECK(whole.find("query a=1") != whole.npos);
    CHECK(whole.find("wikipedia") != whole.npos);
    for (std::size_t cut = from; cut < conversation.size(); cut += step) {
      std::vector<std::size_t> cuts = {cut};
      std::string again = co_await in_pieces(at, conversation, std::move(cuts));
      CAPTURE(cut);
      CHECK(again == whole);
    }
  });
}

}  // namespace

CUVEE_TEST_CASE("server: requests cut in two at any place are answered alike") {
  co_await same_in_two_pieces(1, 7);
}
CUVEE_TEST_CASE("server: requests cut in two at every place are answered alike" *
                doctest::test_suite("slow")) {
  co_await same_in_two_pieces(1, 1);
}

CUVEE_TEST_CASE("server: requests that arrive byte by byte are answered alike") {
  http::app a = echo_app();
  co_await serving(a, [](endpoint at) -> task<> {
    std::string whole = co_await in_pieces(at, conversation, {});
    std::vector<std::size_t> cuts;
    for (std::size_t i = 1; i < conversation.size(); i++) cuts.push_back(i);
    std::string again = co_await in_pieces(at, conversation, std::move(cuts));
    CHECK(again == whole);
  });
}

CUVEE_TEST_CASE("server: a client that finishes sending at any byte gets what it is owed") {
  http::app a = echo_app();
  std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  co_await serving(a, [&](endpoint at) -> task<> {
    for (std::size_t n = 0; n <= request.size(); n++) {
      std::string reply = co_await reply_after_eof(at, request.substr(0, n));
      CAPTURE(n);
      CHECK(status_of(reply) == (n == 0 ? 0 : n < request.size() ? 400 : 200));
    }
    std::string two = co_await reply_after_eof(at, request + request);
    CHECK(two.find("HTTP/1.1 200", 1) != two.npos);  // a half-close; both answers are owed
  });
}

CUVEE_TEST_CASE("server: a response is written whole whatever the client's window") {
  http::app a;
  std::string text(3 << 20, '\0');
  for (std::size_t i = 0; i < text.size(); i++) text[i] = static_cast<char>(i * 31 + i / 253);
  a.get("/", [&] { return std::string_view(text); });
  a.get("/streamed", [&](http::request&, http::response_writer& out) -> task<> {
    std::size_t size = 1;
    for (std::string_view left = text; !left.empty(); size = size * 3 % 40'009) {
      std::string_view piece = left.substr(0, size);
      left.remove_prefix(piece.size());
      co_await out.write(piece);
    }
  });
  co_await serving(a, [&](endpoint at) -> task<> {
    client c = co_await connected(at);
    co_await c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /streamed HTTP/1.1\r\nHost: a\r\n\r\n");
    answer whole = co_await c.next();
    CHECK((whole.body == text));
    answer streamed = co_await c.next();
    CHECK((streamed.body == text));
  });
}
