// SPDX-License-Identifier: MIT
#include "queue_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace cuvee;
using namespace queue_case;
using namespace scenario;

namespace {

template <class Q>
task<std::vector<int>> drained(Q& q) {
  std::vector<int> got;
  while (!q.empty()) {
    int item = co_await q.get();
    got.push_back(item);
  }
  co_return got;
}

struct job {
  int priority;
  int number;
};
struct by_priority {
  bool operator()(const job& a, const job& b) const { return a.priority < b.priority; }
};

/// Throws at its n-th call.
struct touchy_less {
  int* fuse;
  bool operator()(int a, int b) const {
    if (*fuse >= 0 && (*fuse)-- == 0) throw boom("compared");
    return a < b;
  }
};

}  // namespace

CUVEE_TEST_CASE("priority_queue: the least comes first, by default and by a comparison given") {
  priority_queue<int> least(unbounded);
  priority_queue<int, std::greater<>> greatest(10);
  for (int i : {3, 1, 4, 1, 5, 9, 2, 6}) {
    co_await least.put(i);
    co_await greatest.put(i);
  }
  auto up = co_await drained(least);
  auto down = co_await drained(greatest);
  CHECK(up == std::vector<int>{1, 1, 2, 3, 4, 5, 6, 9});
  CHECK(down == std::vector<int>{9, 6, 5, 4, 3, 2, 1, 1});
}

TEST_CASE("priority_queue: equal priorities leave in the order they came") {
  priority_queue<job, by_priority> q(unbounded);
  std::mt19937 random(7);
  std::vector<job> expected;
  for (int i = 0; i < 200; i++) {
    job j{static_cast<int>(random() % 5), i};
    expected.push_back(j);
    CHECK(q.try_put(j));
  }
  std::sort(expected.begin(), expected.end(), [](const job& a, const job& b) {
    return std::pair(a.priority, a.number) < std::pair(b.priority, b.number);
  });
  for (const job& j : expected) {
    auto got = q.try_get();
    REQUIRE(got.has_value());
    CHECK(got->priority == j.priority);
    CHECK(got->number == j.number);
  }
}

TEST_CASE("priority_queue: agrees with a sorted list over random puts and gets") {
  std::mt19937 random(11);
  priority_queue<int> q(unbounded);
  std::vector<int> model;
  for (int i = 0; i < 3000; i++) {
    if (random() % 5 < 3) {
      int item = static_cast<int>(random() % 100);
      CHECK(q.try_put(item));
      model.insert(std::upper_bound(model.begin(), model.end(), item, std::greater<>()), item);
    } else if (!model.empty()) {
      CHECK(q.try_get() == model.back());
      model.pop_back();
    }
  }
  CHECK(q.size() == model.size());
}

CUVEE_TEST_CASE("priority_queue: a full one gives its least, then lets the first putter in") {
  testing::keep_fifo();
  priority_queue<int> q(2);
  std::string trace;
  auto put = [&](int i) -> task<> {
    co_await q.put(i);
    trace += static_cast<char>('0' + i);
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i : {5, 4, 3, 2}) g.spawn(put, i);
    co_await turns(2);
    CHECK(trace == "54");
    CHECK(q.try_get() == 4);
    CHECK(q.try_get() == 3);
    CHECK(q.try_get() == 2);
    CHECK(q.try_get() == 5);
  });
  CHECK(trace == "5432");
}

TEST_CASE("priority_queue: a comparison that throws changes nothing") {
  int fuse = -1;
  priority_queue<int, touchy_less> q(unbounded, touchy_less{&fuse});
  std::vector<int> model;
  std::mt19937 random(3);
  for (int i = 0; i < 300; i++) {
    fuse = static_cast<int>(random() % 8);
    try {
      if (random() % 3 != 0) {
        int item = static_cast<int>(random() % 50);
        if (q.try_put(item))
          model.insert(std::upper_bound(model.begin(), model.end(), item, std::greater<>()), item);
      } else if (auto item = q.try_get()) {
        CHECK(*item == model.back());
        model.pop_back();
      }
    } catch (const boom&) {
    }
    fuse = -1;
    CHECK(q.size() == model.size());
  }
  for (; !model.empty(); model.pop_back()) CHECK(q.try_get() == model.back());
}

TEST_CASE("priority_queue: items whose move throws, and items that only move") {
  auto less = [](const touchy& a, const touchy& b) { return a.value < b.value; };
  priority_queue<touchy, decltype(less)> q(unbounded);
  int kept = 0;
  for (int i = 20; i > 0; i--) {
    burning on(i % 3);
    try {
      bool put = q.try_put(touchy(i));  // CHECK would catch what it throws
      kept += put;
    } catch (const boom&) {
    }
    CHECK(q.size() == static_cast<std::size_t>(kept));
  }
  int last = 0;
  while (!q.empty()) {
    auto item = q.try_get();
    CHECK(item->value > last);
    last = item->value;
  }

  auto deep = [](const auto& a, const auto& b) { return *a < *b; };
  priority_queue<std::unique_ptr<int>, decltype(deep)> pointers(unbounded);
  for (int i : {3, 1, 2}) CHECK(pointers.try_put(std::make_unique<int>(i)));
  for (int i : {1, 2, 3}) CHECK(**pointers.try_get() == i);
}

CUVEE_TEST_CASE("lifo_queue: the last one put comes out first") {
  lifo_queue<int> q(3);
  for (int i = 0; i < 3; i++) co_await q.put(i);
  auto got = co_await drained(q);
  CHECK(got == std::vector<int>{2, 1, 0});
  lifo_queue<touchy> t(2);
  for (int i = 0; i < 2; i++) CHECK(t.try_put(touchy(i)));
  CHECK(t.try_get()->value == 1);
}

CUVEE_TEST_CASE("lifo_queue, priority_queue: cancelled before and while they wait, and closed") {
  lifo_queue<int> lifo(1);
  priority_queue<int> first(1);
  auto check = [](auto& q) -> task<> {
    co_await task_group([&](group& g) -> task<> {
      g.cancel();
      co_await gather(q.put(1), q.get());
    });
    CHECK(q.empty());
    co_await task_group([&](group& g) -> task<> {
      auto getter = g.spawn([&]() -> task<> { co_await q.get(); });
      co_await turns(2);
      getter.cancel();
      co_await q.put(2);
      auto putter = g.spawn([&]() -> task<> { co_await q.put(3); });
      co_await turns(2);
      putter.cancel();
      CHECK(q.try_get() == 2);
      CHECK(q.empty());
    });
    q.close();
    auto put = co_await as_result(q.put(1));
    auto get = co_await as_result(q.get());
    CHECK(put.error().code() == errc::closed);
    CHECK(get.error().code() == errc::closed);
  };
  co_await check(lifo);
  co_await check(first);
}

TEST_CASE("lifo_queue, priority_queue: torture over put and get") {
  auto over = [](auto make) {
    return testing::torture([make]() -> task<> {
      auto q = make();
      auto produce = [&]() -> task<> {
        for (int i = 0; i < 4; i++) co_await q->put(i);
      };
      auto consume = [&]() -> task<> {
        for (int i = 0; i < 4; i++) co_await q->get();
      };
      co_await gather(produce(), consume());
      CHECK(q->empty());
    });
  };
  auto lifo = over([] { return std::make_unique<lifo_queue<int>>(1); });
  auto first = over([] { return std::make_unique<priority_queue<int>>(1); });
  CHECK(lifo.suspensions >= 3);
  CHECK(lifo.leaks == "");
  CHECK(first.suspensions >= 3);
  CHECK(first.leaks == "");
}
