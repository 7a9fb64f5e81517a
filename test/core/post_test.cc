// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <random>
#include <thread>
#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("post: 1000 from one thread run in order, none inside the call") {
  loop_ref home = loop::current().ref();
  std::vector<int> order;
  event done;
  std::thread poster([&] {
    for (int i = 0; i < 1000; i++) home.post([&order, i] { order.push_back(i); });
    home.post([&] { done.set(); });
  });
  co_await done.wait();
  poster.join();
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; i++) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

CUVEE_TEST_CASE("post: from the loop's own thread, runs later and in order") {
  std::string trace;
  event done;
  loop_ref home = loop::current().ref();
  home.post([&] {
    trace += 'a';
    home.post([&] {
      trace += 'c';
      done.set();
    });
    trace += 'b';
  });
  trace += '0';
  co_await done.wait();
  CHECK(trace == "0abc");
}

CUVEE_TEST_CASE("post: from 8 threads, every call arrives once, each thread's in order") {
  constexpr int threads = 8, each = 2000;
  loop_ref home = loop::current().ref();
  std::vector<int> next(threads, 0);
  bool in_order = true;
  int left = threads;
  event done;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; t++)
    all.emplace_back([&, t] {
      for (int i = 0; i < each; i++)
        home.post([&, t, i] { in_order &= next[static_cast<std::size_t>(t)]++ == i; });
      home.post([&] {
        if (--left == 0) done.set();
      });
    });
  co_await done.wait();
  for (auto& t : all) t.join();
  CHECK(in_order);
  for (int n : next) CHECK(n == each);
}

TEST_CASE("post: to a closed loop, is an error and the call is destroyed") {
  std::optional<loop_ref> home;
  {
    loop l;
    home.emplace(l.ref());
  }
  auto owned = std::make_shared<int>(1);
  std::error_code code;
  try {
    home->post([owned] {});
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == errc::loop_closed);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("post: accepted but not run when the loop goes, is destroyed") {
  auto owned = std::make_shared<int>(1);
  {
    loop l;
    l.ref().post([owned] {});
    CHECK(owned.use_count() == 2);
  }
  CHECK(owned.use_count() == 1);
}

CUVEE_TEST_CASE("post: a pending timer of an hour does not delay it") {
  loop_ref home = loop::current().ref();
  event arrived;
  std::thread poster([&] { home.post([&] { arrived.set(); }); });
  auto [came, late] = co_await any_of(arrived.wait(), sleep(1h));
  poster.join();
  CHECK(came.has_value());
  CHECK_FALSE(late.has_value());
}

namespace {

// A thread posts without pause while the loop ends: it gets loop_closed, at whatever moment.
void post_into_the_end(int rounds) {
  for (int i = 0; i < rounds; i++) {
    std::optional<loop> l;
    l.emplace();
    loop_ref home = l->ref();
    std::latch posting(1);
    bool refused = false;
    std::thread poster([&] {
      try {
        for (int n = 0;; n++) {
          home.post([] {});
          if (n == 0) posting.count_down();
        }
      } catch (const error& e) {
        refused = e.code() == errc::loop_closed;
      }
    });
    posting.wait();
    l->run(give_later(i));
    l.reset();
    poster.join();
    REQUIRE(refused);
  }
}

}  // namespace

TEST_CASE("post: a thread that posts without pause while the loop ends, gets loop_closed") {
  post_into_the_end(5);
}
TEST_CASE("post: the same 1000 times" * doctest::test_suite("slow")) { post_into_the_end(1000); }

TEST_CASE("loops: 8 threads with a loop each post 1000 calls to every other one") {
  constexpr int threads = 8, each = 1000;
  std::vector<std::optional<loop_ref>> refs(threads);
  std::vector<int> received(threads, 0);
  std::latch ready(threads), finished(threads);
  auto body = [&](std::size_t own) {
    loop l;
    refs[own].emplace(l.ref());
    ready.arrive_and_wait();
    l.run([&]() -> task<> {
      for (int i = 0; i < each; i++)
        for (std::size_t other = 0; other < threads; other++)
          if (other != own) refs[other]->post([&received, other] { received[other]++; });
      while (received[own] < each * (threads - 1)) co_await checkpoint();
    });
    finished.arrive_and_wait();
  };
  std::vector<std::thread> all;
  for (std::size_t t = 0; t < threads; t++) all.emplace_back(body, t);
  for (auto& t : all) t.join();
  for (int n : received) CHECK(n == each * (threads - 1));
}

TEST_CASE("post: 4096 calls, most of which race two timers, one of the two fires" *
          doctest::test_suite("slow")) {
  constexpr int calls = 4096, racing = 3584;
  loop l;
  std::minstd_rand random(1);
  int called = 0, ended = 0, both = 0;
  auto race_timers = [&](std::chrono::microseconds soon) -> task<> {
    auto [late, early] = co_await any_of(sleep(10ms), sleep(soon));
    if (late && early) both++;
    ended++;
  };
  auto call = [&] {
    if (called++ < racing)
      l.background().spawn(race_timers, std::chrono::microseconds(500 + random() % 500));
  };
  loop_ref home = l.ref();
  std::thread poster([&] {
    for (int i = 0; i < calls; i++) home.post(call);
  });
  l.run([&]() -> task<> {
    while (called < calls || ended < racing) co_await sleep(1ms);
  });
  poster.join();
  CHECK(called == calls);
  CHECK(ended == racing);
  CHECK(both == 0);
  CHECK(l.stats().timers == 0);
}
