// SPDX-License-Identifier: MIT
#include "exec_case.h"

#include <cuvee/testing/doctest.h>

#include <vector>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t threads = 8;

/// 8 threads, each with a loop: `body(own, refs)` runs on each when all loops are there; they go when all have
/// returned.
template <class F>
void on_eight_loops(F body) {
  std::vector<std::optional<loop_ref>> refs(threads);
  std::latch ready(threads);
  std::atomic<std::size_t> finished = 0;
  auto run_one = [&](std::size_t own) {
    loop l;
    refs[own].emplace(l.ref());
    ready.arrive_and_wait();
    l.run([&]() -> task<> {
      co_await body(own, refs);
      finished++;
      while (finished < threads) co_await checkpoint();
    });
  };
  std::vector<std::thread> all;
  for (std::size_t t = 0; t < threads; t++) all.emplace_back(run_one, t);
  for (auto& t : all) t.join();
}

}  // namespace

TEST_SUITE_BEGIN("slow");

TEST_CASE("loops: 8 threads with a loop each post 10,000 calls to each other, and all arrive") {
  constexpr int each = 10'000;
  std::vector<int> received(threads, 0);
  on_eight_loops([&](std::size_t own, std::vector<std::optional<loop_ref>>& refs) -> task<> {
    for (int i = 0; i < each; i++) {
      std::size_t other = (own + 1 + static_cast<std::size_t>(i) % (threads - 1)) % threads;
      refs[other]->post([&received, other] { received[other]++; });
      if (i % 64 == 0) co_await checkpoint();
    }
    // The last that anyone has posted to anyone comes before the answer to this.
    for (auto& ref : refs) co_await call_on(*ref, [] {});
  });
  int total = 0;
  for (int n : received) total += n;
  CHECK(total == each * static_cast<int>(threads));
}

TEST_CASE("loops: 8 loops call tasks on each other and cancel half of them") {
  std::atomic<int> ran = 0;
  on_eight_loops([&](std::size_t own, std::vector<std::optional<loop_ref>>& refs) -> task<> {
    auto call = [&ran]() -> task<> {
      ran++;
      co_await checkpoint();
    };
    for (std::size_t i = 0; i < 50; i++) {
      loop_ref& other = *refs[(own + i) % threads];
      co_await task_group([&](group& g) -> task<> {
        g.spawn([&]() -> task<> { co_await call_on(other, call); });
        auto dropped = g.spawn([&]() -> task<> { co_await call_on(other, call); });
        co_await checkpoint();
        dropped.cancel();
      });
    }
  });
  CHECK(ran >= 50 * static_cast<int>(threads));
}

TEST_CASE("loops: 8 loops share a pool, cancel and abandon some of their jobs") {
  thread_pool pool(4);
  std::atomic<int> ran = 0;
  on_eight_loops([&](std::size_t, std::vector<std::optional<loop_ref>>&) -> task<> {
    auto job = [&ran] { ran++; };
    for (int i = 0; i < 50; i++)
      co_await task_group([&](group& g) -> task<> {
        g.spawn([&]() -> task<> { co_await pool.run(job); });
        auto dropped = g.spawn([&]() -> task<> { co_await pool.run(job); });
        auto left = g.spawn([&]() -> task<> { co_await pool.run(job).abandon_on_cancel(); });
        co_await checkpoint();
        dropped.cancel();
        left.cancel();
      });
  });
  CHECK(ran >= 50 * static_cast<int>(threads));
}

TEST_SUITE_END();

CUVEE_TEST_CASE("post: taken back by another thread before it ran, it never runs") {
  loop_ref home = loop::current().ref();
  bool ran = false;
  bool taken_back = false;
  post_handle handle = home.post_cancellable([&] { ran = true; });
  std::thread other([&] { taken_back = handle.cancel(); });
  other.join();
  co_await turns(3);
  co_await call_on(home, [] {});
  CHECK(taken_back);
  CHECK_FALSE(ran);
  CHECK(handle.cancel());
}

CUVEE_TEST_CASE("post: taken back while it runs, the other thread waits until it has ended") {
  guest_loop guest;
  gate door;
  std::atomic<bool> ended = false;
  post_handle handle = guest.ref().post_cancellable([&] {
    door.pass();
    ended = true;
  });
  door.await_entered(1);
  bool seen_ended = false, taken_back = true;
  std::thread other([&] {
    taken_back = handle.cancel();
    seen_ended = ended;
  });
  door.open();
  other.join();
  CHECK_FALSE(taken_back);
  CHECK(seen_ended);
  CHECK_FALSE(handle.cancel());
  co_return;
}
