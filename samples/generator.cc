// SPDX-License-Identifier: MIT
// Async generators: a body that awaits and yields, adaptors in a pipe, two generators merged as they tick, and
// results of concurrent tasks in order.
//   ./generator
#include <cuvee/core.h>

#include "args.h"

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

cuvee::generator<int> ticks(cuvee::duration period, int first, int last) {
  for (int i = first; i <= last; i++) {
    co_await cuvee::sleep(period);
    co_yield i;
  }
}

cuvee::task<int> square_slowly(int x) {
  co_await cuvee::sleep((10 - x) * 5ms);  // the later, the faster
  co_return x* x;
}

cuvee::task<> print(std::string label, cuvee::generator<int> numbers) {
  std::printf("%s:", label.c_str());
  while (auto number = co_await numbers.next()) std::printf(" %d", *number);
  std::printf("\n");
}

cuvee::task<> amain() {
  cuvee::generator<int> plain = ticks(10ms, 1, 3);
  while (auto i = co_await plain.next()) std::printf("tick %d\n", *i);

  auto is_even = [](int x) { return x % 2 == 0; };
  auto even = ticks(1ms, 1, 1000) | cuvee::filter(is_even) | cuvee::take(3);
  co_await print("even", std::move(even));

  auto print_merged = [](cuvee::generator<int> both) { return print("merged", std::move(both)); };
  co_await cuvee::merge(ticks(40ms, 1, 2), ticks(60ms, 11, 12), print_merged);

  auto print_squares = [](cuvee::generator<int> all) { return print("squares", std::move(all)); };
  co_await cuvee::buffered(ticks(1ms, 1, 5), 3, square_slowly, print_squares);
}

int main(int argc, char** argv) {
  samples::args args("generator", "Iterates, filters, merges and buffers async generators.");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain);
}
