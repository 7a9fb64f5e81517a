// SPDX-License-Identifier: MIT
// Request bodies that are sent as they are made.
#include "server_case.h"

#include "scripted_server.h"

#include <cuvee/testing/torture.h>

using namespace server_case;

namespace {

constexpr auto post = http::method::post;

http::app upload_app() {
  http::app a;
  a.post("/read", [](http::request& r) -> task<std::string> {
    auto length = r.content_length();
    std::string text = co_await r.body().text();
    co_return (length ? "declared " : "chunked ") + text;
  });
  a.post("/echo", [](http::request& r, http::response_writer& out) -> task<> {
     while (auto piece = co_await r.body().next()) co_await out.write(*piece);
   }).max_body(1 << 30);
  a.post("/refuse", [](http::request&) { return http::response(403, "no"); });
  return a;
}

http::client_request to(endpoint at, std::string_view path) {
  return {post, "http://" + at.to_string() + std::string(path)};
}

task<std::string> text_of(http::request_writer& w) {
  http::response_stream r = co_await w.response();
  co_return std::to_string(r.status()) + " " + co_await r.body().text();
}

/// Runs `use` with an upload to a server that never answers.
template <class F>
task<> unanswered(std::optional<std::uint64_t> length, F use) {
  scripted::server s(std::vector<scripted::step>{{"", scripted::then::stall}});
  auto user = [&]() -> task<> {
    http::client c;
    http::client_request request(post, s.url());
    http::request_writer w = co_await c.upload(request, length);
    co_await use(w);
  };
  co_await s.during(user());
}

}  // namespace

