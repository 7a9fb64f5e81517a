// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<int> work(std::string name, duration length) {
  co_await sleep(length);
  say("%s is done", name.c_str());
  co_return static_cast<int>(length / 1ms);
}

task<> wait_for_all() {
  co_await task_group([](group& g) -> task<> {
    auto one = g.spawn(work, "one", 20ms);
    g.spawn(work, "two", 30ms);
    say("nothing has run yet");
    int n = co_await one.join();
    say("one returned %d", n);
  });
  say("here both have ended");
}

task<> fail(std::string why, duration delay) {
  co_await sleep(delay);
  throw std::runtime_error(why);
}

task<> first_failure_wins() {
  try {
    co_await task_group([](group& g) -> task<> {
      g.spawn(fail, "disk full", 10ms);
      g.spawn(fail, "no route", 10ms);
      g.spawn(work, "three", 1h);  // cancelled, and awaited
      co_return;
    });
  } catch (const std::exception& e) {
    say("the group failed: %s", e.what());
    for (auto& other : suppressed()) say("suppressed: %s", describe(other).c_str());
  }
}

task<> serve(started<int> ready, int port) {
  co_await sleep(10ms);  // whatever it takes to listen
  ready(port);
  co_await forever();
}

task<> start_and_stop() {
  co_await task_group([](group& g) -> task<> {
    int port = co_await g.start<int>(serve, 8080);
    say("it listens on port %d", port);
    g.cancel("enough");  // ends the block without an error
  });
  say("it has ended");
}

task<> spawn_more(group& g, int depth) {
  co_await sleep(10ms);
  say("depth %d", depth);
  if (depth < 3) g.spawn(spawn_more, std::ref(g), depth + 1);
}

task<> children_of_children() {
  co_await task_group([](group& g) -> task<> {
    g.spawn(spawn_more, std::ref(g), 1);
    co_return;
  });
}

task<> amain() {
  co_await wait_for_all();
  co_await first_failure_wins();
  co_await start_and_stop();
  co_await children_of_children();
}

int main() { return examples::run(amain); }
