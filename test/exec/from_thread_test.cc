// SPDX-License-Identifier: MIT
#include "exec_case.h"

#include <cuvee/testing/doctest.h>

#include <memory>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {
auto edeadlk = std::make_error_code(std::errc::resource_deadlock_would_occur);
}

CUVEE_TEST_CASE("from_thread: a job of the loop calls a function and a task on it") {
  loop_ref home = loop::current().ref();
  auto own = std::this_thread::get_id();
  auto job = [&] {
    auto id = from_thread::run(home, [] { return std::this_thread::get_id(); });
    int value = from_thread::run(home, []() -> task<int> {
      co_await sleep(1ms);
      co_return 7;
    });
    from_thread::run(home, []() -> task<> { co_await checkpoint(); });
    return std::make_pair(id, value);
  };
  auto from_offload = co_await offload(job);
  CHECK(from_offload.first == own);
  CHECK(from_offload.second == 7);
  thread_pool pool(1);
  auto from_pool = co_await pool.run(job);
  CHECK(from_pool.first == own);
  CHECK(from_pool.second == 7);
}

CUVEE_TEST_CASE("from_thread: what the function or task throws comes through with its type") {
  loop_ref home = loop::current().ref();
  auto job = [&] {
    int caught = 0;
    try {
      from_thread::run(home, []() -> int { throw boom(); });
    } catch (const boom&) {
      caught++;
    }
    try {
      from_thread::run(home, [] { return fail_later(); });
    } catch (const boom&) {
      caught++;
    }
    auto no_frame = []() -> task<int> { throw boom(); };
    auto before_a_task = [&]() -> task<int> {
      if (caught > 0) throw boom();
      return no_frame();
    };
    try {
      from_thread::run(home, before_a_task);
    } catch (const boom&) {
      caught++;
    }
    return caught;
  };
  int caught = co_await offload(job);
  CHECK(caught == 3);
}

CUVEE_TEST_CASE("from_thread: post runs later on the loop and does not wait") {
  loop_ref home = loop::current().ref();
  event arrived;
  std::thread poster([&] { from_thread::post(home, [&] { arrived.set(); }); });
  co_await arrived.wait();
  poster.join();
}

CUVEE_TEST_CASE("from_thread: on the loop's own thread, running, is refused") {
  loop_ref home = loop::current().ref();
  guest_loop other;
  CHECK(code_of([&] { from_thread::run(home, [] {}); }) == edeadlk);
  CHECK(code_of([&] { from_thread::run(other.ref(), [] {}); }) == edeadlk);
  co_return;
}

TEST_CASE("from_thread: on the thread of a loop that does not run yet, is refused") {
  loop l;
  loop_ref home = l.ref();
  CHECK(code_of([&] { from_thread::run(home, [] {}); }) == edeadlk);
}

TEST_CASE("from_thread: to a loop that is gone, loop_closed and the callable is destroyed") {
  guest_loop guest;
  guest.leave();
  auto owned = std::make_shared<int>(1);
  auto call = [owned] { return *owned; };
  CHECK(code_of([&] { from_thread::run(guest.ref(), std::move(call)); }) == errc::loop_closed);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("from_thread: the loop's main task ends first, its cleanup runs, then loop_closed") {
  guest_loop guest;
  std::string trace;
  auto call = [&]() -> task<> {
    guest.ask_to_leave();
    mark m(trace, 'm');
    try {
      co_await forever();
    } catch (...) {
      trace += '!';
    }
  };
  CHECK(code_of([&] { from_thread::run(guest.ref(), call); }) == errc::loop_closed);
  CHECK(trace == "m");
}

TEST_CASE("from_thread: a task that refuses to be cancelled is awaited and its value kept") {
  guest_loop guest;
  int got = from_thread::run(guest.ref(), [&]() -> task<int> {
    guest.ask_to_leave();
    co_await shield(sleep(2ms));
    co_return 9;
  });
  CHECK(got == 9);
}

TEST_CASE("from_thread: a thread that calls without pause while the loop ends, gets loop_closed") {
  for (int i = 0; i < 20; i++) {
    guest_loop guest;
    std::latch calling(1);
    std::error_code code;
    std::thread caller([&] {
      code = code_of([&] {
        for (int n = 0;; n++) {
          from_thread::run(guest.ref(), [n]() -> task<int> { return give_later(n); });
          if (n == 0) calling.count_down();
        }
      });
    });
    calling.wait();
    guest.leave();
    caller.join();
    REQUIRE(code == errc::loop_closed);
  }
}
