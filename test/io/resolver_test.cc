// SPDX-License-Identifier: MIT
// The cache of names. An "asked" name that is none still goes through libc: its label is too long to be sent anywhere.
#include "io_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <algorithm>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const std::string no_such_name = std::string(64, 'x') + ".invalid";

}  // namespace

CUVEE_TEST_CASE("resolver: an answer is kept for its time, whatever the port" *
                doctest::skip(no_localhost())) {
  testing::virtual_clock clock;
  resolver names;
  std::vector<endpoint> first = co_await names.resolve("localhost", 80);
  std::vector<endpoint> plain = co_await resolve("localhost", 80);
  CHECK(first == plain);
  std::vector<endpoint> second = co_await names.resolve("LocalHost", 443);
  REQUIRE(second.size() == first.size());
  for (std::size_t i = 0; i < first.size(); i++) CHECK(second[i] == first[i].with_port(443));
  CHECK(names.statistics().asked == 2);
  CHECK(names.statistics().kept == 1);
  co_await sleep(29s);
  co_await names.resolve("localhost", 80);
  CHECK(names.statistics().kept == 2);
  co_await sleep(1s);
  co_await names.resolve("localhost", 80);
  CHECK(names.statistics().kept == 2);
  names.clear();
  CHECK(names.statistics().names == 0);
  co_await names.resolve("localhost", 80);
  CHECK(names.statistics().kept == 2);
  resolve_options v4;
  v4.family = address_family::v4;
  co_await names.resolve("localhost", 80, v4);  // another question
  CHECK(names.statistics().kept == 2);
  CHECK(names.statistics().names == 2);
}

CUVEE_TEST_CASE("resolver: numeric addresses are neither asked for nor kept") {
  resolver names;
  std::vector<endpoint> found = co_await names.resolve("127.1", 80);
  CHECK(found == std::vector<endpoint>{endpoint("127.0.0.1", 80)});
  CHECK(names.statistics().asked == 0);
  CHECK(names.statistics().names == 0);
}

CUVEE_TEST_CASE("resolver: failures are kept only if asked to be") {
  testing::virtual_clock clock;
  for (duration kept : {duration(0s), duration(5s)}) {
    resolver_options o;
    o.failure_ttl = kept;
    resolver names(o);
    for (int i = 0; i < 2; i++) {
      std::string text = co_await failure(names.resolve(no_such_name, 80));
      CHECK(text.starts_with("resolve " + no_such_name + ": "));
      CHECK(text.find("(EAI_NO") != text.npos);
    }
    CHECK(names.statistics().kept == (kept == 0s ? 0 : 1));
    co_await sleep(5s);
    co_await failure(names.resolve(no_such_name, 80));
    CHECK(names.statistics().kept == (kept == 0s ? 0 : 1));
    std::string text = co_await failure(names.resolve(std::string(300, 'x'), 80));
    CHECK(text.starts_with("resolve xxx"));
    CHECK(names.statistics().names == (kept == 0s ? 0 : 1));
  }
}

CUVEE_TEST_CASE("resolver: equal questions share one lookup, and one that leaves harms no other") {
  resolver names;
  int answers = 0;
  auto ask = [&]() -> task<> {
    auto found = co_await as_result(names.resolve(no_such_name, 80));
    CHECK_FALSE(found);
    answers++;
  };
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> all;
    for (int i = 0; i < 5; i++) all.push_back(g.spawn(ask));
    co_await checkpoint();
    CHECK(names.statistics().asked == 5);
    CHECK(names.statistics().shared == 4);
    all[0].cancel();  // the one whose lookup it is
    all[3].cancel();
  });
  CHECK(answers == 3);
  CHECK(names.statistics().asked == 5);
  // All leave: the lookup is given up, and the next one begins another.
  auto cut = co_await move_on_after(0ms, gather(ask(), ask()));
  CHECK_FALSE(cut);
  co_await ask();
  CHECK(names.statistics().shared == 5);
  CHECK(answers == 4);
}

CUVEE_TEST_CASE("resolver: siblings that ask for one name can be raced") {
  resolver names;
  auto ask = [&]() { return as_result(names.resolve(no_such_name, 80)); };
  auto [a, b, c] = co_await any_of(ask(), ask(), ask());
  CHECK((a || b || c));
  auto all = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      auto found = co_await ask();
      CHECK_FALSE(found);
    }
  };
  std::vector<task<>> many;
  for (int i = 0; i < 6; i++) many.push_back(all());
  co_await gather(width(2), std::move(many));
  CHECK(names.statistics().asked == 21);
}

CUVEE_TEST_CASE("resolver: it keeps so many names, the one unused for longest goes" *
                doctest::skip(no_localhost())) {
  resolver_options o;
  o.max_names = 2;
  o.failure_ttl = 1h;
  resolver names(o);
  auto ask = [&](std::string host) -> task<> {
    auto found = co_await as_result(names.resolve(host, 1));
    static_cast<void>(found);
  };
  std::string other = "y" + no_such_name;
  co_await ask("localhost");
  co_await ask(no_such_name);
  co_await ask("localhost");
  co_await ask(other);  // for no_such_name
  CHECK(names.statistics().names == 2);
  CHECK(names.statistics().kept == 1);
  co_await ask("localhost");
  CHECK(names.statistics().kept == 2);
  co_await ask(no_such_name);
  CHECK(names.statistics().kept == 2);
  CHECK(names.statistics().names == 2);
}

CUVEE_TEST_CASE("resolver: it may go while somebody waits") {
  auto names = std::make_unique<resolver>();
  std::string text;
  auto ask = [&]() -> task<> { text = co_await failure(names->resolve(no_such_name, 80)); };
  auto drop = [&]() -> task<> {
    while (names->statistics().asked == 0) co_await checkpoint();
    names.reset();
  };
  co_await gather(ask(), drop());
  CHECK(text.find("(EAI_") != text.npos);
}

CUVEE_TEST_CASE("resolver: connect asks it" * doctest::skip(no_localhost())) {
  resolver names;
  connect_options o;
  o.names = &names;
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  for (int i = 0; i < 3; i++) {
    tcp_stream s = co_await connect("localhost", l.local().port(), o);
    CHECK(s.peer() == l.local());
  }
  CHECK(names.statistics().asked == 3);
  CHECK(names.statistics().kept == 2);
  std::string text = co_await failure(connect(no_such_name, 80, o));
  CHECK(text.starts_with("resolve " + no_such_name + ": "));
}

TEST_CASE("resolver: cancelled at every suspension and stopped in every round, nothing is left") {
  auto body = []() -> task<> {
    resolver_options o;
    o.failure_ttl = 1h;
    resolver names(o);
    auto ask = [&]() -> task<> {
      auto found = co_await as_result(names.resolve(no_such_name, 80));
      CHECK_FALSE(found);
    };
    co_await gather(ask(), ask(), ask());
    co_await ask();
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
  auto stopped = testing::torture_stop(body);
  CHECK(stopped.leaks == "");
}
