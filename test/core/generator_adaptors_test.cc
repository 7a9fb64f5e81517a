// SPDX-License-Identifier: MIT
#include "generators.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

using ints = std::vector<int>;
using texts = std::vector<std::string>;

generator<int> noted(std::string& trace, int n) {
  mark m(trace, 'm');
  for (int i = 0; i < n; i++) {
    trace += std::to_string(i);
    co_yield i;
  }
}
generator<int> fails_at(int at) {
  for (int i = 0; i < at; i++) co_yield i;
  co_await checkpoint();
  throw boom();
}
generator<int&> in_place(ints& v) {
  for (int& i : v) co_yield i;
}
generator<std::unique_ptr<int>> owners(int n) {
  for (int i = 0; i < n; i++) co_yield std::make_unique<int>(i);
}

task<int> doubled_later(int x) {
  co_await checkpoint();
  co_return 2 * x;
}
task<bool> is_odd_later(int x) {
  co_await checkpoint();
  co_return x % 2 == 1;
}

/// True if asking `g` for everything throws boom.
template <class T>
task<bool> throws_boom(generator<T> g) {
  try {
    while (auto x = co_await g.next()) CHECK(x);
  } catch (const boom&) {
    co_return g.done();
  }
  co_return false;
}

}  // namespace

CUVEE_TEST_CASE("iterate: gives the elements of a container it owns") {
  auto all = co_await collect(iterate(texts(2, "text")));
  CHECK(all == texts{"text", "text"});
}

CUVEE_TEST_CASE("map: a plain function, a coroutine, and a capturing one") {
  auto twice = co_await collect(map(count(0, 3), [](int x) { return 2 * x; }));
  CHECK(twice == ints{0, 2, 4});
  twice = co_await collect(map(count(0, 3), doubled_later));
  CHECK(twice == ints{0, 2, 4});
  std::string prefix = "a prefix too long for the string itself ";
  auto named = [prefix](int x) -> task<std::string> {
    co_await checkpoint();
    co_return prefix + std::to_string(x);
  };
  generator<std::string> g = map(count(0, 2), named);
  auto lines = co_await collect(std::move(g));
  CHECK(lines == texts{prefix + "0", prefix + "1"});
}

CUVEE_TEST_CASE("map: references go in and out as references, move-only values move") {
  ints v{1, 2, 3};
  generator<int&> same = map(in_place(v), [](int& x) -> int& { return x; });
  while (auto x = co_await same.next()) *x += 10;
  CHECK(v == ints{11, 12, 13});
  auto numbers = co_await collect(map(owners(3), [](std::unique_ptr<int> p) { return *p; }));
  CHECK(numbers == ints{0, 1, 2});
  auto kept = co_await collect(map(count(0, 2), [](int x) { return std::make_unique<int>(x); }));
  CHECK(*kept[1] == 1);
}

CUVEE_TEST_CASE("filter: a plain predicate and a coroutine") {
  auto odd = co_await collect(filter(count(0, 6), [](int x) { return x % 2 == 1; }));
  CHECK(odd == ints{1, 3, 5});
  odd = co_await collect(filter(count(0, 6), is_odd_later));
  CHECK(odd == ints{1, 3, 5});
  auto kept = co_await collect(filter(owners(3), [](const auto& p) { return *p != 1; }));
  REQUIRE(kept.size() == 2);
  CHECK(*kept[1] == 2);
}

CUVEE_TEST_CASE("take: stops asking after the last one, and drops its source") {
  std::string trace;
  generator<int> few = take(noted(trace, 9), 2);
  CHECK(trace.empty());
  while (auto x = co_await few.next()) trace += x ? '.' : '!';
  CHECK(trace == "0.1.m");
  auto none = co_await collect(take(noted(trace, 9), 0));
  CHECK(none.empty());
  CHECK(trace == "0.1.m");
  auto all = co_await collect(take(count(0, 2), 5));
  CHECK(all == ints{0, 1});
}

CUVEE_TEST_CASE("skip: leaves out the first, or all") {
  auto rest = co_await collect(skip(count(0, 5), 3));
  CHECK(rest == ints{3, 4});
  rest = co_await collect(skip(count(0, 5), 9));
  CHECK(rest.empty());
}

CUVEE_TEST_CASE("enumerate: numbers elements, and refers to those of a generator of references") {
  std::string seen;
  generator<std::pair<std::size_t, std::unique_ptr<int>>> g = enumerate(owners(2), 5);
  while (auto x = co_await g.next())
    seen += std::to_string(x->first) + ':' + std::to_string(*x->second) + ' ';
  CHECK(seen == "5:0 6:1 ");
  ints v{1, 2};
  auto refs = enumerate(in_place(v));
  while (auto x = co_await refs.next()) x->second = 7;
  CHECK(v == ints{7, 7});
}

