// SPDX-License-Identifier: MIT
// Jobs that wait in from_thread::run, and are cancelled there.
#include "in_child.h"
#include "exec_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <csignal>
#include <memory>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

/// What a job, the task it calls and the test share; jobs that are abandoned hold on to it.
struct shared_call {
  loop_ref home = loop::current().ref();
  event begun;                // the task
  std::string trace;          // on the loop's thread
  std::string seen = "none";  // by the job
  std::atomic<bool> job_ended = false;

  void end_job(std::string what) {
    seen = std::move(what);
    job_ended = true;
    job_ended.notify_all();
  }
};
using shared = std::shared_ptr<shared_call>;

task<> wait_for_ever(shared c) {
  mark m(c->trace, 'm');
  c->begun.set();
  co_await hang(c->trace, 'h');
}

/// Calls a task that never ends by itself, and tells what it got instead.
auto calling_job(shared c) {
  return [c = std::move(c)] {
    try {
      from_thread::run(c->home, [c] { return wait_for_ever(c); });
      c->end_job("value");
    } catch (const cancelled_error&) {
      c->end_job("cancelled");
      throw;
    } catch (const error& e) {
      c->end_job(e.what());
      throw;
    }
  };
}

template <class F>
bool refuses(F call) {
  try {
    call();
  } catch (const cancelled_error&) {
    return true;
  }
  return false;
}

constexpr int ways = 4;

/// Runs `job` in one of the ways there are.
template <class F>
task<> run_job(int way, thread_pool& pool, F job) {
  if (way == 0) co_await offload(std::move(job));
  if (way == 1) co_await offload(std::move(job)).abandon_on_cancel();
  if (way == 2) co_await pool.run(std::move(job));
  if (way == 3) co_await pool.run(std::move(job)).abandon_on_cancel();
}

}  // namespace

CUVEE_TEST_CASE("from_thread: the job is cancelled: so is the task, and the job is told and ends") {
  thread_pool pool(1);
  for (int way = 0; way < ways; way++) {
    auto c = std::make_shared<shared_call>();
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> { return run_job(way, pool, calling_job(c)); });
      co_await c->begun.wait();
      h.cancel();
      while (!h.done()) co_await checkpoint();
      CHECK(h.was_cancelled());
    });
    while (!c->job_ended) co_await checkpoint();
    CHECK(c->seen == "cancelled");
    CHECK(c->trace == "hm");
  }
}

CUVEE_TEST_CASE("from_thread: a cancelled job that goes on makes no further call") {
  thread_pool pool(1);
  for (int way = 0; way < ways; way++) {
    auto c = std::make_shared<shared_call>();
    auto door = std::make_shared<gate>();
    auto called = std::make_shared<std::atomic<int>>(0);
    auto job = [c, door, called] {
      door->pass();
      auto count = [called] { ++*called; };
      int refused = 0;
      for (int i = 0; i < 2; i++) refused += refuses([&] { from_thread::run(c->home, count); });
      c->end_job(refused == 2 ? "cancelled" : "value");
    };
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> { return run_job(way, pool, job); });
      co_await checkpoint();
      door->await_entered(1);
      h.cancel();
      co_await turns(2);
      door->open();
    });
    while (!c->job_ended) co_await checkpoint();
    CHECK(c->seen == "cancelled");
    CHECK(*called == 0);
  }
}

CUVEE_TEST_CASE("from_thread: a call the other loop has not begun is withdrawn with its job") {
  guest_loop guest;
  gate door;
  guest.ref().post([&door] { door.pass(); });  // that loop stands still
  door.await_entered(1);
  std::atomic<int> stage = 0;
  auto job = [&] {
    stage = 1;
    stage.notify_all();
    from_thread::run(guest.ref(), [&stage] { stage = 2; });
  };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await offload(job); });
    co_await checkpoint();
    stage.wait(0);
    h.cancel();
    while (!h.done()) co_await checkpoint();
    CHECK(h.was_cancelled());
  });
  door.open();
  guest.leave();
  CHECK(stage == 1);
}

