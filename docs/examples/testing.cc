// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing.h>

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<int> slow_answer() {
  co_await sleep(24h);
  co_return 42;
}

task<> hand_over(queue<int>& q) {
  auto put = [&]() -> task<> { co_await q.put(1); };
  auto get = [&]() -> task<> { co_await q.get(); };
  co_await gather(put(), get());
}

}  // namespace

CUVEE_TEST_CASE("guide: a day passes at once") {
  testing::virtual_clock clock;
  int answer = co_await slow_answer();
  CHECK(answer == 42);
  CHECK(clock.elapsed() == 24h);
}

TEST_CASE("guide: a cancel anywhere leaves nothing behind") {
  auto body = []() -> task<> {
    queue<int> q(0);
    co_await hand_over(q);
  };
  testing::torture_report seen = testing::torture(body);
  CHECK(seen.suspensions > 0);
  CHECK(seen.leaks.empty());
}