CUVEE_TEST_CASE("zip: ends with the shortest, asks its sources at the same time") {
  testing::virtual_clock clock;
  auto rows = co_await collect(zip(count_slowly(0, 3), count_slowly(10, 20, 4ms), count(5, 9)));
  REQUIRE(rows.size() == 3);
  CHECK(rows[2] == std::tuple(2, 12, 7));
  CHECK(clock.elapsed() <= 17ms);
}

CUVEE_TEST_CASE("chain: one source after the other, several or a vector of them") {
  auto all = co_await collect(chain(count(0, 2), count_slowly(5, 7), count(9, 9)));
  CHECK(all == ints{0, 1, 5, 6});
  std::vector<generator<int>> many;
  for (int i = 0; i < 3; i++) many.push_back(count(i, i + 1));
  all = co_await collect(chain(std::move(many)));
  CHECK(all == ints{0, 1, 2});
}

CUVEE_TEST_CASE("for_each: plain functions and coroutines, one element after the other") {
  int sum = 0;
  co_await for_each(count(0, 4), [&](int x) { sum += x; });
  CHECK(sum == 6);
  std::string trace;
  auto slow = [&](int x) -> task<> {
    trace += '<';
    co_await checkpoint();
    trace += std::to_string(x) + '>';
  };
  co_await for_each(count(0, 3), slow);
  CHECK(trace == "<0><1><2>");
}

CUVEE_TEST_CASE("adaptors: in a pipe, from left to right") {
  generator<std::pair<std::size_t, int>> g = count(0, 100) | filter(is_odd_later) |
                                             map([](int x) { return x * x; }) | skip(1) | take(2) |
                                             enumerate();
  std::string seen;
  while (auto x = co_await g.next())
    seen += std::to_string(x->first) + ':' + std::to_string(x->second) + ' ';
  CHECK(seen == "0:9 1:25 ");
}

CUVEE_TEST_CASE("adaptors: lazy, and dropped half-way they drop their sources") {
  std::string trace;
  {
    auto g = noted(trace, 9) | map([](int x) { return x; }) | filter([](int) { return true; });
    CHECK(trace.empty());
    co_await g.next();
    co_await g.next();
    CHECK(trace == "01");
  }
  CHECK(trace == "01m");
}

CUVEE_TEST_CASE("adaptors: a source or callable that fails ends them with its error") {
  bool failed = co_await throws_boom(map(fails_at(2), doubled_later));
  CHECK(failed);
  failed = co_await throws_boom(filter(fails_at(2), is_odd_later));
  CHECK(failed);
  failed = co_await throws_boom(zip(count(0, 9), fails_at(2)));
  CHECK(failed);
  failed = co_await throws_boom(chain(count(0, 2), fails_at(0)));
  CHECK(failed);
  failed = co_await throws_boom(map(count(0, 2), [](int) -> int { throw boom(); }));
  CHECK(failed);
}

CUVEE_TEST_CASE("adaptors: cancelled while they wait, frames go innermost first") {
  std::string trace;
  auto source = [&]() -> generator<int> {
    mark m(trace, 's');
    co_yield 1;
    co_await hang(trace, 'h');
  };
  auto stuck = [&](int x) -> task<int> {
    mark m(trace, 'f');
    if (x == 1) co_await forever();
    co_return x;
  };
  auto g = source() | take(2) | enumerate();
  auto run_out = [&]() -> task<> {
    while (auto x = co_await g.next()) trace += std::to_string(x->second);
  };
  co_await any_of(turns(9), run_out());
  CHECK(trace == "1hs");
  CHECK(g.done());
  trace.clear();
  co_await any_of(turns(9), collect(map(source(), stuck)));
  CHECK(trace == "fs");
  trace.clear();
  co_await any_of(turns(9), collect(zip(source(), source())));
  CHECK(trace == "hshs");
}

TEST_CASE("adaptors: cancelled at every suspension, nothing leaks") {
  auto body = []() -> task<> {
    auto g = zip(count_slowly(0, 3) | map(doubled_later), owners(4)) | enumerate();
    while (auto x = co_await g.next()) co_await turns(static_cast<int>(x->first));
    co_await for_each(chain(count_slowly(0, 2), count(0, 2)) | filter(is_odd_later), doubled_later);
  };
  auto report = testing::torture(body);
  CHECK(report.suspensions > 15);
  CHECK(report.leaks == "");
}
