// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<int> add(int a, int b, duration delay) {
  co_await sleep(delay);
  if (a < 0) throw std::invalid_argument("a negative number");
  co_return a + b;
}

task<> one_after_the_other() {
  int x = co_await add(1, 2, 10ms);
  int y = co_await add(x, 3, 10ms);
  say("in turn: %d", y);
}

task<> at_once() {
  auto [x, y] = co_await gather(add(1, 2, 30ms), add(3, 4, 20ms));
  say("gather: %d and %d", x, y);

  std::vector<task<int>> many;
  for (int i = 0; i < 10; i++) many.push_back(add(i, i, 10ms));
  std::vector<int> sums = co_await gather(width(5), std::move(many));  // five at a time
  say("gather: %zu sums, the last is %d", sums.size(), sums.back());
}

task<> whoever_is_first() {
  auto [x, stopped] = co_await any_of(add(1, 1, 10ms), sleep(1h));
  say("any_of: %d, and %s", *x, stopped ? "a tie" : "the other was cancelled");

  auto won = co_await race(add(-1, 1, 10ms), add(2, 2, 20ms));  // the first one fails
  say("race: number %zu won with %d", won.index, won.value);
}

task<> each_by_itself() {
  auto [good, bad] = co_await gather_settled(add(1, 1, 10ms), add(-1, 1, 10ms));
  say("gather_settled: %d; %s", *good, bad.error().what());

  std::vector<task<int>> some;
  for (auto delay : {30ms, 10ms, 20ms}) some.push_back(add(1, 1, delay));
  auto print = [](std::size_t i, result<int> r) { say("as_completed: %zu gave %d", i, *r); };
  co_await as_completed(std::move(some), print);
}

task<> amain() {
  co_await one_after_the_other();
  co_await at_once();
  co_await whoever_is_first();
  co_await each_by_itself();
}

int main() { return examples::run(amain); }
