// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;
using testing::virtual_clock;

CUVEE_TEST_CASE("scope: the deadline cuts the body, and the scope says so") {
  virtual_clock clock;
  cancel_scope s;
  s.expire_after(1s);
  std::string trace;
  auto value = co_await scope(s, [&](cancel_scope&) { return hang(trace, 'a'); });
  CHECK_FALSE(value.has_value());
  CHECK(s.expired());
  CHECK(clock.elapsed() == 1s);
}

CUVEE_TEST_CASE("scope: a deadline is moved by another task") {
  virtual_clock clock;
  cancel_scope s;
  s.expire_after(10s);
  auto cut = [&]() -> task<> {
    co_await scope(s, [](cancel_scope&) -> task<> { co_await sleep(1h); });
  };
  auto move = [&](duration to) -> task<> {
    co_await sleep(500ms);
    s.expire_after(to);
  };
  SUBCASE("nearer") {
    co_await gather(cut(), move(500ms));
    CHECK(clock.elapsed() == 1s);
  }
  SUBCASE("farther") {
    co_await gather(cut(), move(20s));
    CHECK(clock.elapsed() == 20500ms);
  }
  SUBCASE("away") {
    s.clear_deadline();
    CHECK(s.deadline() == time_point::max());
    co_await gather(cut(), turns(1));
    CHECK(clock.elapsed() == 1h);
    co_return;
  }
  CHECK(s.expired());
}

CUVEE_TEST_CASE("scope: moving the deadline out after it has passed revives nothing") {
  virtual_clock clock;
  cancel_scope s;
  auto value = co_await scope(s, [](cancel_scope& in) -> task<> {
    in.set_deadline(loop::current().now() - 1s);
    co_await shield(sleep(1ms));
    in.expire_after(1h);
    co_await sleep(1ms);
  });
  CHECK_FALSE(value.has_value());
  CHECK(s.expired());
}

CUVEE_TEST_CASE("scope: the nearest deadline is known inside, up to a shield") {
  virtual_clock clock;
  time_point start = loop::current().now();
  time_point seen[4];
  seen[0] = effective_deadline();
  auto inmost = [&]() -> task<> {
    seen[2] = effective_deadline();
    cancel_scope fence;
    fence.set_shield(true);
    co_await scope(fence, [&](cancel_scope&) -> task<> {
      seen[3] = effective_deadline();
      co_return;
    });
  };
  auto inner = [&]() -> task<> {
    seen[1] = effective_deadline();
    co_await move_on_after(2s, inmost());
  };
  co_await timeout(1s, inner());
  CHECK(seen[0] == time_point::max());
  CHECK(seen[1] == start + 1s);
  CHECK(seen[2] == start + 1s);
  CHECK(seen[3] == time_point::max());
}

CUVEE_TEST_CASE("scope: tasks inside combinators know the deadline around them") {
  virtual_clock clock;
  time_point start = loop::current().now();
  std::vector<time_point> seen;
  auto look = [&]() -> task<> {
    seen.push_back(effective_deadline());
    co_return;
  };
  auto spawn = [&](group& g) -> task<> {
    g.spawn(look);
    co_return;
  };
  auto nested = timeout(1h, look());
  co_await timeout(1s, std::move(nested));
  auto both = gather(look(), look());
  co_await move_on_after(2s, std::move(both));
  auto children = task_group(spawn);
  co_await timeout(3s, std::move(children));
  auto settled = as_result(gather(look()));
  auto all_well = co_await timeout(4s, std::move(settled));
  CHECK(all_well.has_value());
  std::vector<time_point> expected;
  for (auto limit : {1s, 2s, 2s, 3s, 4s}) expected.push_back(start + limit);
  CHECK(seen == expected);
}
