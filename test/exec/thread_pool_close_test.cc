// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "exec_case.h"

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <memory>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

TEST_CASE("thread_pool: its destructor waits for the job that runs and drops the queue") {
  bool ended = false;
  std::optional<submitted<void>> queued;
  gate door;
  std::thread opener;
  {
    thread_pool pool(1);
    auto running = pool.submit([&] {
      door.pass();
      ended = true;
    });
    queued.emplace(pool.submit([] {}));
    door.await_entered(1);
    opener = std::thread([&] { door.open(); });
  }
  CHECK(ended);
  opener.join();
  std::error_code code = code_of([&] { queued->get(); });
  bool ran_or_closed = !code || code == errc::closed;
  CHECK(ran_or_closed);
}

TEST_CASE("thread_pool: close tells jobs with a stop token, drops the queue, refuses new ones") {
  thread_pool pool(1);
  gate entered;
  entered.open();
  auto running = pool.submit([&entered](std::stop_token stop) {
    entered.pass();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 3;
  });
  auto queued = pool.submit([] { return 4; });
  entered.await_entered(1);
  CHECK(pool.close(1h) == 0);
  CHECK(running.get() == 3);
  CHECK(code_of([&] { queued.get(); }) == errc::closed);
  CHECK(code_of([&] { static_cast<void>(pool.submit([] {})); }) == errc::closed);
  CHECK(pool.statistics().threads == 0);
}

TEST_CASE("thread_pool: close reports a thread that would not end, and the destructor goes on") {
  auto door = std::make_shared<gate>();
  auto gone = std::make_shared<std::atomic<bool>>(false);
  struct at_exit {
    std::shared_ptr<std::atomic<bool>> flag;
    ~at_exit() { flag->store(true), flag->notify_all(); }
  };
  {
    thread_pool pool(2);
    auto stuck = pool.submit([door, gone] {
      at_exit tell{gone};
      door->pass();
    });
    auto quick = pool.submit([] {});
    door->await_entered(1);
    quick.get();
    std::size_t left = pool.close(1ms);
    while (left == 2) left = pool.close(1ms);  // the quick one's thread may be slow to go
    CHECK(left == 1);
    CHECK(pool.statistics().threads == 1);
  }
  door->open();
  gone->wait(false);
}

CUVEE_TEST_CASE("thread_pool: closed while tasks await it, they get closed and running ones end") {
  testing::keep_fifo();
  thread_pool pool(1);
  gate door;
  auto blocking = [&door] { door.pass(); };
  auto nothing = [] {};
  std::error_code code, late;
  bool ended = false;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      co_await pool.run(blocking);
      ended = true;
    });
    co_await checkpoint();
    door.await_entered(1);
    g.spawn([&]() -> task<> {
      auto r = co_await as_result(pool.run(nothing));
      if (!r) code = r.error().code();
    });
    co_await checkpoint();
    std::size_t left = pool.close(0s);
    CHECK(left == 1);
    auto r = co_await as_result(pool.run(nothing));
    if (!r) late = r.error().code();
    door.open();
  });
  CHECK(code == errc::closed);
  CHECK(late == errc::closed);
  CHECK(ended);
}

TEST_CASE("thread_pool: a job that closes its own pool does not wait for itself") {
  thread_pool pool(2);
  auto closer = pool.submit([&pool] { return pool.close(1h); });
  CHECK(closer.get() == 1);
}

TEST_CASE("thread_pool: with a stuck job, one Ctrl-C and close end the process in time" *
          doctest::skip(no_threads_in_child)) {
  child_end end = in_child([] {
    static thread_pool* pool = new thread_pool(1);
    int status = run([]() -> task<> {
      auto stuck = [] {
        std::raise(SIGINT);
        for (;;) std::this_thread::sleep_for(1h);
      };
      co_await pool->run(stuck).abandon_on_cancel();
    });
    std::size_t left = pool->close(10ms);
    delete pool;
    return left == 1 ? status : 1;
  });
  CHECK(end.exited_with(130));
}

TEST_CASE("offload: a forked child begins with all places free, whatever its parent's threads do" *
          doctest::skip(no_threads_in_child)) {
  gate door;
  guest_loop guest;
  auto blocking = [&door] { door.pass(); };
  auto call = [&]() -> task<> { co_await offload(blocking); };
  std::thread first([&] { from_thread::run(guest.ref(), call); });
  std::thread second([&] { from_thread::run(guest.ref(), call); });
  door.await_entered(1);
  child_end end = in_child([] {
    return run([]() -> task<int> {
      auto three = [] { return 3; };
      int a = co_await offload(three);
      int b = co_await offload(three).abandon_on_cancel();
      co_return a + b;
    });
  });
  door.open();
  first.join();
  second.join();
  CHECK(end.exited_with(6));
}
