// SPDX-License-Identifier: MIT
#include "gate.h"

#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <thread>
#include <vector>

using namespace cuvee;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("virtual clock: 100 tasks that sleep 24 h take no time, at exact moments") {
  testing::virtual_clock clock;
  auto before = std::chrono::steady_clock::now();
  std::vector<task<>> all;
  auto body = [&](int i) -> task<> {
    for (int n = 1; n <= 24; n++) {
      co_await sleep(1h);
      CHECK(clock.elapsed() == n * 1h);
    }
    co_await sleep(std::chrono::milliseconds(i));
  };
  for (int i = 0; i < 100; i++) all.push_back(body(i));
  co_await gather(std::move(all));
  CHECK(clock.elapsed() == 24h + 99ms);
  CHECK(std::chrono::steady_clock::now() - before < 10s);
}

CUVEE_TEST_CASE("virtual clock: stands still while tasks run") {
  testing::virtual_clock clock;
  for (int i = 0; i < 5000; i++) co_await checkpoint();  // more than one turn of the loop
  CHECK(clock.elapsed() == 0s);
  CHECK(loop::current().now() == loop::current().now());
}

CUVEE_TEST_CASE("virtual clock: what is ready runs before time passes") {
  testing::virtual_clock clock;
  event e;
  auto busy = [&]() -> task<> {
    for (int i = 0; i < 3000; i++) co_await checkpoint();
    e.set();
  };
  auto [set, slept, done] = co_await any_of(e.wait(), sleep(1ns), busy());
  CHECK(set.has_value());
  CHECK_FALSE(slept.has_value());
  CHECK(clock.elapsed() == 0s);
  (void)done;
}

CUVEE_TEST_CASE("virtual clock: two of them in turn, and real time between") {
  duration real{};
  {
    testing::virtual_clock clock;
    co_await sleep(1h);
    CHECK(clock.elapsed() == 1h);
  }
  auto before = std::chrono::steady_clock::now();
  co_await sleep(2ms);
  real = std::chrono::steady_clock::now() - before;
  CHECK(real >= 2ms);
  testing::virtual_clock clock;
  co_await sleep(1h);
  CHECK(clock.elapsed() == 1h);
}

CUVEE_TEST_CASE("virtual clock: with a quiet time, an event from outside comes before the jump") {
  testing::virtual_clock clock(loop::current(), 30s);
  event e;
  loop_ref home = loop::current().ref();
  std::thread other([&] { home.post([&] { e.set(); }); });
  auto [set, slept] = co_await any_of(e.wait(), sleep(1h));
  other.join();
  CHECK(set.has_value());
  CHECK_FALSE(slept.has_value());
  CHECK(clock.elapsed() == 0s);
}

CUVEE_TEST_CASE("virtual clock: with a quiet time and nothing from outside, jumps all the same") {
  testing::virtual_clock clock(loop::current(), 1ms);
  co_await sleep(1h);
  CHECK(clock.elapsed() == 1h);
}

CUVEE_TEST_CASE("virtual clock: a job on a thread keeps it from jumping") {
  testing::virtual_clock clock;
  scenario::gate door;
  loop_ref home = loop::current().ref();
  std::thread visitor([&] {
    door.await_entered(1);
    for (int i = 0; i < 5; i++) {  // the loop has chances to jump
      home.post([] {});
      std::this_thread::sleep_for(1ms);
    }
    door.open();
  });
  duration at_end = 1h;
  auto works = [&]() -> task<> {
    co_await offload([&] { door.pass(); });
    at_end = clock.elapsed();
  };
  co_await gather(sleep(1h), works());
  visitor.join();
  CHECK(at_end == 0s);
  CHECK(clock.elapsed() == 1h);
}

TEST_CASE("virtual clock: installed before the loop runs") {
  loop l;
  testing::virtual_clock clock(l);
  auto body = []() -> task<> { co_await sleep(1h); };
  l.run(body());
  l.run(body());
  CHECK(clock.elapsed() == 2h);
}
