// SPDX-License-Identifier: MIT
#include "generators.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <memory>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

generator<std::unique_ptr<int>> owners(int n) {
  for (int i = 0; i < n; i++) co_yield std::make_unique<int>(i);
}
generator<int&> in_place(std::vector<int>& v) {
  for (int& i : v) co_yield i;
}
generator<const std::string&> words() {
  std::string kept = "kept";
  co_yield kept;
  co_yield std::string("temporary");
}
generator<std::string> texts() {
  std::string own = "own";
  co_yield own;
  co_yield "literal";
  co_yield own;
}
generator<int> failing(std::string& trace) {
  mark m(trace, 'm');
  co_yield 1;
  co_await checkpoint();
  throw boom("late");
}

struct parts {
  std::string text;
  std::shared_ptr<int> shared;
};
generator<parts> aggregates(std::shared_ptr<int> shared) {
  parts first{"a text too long for the string itself", shared};
  co_yield first;
  co_yield std::move(first);
}

}  // namespace

CUVEE_TEST_CASE("generator: iterated, gives what the body yields, then nothing for ever") {
  generator<int> g = count(0, 3);
  std::string seen;
  while (auto x = co_await g.next()) seen += std::to_string(*x);
  CHECK(seen == "012");
  CHECK(g.done());
  auto again = co_await g.next();
  CHECK(again == nullptr);
}

CUVEE_TEST_CASE("generator: a body that awaits leaves and tasks between its yields") {
  testing::virtual_clock clock;
  generator<int> g = count_slowly(1, 5);
  int sum = co_await sum_of(g);
  CHECK(sum == 10);
  CHECK(clock.elapsed() == 4ms);
  std::string trace;
  generator<int> tasks = marked(trace, 'm', 4);
  sum = co_await sum_of(tasks);
  CHECK(sum == 6);
  CHECK(trace == "m");
}

CUVEE_TEST_CASE("generator: an empty body ends at the first next") {
  generator<int> g = count(0, 0);
  CHECK_FALSE(g.done());
  auto x = co_await g.next();
  CHECK(x == nullptr);
  CHECK(g.done());
}

CUVEE_TEST_CASE("generator: lazy, nothing runs before the first next") {
  std::string trace;
  auto shared = std::make_shared<int>(1);
  auto body = [](std::string& out, std::shared_ptr<int>) -> generator<int> {
    out += 'x';
    co_yield 1;
  };
  {
    generator<int> g = body(trace, shared);
    CHECK(shared.use_count() == 2);
    CHECK(trace.empty());
  }
  CHECK(shared.use_count() == 1);
  CHECK(trace.empty());
  co_return;
}

CUVEE_TEST_CASE("generator: move-only values are moved out of it") {
  generator<std::unique_ptr<int>> g = owners(3);
  std::vector<std::unique_ptr<int>> kept;
  while (auto x = co_await g.next()) kept.push_back(std::move(*x));
  REQUIRE(kept.size() == 3);
  CHECK(*kept[2] == 2);
}

CUVEE_TEST_CASE("generator: references name the yielded objects") {
  std::vector<int> v{1, 2, 3};
  generator<int&> g = in_place(v);
  while (auto x = co_await g.next()) *x *= 2;
  CHECK(v == std::vector<int>{2, 4, 6});

  generator<const std::string&> w = words();
  std::string seen;
  while (auto x = co_await w.next()) seen += *x + ' ';
  CHECK(seen == "kept temporary ");
}

CUVEE_TEST_CASE("generator: moving out of what an lvalue yield gave leaves the body's own object") {
  generator<std::string> g = texts();
  std::vector<std::string> seen;
  while (auto x = co_await g.next()) seen.push_back(std::move(*x));
  CHECK(seen == std::vector<std::string>{"own", "literal", "own"});
}

CUVEE_TEST_CASE("generator: aggregates with members that own something, by copy and by move") {
  auto shared = std::make_shared<int>(1);
  {
    generator<parts> g = aggregates(shared);
    std::size_t size = 0;
    while (auto x = co_await g.next()) size += x->text.size();
    CHECK(size == 2 * 37);
  }
  CHECK(shared.use_count() == 1);
}

CUVEE_TEST_CASE("generator: an exception comes out of next and ends it") {
  std::string trace;
  generator<int> g = failing(trace);
  auto first = co_await g.next();
  CHECK(*first == 1);
  std::string caught;
  try {
    co_await g.next();
  } catch (const boom& e) {
    caught = e.what();
  }
  CHECK(caught == "late");
  CHECK(trace == "m");
  CHECK(g.done());
  auto after = co_await g.next();
  CHECK(after == nullptr);
}

CUVEE_TEST_CASE("generator: an error of next as a result") {
  generator<int> g = count(0, 1);
  auto first = co_await as_result(g.next());
  REQUIRE(first.has_value());
  CHECK(**first == 0);
  auto refuses = []() -> generator<int> {
    co_await checkpoint();
    throw error(errc::closed, "read");
    co_yield 1;
  };
  generator<int> bad = refuses();
  auto second = co_await as_result(bad.next());
  CHECK_FALSE(second.has_value());
}

CUVEE_TEST_CASE("generator: a second next while one is in progress is refused as busy") {
  testing::keep_fifo();
  std::string trace;
  generator<int> g = marked(trace, 'm', 2);
  auto second = [&]() -> task<bool> {
    try {
      co_await g.next();
    } catch (const error& e) {
      CHECK(std::string(e.what()).starts_with("next generator: "));
      co_return e.code() == errc::busy;
    }
    co_return false;
  };
  auto [first, refused] = co_await gather(g.next(), second());
  CHECK(*first == 0);
  CHECK(refused);
  auto more = co_await g.next();
  CHECK(*more == 1);
}

CUVEE_TEST_CASE("generator: a body that asks itself for the next value is refused as busy") {
  generator<int>* self = nullptr;
  auto body = [](generator<int>*& me) -> generator<int> {
    auto x = co_await me->next();
    co_yield *x;
  };
  generator<int> g = body(self);
  self = &g;
  bool refused = false;
  try {
    co_await g.next();
  } catch (const error& e) {
    refused = e.code() == errc::busy;
  }
  CHECK(refused);
}

CUVEE_TEST_CASE("generator: several tasks take turns at it") {
  testing::virtual_clock clock;
  generator<int> g = count_slowly(0, 6);
  std::string seen;
  auto taker = [&](char letter) -> task<> {
    for (int i = 0; i < 3; i++) {
      auto x = co_await g.next();
      seen += letter;
      seen += std::to_string(*x);
      co_await sleep(5ms);
    }
  };
  auto later = [&]() -> task<> {
    co_await sleep(2500us);
    co_await taker('b');
  };
  co_await gather(taker('a'), later());
  CHECK(seen == "a0b1a2b3a4b5");
}

CUVEE_TEST_CASE("generator: a body that never waits lets others run") {
  bool other_ran = false;
  auto other = [&]() -> task<> {
    other_ran = true;
    co_return;
  };
  auto endless = []() -> generator<int> {
    for (int i = 0;; i++) co_yield i;
  };
  co_await task_group([&](group& own) -> task<> {
    own.spawn(other);
    generator<int> g = endless();
    while (!other_ran) co_await g.next();
  });
  CHECK(other_ran);
}