CUVEE_TEST_CASE("from_thread: a job's task on another loop is cancelled with the job") {
  guest_loop guest;
  loop_ref home = loop::current().ref();
  event begun;
  std::string trace;
  auto call = [&]() -> task<> {
    home.post([&begun] { begun.set(); });
    co_await hang(trace, 'h');
  };
  auto job = [&] { from_thread::run(guest.ref(), call); };
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await offload(job); });
    co_await begun.wait();
    h.cancel();
  });
  CHECK(trace == "h");
}

CUVEE_TEST_CASE("from_thread: what the cancelled task returns or throws all the same, wins") {
  loop_ref home = loop::current().ref();
  event begun;
  bool fails = false;
  auto call = [&]() -> task<int> {
    begun.set();
    co_await shield(sleep(2ms));
    if (fails) throw boom();
    co_return 6;
  };
  auto job = [&] { return from_thread::run(home, call) + 1; };
  int got = 0, caught = 0;
  auto body = [&]() -> task<> {
    try {
      got = co_await offload(job);
    } catch (const boom&) {
      caught++;
    }
  };
  for (int i = 0; i < 2; i++) {
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn(body);
      co_await begun.wait();
      h.cancel();
    });
    begun.clear();
    fails = true;
  }
  CHECK(got == 7);
  CHECK(caught == 1);
}

CUVEE_TEST_CASE("from_thread: a cancelled job that answers with a value has its value kept") {
  auto c = std::make_shared<shared_call>();
  auto job = [c] {
    try {
      from_thread::run(c->home, [c] { return wait_for_ever(c); });
    } catch (const cancelled_error&) {
    }
    return 5;
  };
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { got = co_await offload(job); });
    co_await c->begun.wait();
    h.cancel();
  });
  CHECK(got == 5);
}

CUVEE_TEST_CASE("offload: a timeout cuts a job short that waits for a task of the loop") {
  auto c = std::make_shared<shared_call>();
  auto timed = move_on_after(1ms, offload(calling_job(c)));
  auto r = co_await std::move(timed);
  CHECK_FALSE(r);
  auto failing = timeout(1ms, offload(calling_job(c)));
  auto late = co_await as_result(std::move(failing));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code() == std::make_error_code(std::errc::timed_out));
}

CUVEE_TEST_CASE("offload: a cancelled_error of a job that nobody cancelled is an error") {
  auto job = [] { throw cancelled_error("job"); };
  bool caught = false;
  try {
    co_await offload(job);
  } catch (const cancelled_error&) {
    caught = true;
  }
  CHECK(caught);
}

TEST_CASE("from_thread: a background task's job is cancelled at the loop's end, and its call") {
  shared c;
  int reports = 0;
  {
    loop l;
    l.on_report([&](const report&) { reports++; });
    l.run([&]() -> task<> {
      c = std::make_shared<shared_call>();
      loop::current().background().spawn([c]() -> task<> { co_await offload(calling_job(c)); });
      co_await c->begun.wait();
    });
  }
  CHECK(c->seen == "cancelled");
  CHECK(c->trace == "hm");
  CHECK(reports == 0);
}

TEST_CASE("from_thread: a background task's job goes on calling from one main task to the next") {
  runner r;
  shared c;
  int got = 0;
  auto first = [&]() -> task<> {
    c = std::make_shared<shared_call>();
    auto call = [&c]() -> task<int> {
      co_await c->begun.wait();
      co_return 4;
    };
    auto job = [home = c->home, call] { return from_thread::run(home, call); };
    r.loop().background().spawn([&got, job]() -> task<> { got = co_await offload(job); });
    co_await turns(3);
  };
  auto second = [&]() -> task<> {
    c->begun.set();
    while (got == 0) co_await checkpoint();
  };
  r.run(first);
  r.run(second);
  CHECK(got == 4);
}

