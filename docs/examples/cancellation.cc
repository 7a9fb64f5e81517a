// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

struct guard {
  std::string name;
  ~guard() { say("%s goes", name.c_str()); }
};

task<> stubborn() {
  guard g{"stubborn"};
  try {
    co_await sleep(1h);
  } catch (...) {
    say("a cancel is no exception");  // never printed
  }
  say("nor does anything after it run");  // never printed
}

task<> third_outcome() {
  co_await task_group([](group& g) -> task<> {
    auto child = g.spawn(stubborn);
    co_await sleep(10ms);
    child.cancel("not needed any more");
    auto end = co_await as_result(child.join());
    say("%s", end.error().what());
  });
}

task<> cut_short() {
  auto found = co_await scope([](cancel_scope& s) -> task<int> {
    guard g{"the block"};
    s.cancel();
    co_await checkpoint();  // any await will do: it does not return
    co_return 1;
  });
  say("after the block, %s", found ? "with a value" : "without a value");
}

task<> stays_pending() {
  auto save = []() -> task<> {
    co_await sleep(20ms);
    say("saved");
  };
  co_await scope([&](cancel_scope& s) -> task<> {
    s.cancel();
    co_await shield(save());  // runs to its end
    co_await checkpoint();    // the cancel is still there
    say("not reached");
  });
}

struct audit {
  ~audit() {
    const cancel_reason* why = current_cancel_reason();
    say("cancelled: %s", why ? why->text.c_str() : "no");
  }
};

task<> reasons() {
  co_await scope([](cancel_scope& s) -> task<> {
    audit a;
    s.cancel("the user left");
    co_await forever();
  });
}

task<> result_wins() {
  event ready;
  auto wait = [&]() -> task<int> {
    co_await ready.wait();
    co_return 12;  // no await in between: the cancel finds nothing to stop
  };
  co_await task_group([&](group& g) -> task<> {
    auto child = g.spawn(wait);
    co_await checkpoint();
    ready.set();
    child.cancel();  // too late: the event has happened for it
    int value = co_await child.join();
    say("the result won: %d", value);
  });
}

task<> amain() {
  co_await third_outcome();
  co_await cut_short();
  co_await stays_pending();
  co_await reasons();
  co_await result_wins();
}

int main() { return examples::run(amain); }
