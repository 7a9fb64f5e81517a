// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<> a_mutex() {
  mutex m;
  auto transfer = [&](std::string who) -> task<> {
    auto lock = co_await m.lock();  // until the end of the function
    say("%s begins", who.c_str());
    co_await sleep(10ms);
    say("%s ends", who.c_str());
  };
  co_await gather(transfer("one"), transfer("two"));
}

task<> an_event() {
  event open;
  auto visitor = [&](int n) -> task<> {
    co_await open.wait();
    say("visitor %d comes in", n);
  };
  auto porter = [&]() -> task<> {
    co_await sleep(10ms);
    open.set();
  };
  co_await gather(visitor(1), visitor(2), porter());
}

task<> a_semaphore() {
  semaphore two(2);
  auto job = [&](int n) -> task<> {
    auto permit = co_await two.hold();
    co_await sleep(10ms);
    say("job %d", n);
  };
  co_await gather(job(1), job(2), job(3));
}

task<> a_condition() {
  mutex m;
  condition changed;
  int stock = 0;
  auto buy = [&](int wanted) -> task<> {
    auto lock = co_await m.lock();
    co_await changed.wait(lock, [&] { return stock >= wanted; });
    stock -= wanted;
    say("bought %d", wanted);
  };
  auto deliver = [&]() -> task<> {
    for (int i = 0; i < 3; i++) {
      co_await sleep(10ms);
      auto lock = co_await m.lock();
      stock++;
      changed.notify_all();
    }
  };
  co_await gather(buy(1), buy(2), deliver());
}

task<> a_barrier() {
  barrier start(2);
  auto runner = [&](std::string name, duration late) -> task<> {
    co_await sleep(late);
    co_await start.arrive_and_wait();
    say("%s runs", name.c_str());
  };
  co_await gather(runner("hare", 10ms), runner("tortoise", 30ms));
}

task<> amain() {
  co_await a_mutex();
  co_await an_event();
  co_await a_semaphore();
  co_await a_condition();
  co_await a_barrier();
}

int main() { return examples::run(amain); }