TEST_CASE("from_thread: a thread calls without pause while the background ends: loop_closed") {
  for (int i = 0; i < 20; i++) {
    std::latch calling(1);
    std::error_code code;
    std::thread caller;
    {
      loop l;
      caller = std::thread([&, home = l.ref()] {
        code = code_of([&] {
          for (int n = 0;; n++) {
            from_thread::run(home, [n]() -> task<int> { return give_later(n); });
            if (n == 0) calling.count_down();
          }
        });
      });
      l.run([&]() -> task<> {
        loop::current().background().spawn([]() -> task<> { co_await shield(sleep(1ms)); });
        while (!calling.try_wait()) co_await checkpoint();
      });
    }
    caller.join();
    REQUIRE(code == errc::loop_closed);
  }
}

TEST_CASE("from_thread: the job is cancelled at any suspension, nothing leaks and nothing hangs") {
  thread_pool pool(2);
  auto r = testing::torture([&]() -> task<> {
    auto job = [home = loop::current().ref()] {
      return from_thread::run(home, []() -> task<int> { return give_later(1); });
    };
    co_await offload(job);
    co_await pool.run(job);
    co_await gather(offload(job), pool.run(job), offload(job).abandon_on_cancel());
  });
  CHECK(r.leaks == "");
  CHECK(r.suspensions >= 3);
}

CUVEE_TEST_CASE("thread_pool: destroyed by the loop that its job is about to call, does not hang") {
  loop_ref home = loop::current().ref();
  for (int i = 0; i < 50; i++) {
    std::optional<thread_pool> pool(1);
    auto result = pool->submit([home] { from_thread::run(home, [] {}); });
    for (int n = 0; n < i; n++) std::this_thread::yield();
    pool.reset();
    REQUIRE(result.ready());
  }
  co_return;
}

CUVEE_TEST_CASE(
    "thread_pool: destroyed by the loop its abandoned job waits for, leaves the thread") {
  auto c = std::make_shared<shared_call>();
  {
    thread_pool pool(1);
    co_await task_group([&](group& g) -> task<> {
      auto h = g.spawn([&]() -> task<> {
        auto job = calling_job(c);
        co_await pool.run(std::move(job)).abandon_on_cancel();
      });
      co_await c->begun.wait();
      h.cancel();
      while (!h.done()) co_await checkpoint();
    });
  }
  while (!c->job_ended) co_await checkpoint();
  CHECK(c->seen == "cancelled");
}

CUVEE_TEST_CASE(
    "thread_pool: closed by the loop that its job waits for, counts the thread at once") {
  auto c = std::make_shared<shared_call>();
  thread_pool pool(1);
  auto result = pool.submit(calling_job(c));
  co_await c->begun.wait();
  CHECK(pool.close(1h) == 1);
  while (!c->job_ended) co_await checkpoint();
  CHECK(c->seen == "cancelled");
}

TEST_CASE("thread_pool: destroyed by the loop that a job of it waits for, ends the process" *
          doctest::skip(no_threads_in_child)) {
  child_end end = in_child([] {
    return run([]() -> task<> {
      auto c = std::make_shared<shared_call>();
      thread_pool pool(1);
      auto result = pool.submit(calling_job(c));
      co_await c->begun.wait();
    });
  });
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output.find("deadlock") != std::string::npos);
}

TEST_CASE("run: with a job that waits for a task of the loop, one signal ends the program" *
          doctest::skip(no_threads_in_child)) {
  for (int way = 0; way < ways; way++) {
    int number = way % 2 == 0 ? SIGTERM : SIGINT;
    child_end end = in_child([&] {
      return run([&]() -> task<> {
        thread_pool pool(1);
        auto c = std::make_shared<shared_call>();
        co_await task_group([&](group& g) -> task<> {
          g.spawn([&]() -> task<> { return run_job(way, pool, calling_job(c)); });
          co_await c->begun.wait();
          std::raise(number);
        });
      });
    });
    CHECK(end.exited_with(128 + number));
  }
}
