// SPDX-License-Identifier: MIT
// Random orders of put, get and cancel. Whatever meets, an item is in the end where its put and its gets say.
#include "queue_case.h"

#include <cuvee/testing/doctest.h>

#include <array>
#include <random>
#include <vector>

using namespace cuvee;
using namespace scenario;

namespace {

constexpr int rounds = 3;

/// What became of each item, by its number.
struct ledger {
  std::array<signed char, 48> put{}, got{};
  int numbers = 0;

  int next() { return numbers++; }
  void was_put(int item) { put[static_cast<std::size_t>(item)]++; }
  void was_got(int item) { got[static_cast<std::size_t>(item)]++; }
  bool balances() const {
    for (std::size_t i = 0; i < put.size(); i++)
      if (put[i] != got[i] || put[i] > 1) return false;
    return true;
  }
};

template <class Q>
task<> produce(Q& q, ledger& all) {
  for (int k = 0; k < rounds; k++) {
    int item = all.next();
    co_await q.put(item);
    all.was_put(item);
  }
}

template <class Q>
task<> consume(Q& q, ledger& all) {
  for (int k = 0; k < rounds; k++) {
    int item = co_await q.get();
    all.was_got(item);
  }
}

/// Puts and gets in one expression: the winner cancels the others as it completes.
template <class Q>
task<> glance(Q& q, ledger& all) {
  for (int k = 0; k < rounds; k++) {
    int item = all.next();
    auto [first, second, put, limit] = co_await any_of(q.get(), q.get(), q.put(item), turns(k));
    (void)limit;
    if (first) all.was_got(*first);
    if (second) all.was_got(*second);
    if (put) all.was_put(item);
  }
}

template <class Q>
void meddle(Q& q, ledger& all, unsigned choice) {
  if (choice == 0) {
    int item = all.next();
    if (q.try_put(item)) all.was_put(item);
  } else if (auto item = q.try_get()) {
    all.was_got(*item);
  }
}

/// Nobody waits for what is there.
template <class Q>
bool fair(const Q& q) {
  queue_statistics s = q.statistics();
  return (s.waiting_putters == 0 || q.full()) && (s.waiting_getters == 0 || q.empty());
}

template <class Q>
task<bool> balances(unsigned seed) {
  std::minstd_rand random(seed + 1);
  Q q(random() % 4);
  ledger all;
  bool always_fair = true;
  co_await task_group([&](group& g) -> task<> {
    std::array<std::optional<task_handle<void>>, 6> tasks;
    for (auto& handle : tasks) {
      unsigned kind = random() % 5;
      handle.emplace(kind < 2   ? g.spawn(produce<Q>, std::ref(q), std::ref(all))
                     : kind < 4 ? g.spawn(consume<Q>, std::ref(q), std::ref(all))
                                : g.spawn(glance<Q>, std::ref(q), std::ref(all)));
    }
    for (int i = 0; i < 12; i++) {
      unsigned choice = random() % 6;
      if (choice < 2) meddle(q, all, choice);
      else if (choice < 4) co_await checkpoint();
      else tasks[random() % tasks.size()]->cancel();
      always_fair = always_fair && fair(q);
    }
    g.cancel();
  });
  queue_statistics s = q.statistics();
  while (auto item = q.try_get()) all.was_got(*item);
  co_return always_fair&& all.balances() && s.waiting_putters + s.waiting_getters == 0;
}

template <class Q>
task<> try_seeds(unsigned from, unsigned to) {
  for (unsigned seed = from; seed < to; seed++) {
    bool balanced = co_await balances<Q>(seed);
    if (!balanced) FAIL_CHECK("seed " << seed);
  }
}

}  // namespace

CUVEE_TEST_CASE("queue: 500 random orders of put, get and cancel balance to the item") {
  co_await try_seeds<queue<int>>(0, 500);
  co_await try_seeds<lifo_queue<int>>(0, 100);
  co_await try_seeds<priority_queue<int>>(0, 100);
}

CUVEE_TEST_CASE("queue: 100,000 random orders" * doctest::test_suite("slow")) {
  co_await try_seeds<queue<int>>(1000, 101'000);
}

CUVEE_TEST_CASE("lifo_queue, priority_queue: 20,000 random orders" * doctest::test_suite("slow")) {
  co_await try_seeds<lifo_queue<int>>(1000, 11'000);
  co_await try_seeds<priority_queue<int>>(1000, 11'000);
}