CUVEE_TEST_CASE("upload: pieces arrive in order, chunked or with their declared length") {
  http::app a = upload_app();
  co_await serving(a, [](endpoint at) -> task<> {
    http::client c;
    http::client_request request = to(at, "/read");
    http::request_writer w = co_await c.upload(request);
    for (std::string_view piece : {"one ", "", "two"}) co_await w.write(piece);
    std::string large(300'000, 'x');
    co_await w.write(large);
    w.finish();
    std::string text = co_await text_of(w);
    CHECK(text == "200 chunked one two" + large);

    http::request_writer declared = co_await c.upload(request, 6);
    co_await declared.write("abc");
    co_await declared.write("def");
    declared.finish();
    text = co_await text_of(declared);
    CHECK(text == "200 declared abcdef");
    CHECK(c.idle_connections() == 1);
  });
}

CUVEE_TEST_CASE("upload: a body beyond all buffers is sent while its echo is read") {
  static constexpr std::size_t whole = 24 << 20;
  http::app a = upload_app();
  co_await serving(a, [](endpoint at) -> task<> {
    http::client c;
    http::client_request request = to(at, "/echo");
    http::request_writer w = co_await c.upload(request);
    std::size_t received = 0;
    auto send = [&]() -> task<> {
      std::string piece(64 << 10, 'x');
      for (std::size_t n = 0; n < whole; n += piece.size()) co_await w.write(piece);
      w.finish();
    };
    auto receive = [&]() -> task<> {
      http::response_stream r = co_await w.response();
      while (auto piece = co_await r.body().next()) received += piece->size();
    };
    co_await gather(send(), receive());
    CHECK(received == whole);
    CHECK(c.idle_connections() == 1);
  });
}

CUVEE_TEST_CASE("upload: an early answer can be read, and the connection is not used again") {
  http::app a = upload_app();
  co_await serving(a, [](endpoint at) -> task<> {
    http::client c;
    http::client_request request = to(at, "/refuse");
    http::request_writer w = co_await c.upload(request);
    co_await w.write("half");
    std::string text = co_await text_of(w);
    CHECK(text == "403 no");
    CHECK(c.connections() == 0);
    auto more = co_await as_result(w.write("more"));
    REQUIRE(!more);
    CHECK(more.error().code() == errc::closed);
  });
}

CUVEE_TEST_CASE("upload: the end of the exchange fails a write that waits in it") {
  auto use = [](http::request_writer& w) -> task<> {
    std::string large(64 << 20, 'x');
    auto failed = co_await move_on_after(5ms, w.write(large));
    CHECK(!failed);
    auto more = co_await as_result(w.write("x"));
    REQUIRE(!more);
    CHECK(more.error().code() == errc::closed);
    auto answer = co_await as_result(w.response());
    CHECK(!answer);
  };
  co_await unanswered(1 << 30, use);
}

CUVEE_TEST_CASE("upload: a response destroyed beside a pending write fails the write") {
  http::app a;
  a.post("/", [](http::request&, http::response_writer& out) -> task<> {
    co_await out.write("early");
    co_await forever();
  });
  http::serve_options o;
  o.shutdown_timeout = 1ms;
  co_await serving(a, o, [](endpoint at) -> task<> {
    http::client c;
    http::client_request request = to(at, "/");
    http::request_writer w = co_await c.upload(request);
    std::string large(64 << 20, 'x');
    bool failed = false;
    auto send = [&]() -> task<> {
      auto sent = co_await as_result(w.write(large));
      failed = !sent && sent.error().code() == errc::closed;
    };
    auto look = [&]() -> task<> {
      http::response_stream r = co_await w.response();
      CHECK(r.status() == 200);
    };
    co_await gather(send(), look());
    CHECK(failed);
  });
}

CUVEE_TEST_CASE("upload: more or less than declared is an error") {
  http::app a = upload_app();
  co_await serving(a, [](endpoint at) -> task<> {
    http::client c;
    http::client_request request = to(at, "/read");
    http::request_writer w = co_await c.upload(request, 3);
    auto more = co_await as_result(w.write("four"));
    REQUIRE(!more);
    CHECK(more.error().code() == errc::limit_exceeded);
    co_await w.write("ab");
    std::error_code code;
    try {
      w.finish();
    } catch (const error& e) {
      code = e.code();
    }
    CHECK(code == errc::end_of_stream);
    auto answer = co_await as_result(w.response());
    CHECK(!answer);

    request.body("whole");
    auto refused = co_await as_result(c.upload(request));
    CHECK(!refused);
  });
}

CUVEE_TEST_CASE("upload: a second write while one is pending is busy, as is finish") {
  auto use = [](http::request_writer& w) -> task<> {
    std::string large(64 << 20, 'x');
    int busy = 0;
    auto second = [&]() -> task<> {
      co_await sleep(1ms);
      auto more = co_await as_result(w.write("x"));
      if (!more && more.error().code() == errc::busy) busy++;
      try {
        w.finish();
      } catch (const error& e) {
        if (e.code() == errc::busy) busy++;
      }
    };
    co_await any_of(w.write(large), second());
    CHECK(busy == 2);
  };
  co_await unanswered(1 << 30, use);
}

CUVEE_TEST_CASE("upload: a server that takes nothing is cut after read_timeout") {
  tcp_listener deaf = listen(endpoint("127.0.0.1", 0));
  testing::virtual_clock clock(loop::current(), 5ms);
  http::client c;
  http::client_request request = to(deaf.local(), "/");
  http::request_writer w = co_await c.upload(request);
  std::string large(64 << 20, 'x');
  auto sent = co_await as_result(w.write(large));
  REQUIRE(!sent);
  CHECK(sent.error().code() == errc::closed);
  CHECK(clock.elapsed() >= 60s);
  CHECK(clock.elapsed() < 300s);
}

CUVEE_TEST_CASE("upload: a write that waits when the total time is over fails as timed out") {
  tcp_listener deaf = listen(endpoint("127.0.0.1", 0));
  testing::virtual_clock clock(loop::current(), 5ms);
  http::client_options o;
  o.total_timeout = 30s;
  http::client c(o);
  http::client_request request = to(deaf.local(), "/");
  http::request_writer w = co_await c.upload(request);
  std::string large(64 << 20, 'x');
  auto sent = co_await as_result(w.write(large));
  REQUIRE(!sent);
  CHECK(sent.error().code() == std::errc::timed_out);
  CHECK(clock.elapsed() >= 30s);
  CHECK(clock.elapsed() < 60s);
}

CUVEE_TEST_CASE("upload: a second response while one is awaited is busy") {
  auto use = [](http::request_writer& w) -> task<> {
    w.finish();
    bool busy = false;
    auto second = [&]() -> task<> {
      co_await checkpoint();  // the first one has begun
      auto answer = co_await as_result(w.response());
      busy = !answer && answer.error().code() == errc::busy;
    };
    co_await any_of(w.response(), second());
    CHECK(busy);
  };
  co_await unanswered(std::nullopt, use);
}

CUVEE_TEST_CASE("upload: the time for the head begins with the end of the body") {
  testing::virtual_clock clock(loop::current(), 1ms);
  auto use = [&](http::request_writer& w) -> task<> {
    for (int i = 0; i < 4; i++) {
      co_await w.write("slow");
      co_await sleep(40s);
    }
    w.finish();
    auto answer = co_await as_result(w.response());
    REQUIRE(!answer);
    CHECK(answer.error().code() == std::errc::timed_out);
    CHECK(clock.elapsed() >= 220s);
    CHECK(clock.elapsed() < 230s);
  };
  co_await unanswered(std::nullopt, use);
}

CUVEE_TEST_CASE("upload: a redirect is the response") {
  scripted::server s(scripted::moved(307, "/there"));
  auto use = [&]() -> task<> {
    http::client_request request(post, s.url());
    http::request_writer w = co_await http::upload(request, 4);
    co_await w.write("body");
    w.finish();
    http::response_stream r = co_await w.response();
    CHECK(r.status() == 307);
    CHECK(s.requests.size() == 1);
    auto again = co_await as_result(w.response());
    CHECK(!again);
  };
  co_await s.during(use());
}

TEST_CASE("upload: can be cancelled at every suspension") {
  http::app a = upload_app();
  auto report = testing::torture([&]() -> task<> {
    http::serve_options o;
    o.shutdown_timeout = 10ms;
    co_await serving(a, o, [](endpoint at) -> task<> {
      http::client c;
      http::client_request request = to(at, "/echo");
      http::request_writer w = co_await c.upload(request);
      std::string piece(100'000, 'x');
      co_await w.write(piece);
      co_await w.write("end");
      w.finish();
      std::string text = co_await text_of(w);
    });
  });
  CHECK(report.suspensions > 5);
  CHECK(report.leaks == "");
}
