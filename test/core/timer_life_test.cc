// SPDX-License-Identifier: MIT
// What is left of timers, and of the deadlines that stand on them: nothing.
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/shuffle.h>
#include <cuvee/testing/virtual_clock.h>

#include <string>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;
using testing::virtual_clock;

namespace {

std::size_t timers() { return loop::current().stats().timers; }

task<> nap_many(int n) {
  std::vector<decltype(sleep(1h))> naps;
  for (int i = 0; i < n; i++) naps.push_back(sleep(1h + i * 1ms));
  co_await gather(std::move(naps));
}

}  // namespace

CUVEE_TEST_CASE("timer: stopped and started again for the same moment, it comes last") {
  testing::keep_fifo();
  virtual_clock clock;
  time_point then = loop::current().now() + 1s;
  std::string trace;
  cancel_scope scopes[3];
  auto wait = [&](int i) -> task<> {
    scopes[i].set_deadline(then);
    co_await scope(scopes[i], [](cancel_scope&) -> task<> { co_await sleep(1h); });
    trace += static_cast<char>('a' + i);
  };
  auto restart = [&]() -> task<> {
    co_await sleep(10ms);
    scopes[0].clear_deadline();
    scopes[0].set_deadline(then);
  };
  co_await gather(wait(0), wait(1), wait(2), restart());
  CHECK(trace == "bca");
}

CUVEE_TEST_CASE("scope: its deadline can be read after it has passed, a cancel then does nothing") {
  virtual_clock clock;
  time_point then = loop::current().now() + 1s;
  cancel_scope s;
  s.set_deadline(then);
  auto cut = co_await scope(s, [](cancel_scope&) -> task<> { co_await sleep(1h); });
  CHECK_FALSE(cut);
  CHECK(s.deadline() == then);
  s.cancel("too late");
  CHECK(s.why()->text == "its deadline passed");
  CHECK(s.expired());
  s.expire_after(1h);
  CHECK(timers() == 0);
}

CUVEE_TEST_CASE("timeout: no limit at all never cuts, and arms nothing that matters") {
  virtual_clock clock;
  co_await timeout(duration::max(), sleep(24h));
  auto value = co_await move_on_after(duration::max(), sleep(24h));
  CHECK(value);
  CHECK(clock.elapsed() == 48h);
  CHECK(timers() == 0);
}

CUVEE_TEST_CASE("timeout: a cancel in the turn of the completion is never swallowed, 1000 times") {
  for (int i = 0; i < 1000; i++) {
    event e;
    std::string trace;
    auto waits = [&]() -> task<> {
      co_await timeout(1h, e.wait());
      trace += 'v';
      co_await checkpoint();
      trace += '!';
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(waits);
      co_await checkpoint();
      e.set();
      h.cancel();
    });
    if (trace != "v") CHECK(trace == "v");
  }
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("timer: 100,000 armed and 99,900 cancelled, 100 are left") {
  virtual_clock clock;
  event enough;
  auto look = [&]() -> task<> {
    co_await checkpoint();
    CHECK(timers() == 100'000);
    enough.set();
    co_await turns(2);
    CHECK(timers() == 100);
  };
  auto most = any_of(nap_many(99'900), enough.wait());
  auto rest = any_of(nap_many(100), look());
  co_await gather(std::move(most), std::move(rest));
  CHECK(timers() == 0);
}

CUVEE_TEST_CASE("timeout: 100,000 armed and left before they expire, no timer stays") {
  for (int i = 0; i < 50'000; i++) co_await timeout(1h, checkpoint());
  CHECK(timers() == 0);
  event go;
  using limited = decltype(timeout(1h, go.wait()));
  std::vector<limited> waits;
  for (int i = 0; i < 50'000; i++) waits.push_back(timeout(1h, go.wait()));
  auto set = [&]() -> task<> {
    CHECK(timers() == 50'000);
    go.set();
    co_return;
  };
  co_await gather(gather(std::move(waits)), set());
  CHECK(timers() == 0);
}

TEST_SUITE_END();
