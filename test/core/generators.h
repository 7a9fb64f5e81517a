// SPDX-License-Identifier: MIT
// Generators that the tests of core share.
#pragma once
#include "scenario.h"

namespace scenario {

inline cuvee::generator<int> count(int from, int to) {
  for (int i = from; i < to; i++) co_yield i;
}
inline cuvee::generator<int> count_slowly(int from, int to,
                                          cuvee::duration each = std::chrono::milliseconds(1)) {
  for (int i = from; i < to; i++) {
    co_await cuvee::sleep(each);
    co_yield i;
  }
}
/// Awaits a task before each of `n` values.
inline cuvee::generator<int> marked(std::string& trace, char letter, int n) {
  mark m(trace, letter);
  for (int i = 0; i < n; i++) {
    int value = co_await give_later(i);
    co_yield value;
  }
}
inline cuvee::task<int> sum_of(cuvee::generator<int>& g) {
  int sum = 0;
  while (auto x = co_await g.next()) sum += *x;
  co_return sum;
}

}  // namespace scenario
