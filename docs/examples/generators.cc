// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

generator<int> ticks(duration period, int count) {
  for (int i = 1; i <= count; i++) {
    co_await sleep(period);
    co_yield i;
  }
}

task<> pull() {
  generator<int> g = ticks(10ms, 3);
  while (auto n = co_await g.next()) say("tick %d", *n);
}

task<> half_way() {
  generator<int> g = ticks(10ms, 1000000);
  while (auto n = co_await g.next())
    if (*n == 2) break;  // g is destroyed at the end of the function, and its body with it
  say("stopped at 2");
}

task<> adapt() {
  auto even = [](int n) { return n % 2 == 0; };
  auto square = [](int n) { return n * n; };
  auto squares = ticks(1ms, 1000) | filter(even) | map(square) | take(3);
  std::vector<int> all = co_await collect(std::move(squares));
  say("%d %d %d", all[0], all[1], all[2]);
}

task<> together() {
  auto print = [](generator<int> both) -> task<> {
    while (auto n = co_await both.next()) say("merged %d", *n);
  };
  co_await merge(ticks(20ms, 2), ticks(30ms, 1), print);

  auto fetch = [](int n) -> task<int> {
    co_await sleep(10ms);
    co_return n * 100;
  };
  auto show = [](generator<int> pages) -> task<> {
    while (auto n = co_await pages.next()) say("page %d", *n);
  };
  co_await buffered(ticks(0ms, 4), 2, fetch, show);  // two at a time, results in order
}

task<> amain() {
  co_await pull();
  co_await half_way();
  co_await adapt();
  co_await together();
}

int main() { return examples::run(amain); }
