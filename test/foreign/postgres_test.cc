// SPDX-License-Identifier: MIT
// libpq, driven by `readable`, `writable` and `fd_watch` against a PostgreSQL of the test's own.
#include <cuvee/testing/doctest.h>

#if defined(CUVEE_TEST_LIBPQ)
#include "postgres.h"

using namespace postgres;

namespace {

// One waits for a lock that another has until the rest have had their answers.
task<> queries_at_once(server& s, connection& holder) {
  std::vector<task<connection>> opening;
  for (int i = 0; i < 6; i++) opening.push_back(connection::open(s.address()));
  std::vector<connection> all = co_await gather(std::move(opening));
  std::string locked = co_await holder.value("select pg_advisory_lock(7)::text");
  std::string order;
  auto wait = [&]() -> task<> {
    co_await all[0].query("select pg_advisory_lock(7)");
    order += 'w';
  };
  auto ask = [&](std::size_t i) -> task<> {
    std::string twice = co_await all[i].value("select $1::int * 2", std::to_string(i));
    CHECK(twice == std::to_string(i * 2));
    order += 'a';
    if (order.size() != 5) co_return;
    std::string unlocked = co_await holder.value("select pg_advisory_unlock(7)");
    CHECK(unlocked == "t");
  };
  std::vector<task<>> asking;
  for (std::size_t i = 1; i < all.size(); i++) asking.push_back(ask(i));
  co_await gather(wait(), gather(std::move(asking)));
  CHECK(order == "aaaaaw");
}

// More than fits into the socket's buffers, both ways.
task<> large_values(connection& c) {
  std::string text(5'000'000, 'x');
  std::string back = co_await c.value("select $1::text || 'y'", text);
  bool same = back == text + 'y';
  CHECK(same);
  answer rows = co_await c.query("select generate_series(1, 50000)");
  CHECK(PQntuples(rows.get()) == 50'000);
}

task<> errors_are_told(server& s, connection& c) {
  std::string said;
  try {
    co_await c.query("select nonsense");
  } catch (const failure& f) {
    said = f.what();
  }
  CHECK(said.find("\"nonsense\"") != said.npos);
  said.clear();
  try {
    co_await connection::open(s.address() + " user=nobody");
  } catch (const failure& f) {
    said = f.what();
  }
  CHECK(said.find("\"nobody\"") != said.npos);
  try {
    co_await connection::open("host=/nowhere/at/all");
    said.clear();
  } catch (const failure& f) {
    said = f.what();
  }
  CHECK(said.find("/nowhere/at/all") != said.npos);
}

task<> cancelled_half_way(connection& c, connection& other) {
  const char* active =
      "select count(*) from pg_stat_activity where state = 'active' and query = 'select "
      "pg_sleep(3600)'";
  bool ended = false;
  auto sleep_long = [&]() -> task<> {
    co_await c.query("select pg_sleep(3600)");
    ended = true;
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn(sleep_long);
    for (std::string count = "0"; count != "1"; count = co_await other.value(active))
      co_await sleep(1ms);
    h.cancel();
    auto end = co_await as_result(h.join());
    CHECK_FALSE(end);
  });
  CHECK_FALSE(ended);
  std::string count = co_await other.value(active);
  CHECK(count == "0");
  std::string two = co_await c.value("select 1 + 1");  // goes on with the same connection
  CHECK(two == "2");
}

task<> notifications(connection& listener, connection& other) {
  co_await listener.query("listen news");
  auto tell = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      co_await checkpoint();
      co_await other.query("select pg_notify('news', $1)", std::to_string(i));
    }
  };
  auto hear = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      std::string text = co_await listener.notification();
      CHECK(text == "news " + std::to_string(i));
    }
  };
  co_await gather(tell(), hear());
  auto none = co_await move_on_after(5ms, listener.notification());
  CHECK_FALSE(none);
}

// The server hangs up on somebody who waits.
task<> terminated(server& s, connection& other) {
  connection c = co_await connection::open(s.address());
  std::string pid = std::to_string(PQbackendPID(c.native())), said;
  auto wait = [&]() -> task<> {
    try {
      co_await c.notification();
    } catch (const failure& f) {
      said = f.what();
    }
  };
  auto end = [&]() -> task<> {
    std::string done = co_await other.value("select pg_terminate_backend($1::int)", pid);
    CHECK(done == "t");
  };
  co_await gather(wait(), end());
  CHECK(said.find("terminat") != said.npos);
}

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE(
    "libpq: connections, queries at once, a cancelled one, notices and a hang-up, all in one loop" *
    doctest::skip(missing())) {
  auto use = [](server& s) -> task<> {
    connection a = co_await timeout(60s, first_connection(s));
    connection b = co_await connection::open(s.address());
    co_await queries_at_once(s, a);
    co_await large_values(b);
    co_await errors_are_told(s, a);
    co_await cancelled_half_way(a, b);
    co_await notifications(a, b);
    co_await terminated(s, b);
  };
  co_await with_resource(server::start(), use);
}

TEST_SUITE_END();

#else

TEST_CASE("libpq: not tested" * doctest::test_suite("slow")) {
  std::printf("skipped: libpq, which was not there when this build was configured\n");
}

#endif
