// SPDX-License-Identifier: MIT
#include "io_case.h"
#include "until_closed_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const endpoint any_port("127.0.0.1", 0);

task<> echo(tcp_stream s) {
  std::string room(4096, '\0');
  while (std::size_t n = co_await s.read_some(room))
    co_await s.write(std::string_view(room.data(), n));
}

task<std::string> ask(tcp_stream& s, std::string text) {
  co_await s.write(text);
  co_return co_await read_exact(s, text.size());
}

}  // namespace

CUVEE_TEST_CASE("serve: each connection has a task; a cancel stops listening and ends") {
  tcp_listener l = listen(any_port);
  endpoint at = l.local();
  co_await task_group([&](group& g) -> task<> {
    auto server = g.spawn([&]() -> task<> { co_await serve(l, &echo); });
    tcp_stream a = co_await connect(at), b = co_await connect(at);
    std::string one = co_await ask(a, "one"), two = co_await ask(b, "two");
    CHECK(one == "one");
    CHECK(two == "two");
    co_await a.close();
    co_await b.close();
    server.cancel();
  });
  CHECK_FALSE(l.is_open());
  auto code = co_await failure_code(connect(at));
  CHECK(code == std::errc::connection_refused);
}

CUVEE_TEST_CASE("serve: a failing handler ends its connection only, and is reported once") {
  tcp_listener l = listen(any_port);
  std::vector<std::string> reports, own;
  loop::current().on_report([&](const report& r) { reports.push_back(describe(r.error)); });
  auto fail = [](tcp_stream s) -> task<> {
    std::string what = co_await read_exact(s, 1);
    throw std::runtime_error(what);
  };
  auto clients = [&]() -> task<> {
    for (std::string text : {"a", "b"}) {
      tcp_stream s = co_await connect(l.local());
      co_await s.write(text);
      std::string end = co_await read_all(s);
      CHECK(end.empty());
    }
    l.close();
  };
  task<> asking = clients();
  co_await gather(serve(l, fail), std::move(asking));
  CHECK(reports == std::vector<std::string>{"a", "b"});
  loop::current().on_report(nullptr);

  l = listen(any_port);
  connection_error_handler note = [&](std::exception_ptr e) { own.push_back(describe(e)); };
  asking = clients();
  co_await gather(serve(l, fail, {}, note), std::move(asking));
  CHECK(own == std::vector<std::string>{"a", "b"});
}

CUVEE_TEST_CASE("serve: closing the listener waits for the clients that are there") {
  tcp_listener l = listen(any_port);
  bool ended = false;
  auto server = [&]() -> task<> {
    co_await serve(l, &echo);
    ended = true;
  };
  auto client = [&]() -> task<> {
    tcp_stream s = co_await connect(l.local());
    endpoint at = l.local();
    std::string before = co_await ask(s, "x");
    l.close();
    for (int i = 0; i < 10; i++) co_await checkpoint();
    auto code = co_await failure_code(connect(at));
    CHECK(code == std::errc::connection_refused);
    CHECK_FALSE(ended);
    std::string after = co_await ask(s, "y");
    CHECK(after == "y");
  };
  task<> serving = server(), asking = client();
  co_await gather(std::move(serving), std::move(asking));
  CHECK(ended);
}

CUVEE_TEST_CASE("serve: at its limit it notices that the listener is closed, and drains") {
  tcp_listener l = listen(any_port);
  serve_limits one;
  one.most_connections = 1;
  one.drain = 1ms;
  auto client = [&]() -> task<> {
    tcp_stream s = co_await connect(l.local());
    std::string said = co_await ask(s, "x");
    CHECK(said == "x");
    l.close();
    std::string rest = co_await read_all(s);  // ends as the handler is cancelled
    CHECK(rest.empty());
  };
  task<> serving = serve(l, &echo, one), asking = client();
  co_await gather(std::move(serving), std::move(asking));
}

CUVEE_TEST_CASE("listener: until_closed ends with a close, at once behind it, and when cancelled") {
  tcp_listener l = listen(any_port);
  co_await check_until_closed(l);
}

CUVEE_TEST_CASE("serve: open without clients, it does not end") {
  tcp_listener l = listen(any_port);
  auto cut = co_await move_on_after(1ms, serve(l, &echo));
  CHECK(cut);  // it ended normally when its time was over
  CHECK_FALSE(l.is_open());
}

CUVEE_TEST_CASE("serve: a limit of no connections is refused") {
  tcp_listener l = listen(any_port);
  serve_limits limits;
  limits.most_connections = 0;
  auto code = co_await failure_code(serve(l, echo, limits));
  CHECK(code == std::errc::invalid_argument);
}

CUVEE_TEST_CASE("serve: beyond the limit connections wait in the kernel") {
  tcp_listener l = listen(any_port);
  serve_limits two;
  two.most_connections = 2;
  int now = 0, most = 0;
  auto handle = [&](tcp_stream s) -> task<> {
    most = std::max(most, ++now);
    for (int i = 0; i < 3; i++) co_await checkpoint();
    co_await s.write("x");
    now--;
  };
  auto clients = [&]() -> task<> {
    std::vector<tcp_stream> all;
    for (int i = 0; i < 10; i++) {
      tcp_stream s = co_await connect(l.local());
      all.push_back(std::move(s));
    }
    for (tcp_stream& s : all) {
      std::string got = co_await read_all(s);
      CHECK(got == "x");
    }
    l.close();
  };
  task<> asking = clients();
  co_await gather(serve(l, handle, two), std::move(asking));
  CHECK(most == 2);
}

CUVEE_TEST_CASE("serve: when stopped, connections may end for a while, the stalled are cancelled") {
  testing::virtual_clock clock(loop::current(), 2ms);
  tcp_listener l = listen(any_port);
  serve_limits five;
  five.drain = 5s;
  int finished = 0, reported = 0;
  auto handle = [&](tcp_stream s) -> task<> {
    std::string wait = co_await read_exact(s, 1);
    co_await sleep(wait == "s" ? duration(1s) : duration(1h));
    co_await s.write("done");
    finished++;
  };
  connection_error_handler count = [&](std::exception_ptr) { reported++; };
  co_await task_group([&](group& g) -> task<> {
    auto server = g.spawn([&]() -> task<> { co_await serve(l, handle, five, count); });
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 10; i++) {
      tcp_stream s = co_await connect(l.local());
      co_await s.write(i < 9 ? "s" : "h");
      clients.push_back(std::move(s));
    }
    co_await sleep(10ms);
    duration before = clock.elapsed();
    server.cancel();
    for (int i = 0; i < 10; i++) {
      std::string got = co_await read_all(clients[static_cast<std::size_t>(i)]);
      CHECK(got == (i < 9 ? "done" : ""));
    }
    CHECK(clock.elapsed() - before == 5s);
  });
  CHECK(finished == 9);
  CHECK(reported == 0);
}

TEST_CASE("serve: cancelled at every suspension, at its limit and below, nothing is left") {
  for (std::size_t most : {1u, 10u}) {
    auto report = testing::torture([&]() -> task<> {
      tcp_listener l = listen(any_port);
      auto client = [&]() -> task<> {
        tcp_stream s = co_await connect(l.local());
        std::string got = co_await ask(s, "x");
        CHECK(got == "x");
        l.close();
      };
      serve_limits quick;
      quick.drain = 0s;
      quick.most_connections = most;
      task<> asking = client();
      co_await gather(serve(l, &echo, quick), std::move(asking));
    });
    CHECK(report.cancelled > 2);
    CHECK(report.leaks == "");
  }
}
