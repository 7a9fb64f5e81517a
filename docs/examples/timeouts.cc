// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<int> answer(duration delay) {
  co_await sleep(delay);
  co_return 42;
}

task<> fail_or_move_on() {
  int in_time = co_await timeout(1s, answer(10ms));
  say("in time: %d", in_time);
  try {
    co_await timeout(50ms, answer(1h));
  } catch (const timeout_error& e) {
    say("%s", e.what());
  }
  std::optional<int> maybe = co_await move_on_after(50ms, answer(1h));
  say("%s", maybe ? "an answer" : "moved on");
}

task<> several_steps_one_deadline() {
  time_point until = loop::current().now() + 100ms;
  for (int i = 1;; i++) {
    auto step = co_await move_on_at(until, answer(30ms));
    if (!step) break;
    say("step %d", i);
  }
}

task<> movable() {
  cancel_scope idle;
  co_await scope(idle, [](cancel_scope& s) -> task<> {
    for (auto pause : {10ms, 40ms, 90ms}) {
      s.expire_after(60ms);  // from now
      co_await sleep(pause);
      say("a sign of life after %d ms", static_cast<int>(pause.count()));
    }
  });
  say("%s", idle.expired() ? "60 ms of silence" : "done");
}

task<> how_long_have_i_got() {
  auto look = []() -> task<> {
    auto left = effective_deadline() - loop::current().now();
    say("%d ms are left", static_cast<int>(left / 1ms));
    co_return;
  };
  auto inner = timeout(1h, look());
  co_await timeout(200ms, std::move(inner));  // the nearest counts
}

task<> amain() {
  co_await fail_or_move_on();
  co_await several_steps_one_deadline();
  co_await movable();
  co_await how_long_have_i_got();
}

int main() { return examples::run(amain); }
