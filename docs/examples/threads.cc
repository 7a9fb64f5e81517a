// SPDX-License-Identifier: MIT
#include <cuvee/exec.h>

#include "run.h"

#include <future>
#include <thread>

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<> a_blocking_call() {
  auto count = [] { return 6 * 7; };  // runs on another thread, while the loop goes on
  int n = co_await offload(count);
  say("offload: %d", n);
}

task<> a_job_that_can_be_stopped() {
  event begun;
  loop_ref home = loop::current().ref();
  auto job = [home, &begun](std::stop_token stop) {
    from_thread::post(home, [&begun] { begun.set(); });
    while (!stop.stop_requested()) std::this_thread::yield();
    return 7;
  };
  co_await task_group([&](group& g) -> task<> {
    auto child = g.spawn([&]() -> task<int> { co_return co_await offload(job); });
    co_await begun.wait();
    child.cancel();  // tells the job and waits for it; what it returns wins
    int n = co_await child.join();
    say("offload: stopped with %d", n);
  });
}

task<> a_pool_of_its_own() {
  thread_pool pool(2);
  int asked = 0;
  loop_ref home = loop::current().ref();
  auto job = [home, &asked] {
    int n = from_thread::run(home, [&asked] { return ++asked; });  // this thread waits
    return n * 10;
  };
  auto [x, y] = co_await gather(pool.run(job), pool.run(job));
  say("thread_pool: %d", x + y);
}

task<> from_anywhere() {
  event arrived;
  loop_ref home = loop::current().ref();
  std::thread other([home, &arrived] { home.post([&arrived] { arrived.set(); }); });
  co_await arrived.wait();
  other.join();
  say("post: arrived");
}

task<> on_another_loop() {
  std::promise<loop_ref> started;
  event* stop = nullptr;  // lives on the other loop, and is used only there
  std::thread other([&] {
    auto until_told = [&]() -> task<> {
      event told;
      stop = &told;
      started.set_value(loop::current().ref());
      co_await told.wait();
    };
    loop().run(until_told);
  });
  loop_ref there = started.get_future().get();
  auto add = []() -> task<int> {
    co_await sleep(1ms);
    co_return 1 + 1;
  };
  int sum = co_await call_on(there, add);
  auto end = [stop] { stop->set(); };
  co_await call_on(there, end);
  other.join();
  say("call_on: %d", sum);
}

task<> amain() {
  co_await a_blocking_call();
  co_await a_job_that_can_be_stopped();
  co_await a_pool_of_its_own();
  co_await from_anywhere();
  co_await on_another_loop();
}

int main() { return examples::run(amain); }
