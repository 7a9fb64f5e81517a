// SPDX-License-Identifier: MIT
#include "queue_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

#include <algorithm>
#include <vector>

using namespace cuvee;
using namespace queue_case;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

template <class Q>
task<> put_all(Q& q, int from, int to) {
  for (int i = from; i < to; i++) co_await q.put(i);
}

template <class Q>
task<> get_into(Q& q, std::vector<int>& got) {
  int item = co_await q.get();
  got.push_back(item);
}

}  // namespace

CUVEE_TEST_CASE("queue: with a bound of 2 the third put waits for a get, in order") {
  queue<int> q(2);
  std::string trace;
  auto produce = [&]() -> task<> {
    for (int i = 0; i < 4; i++) {
      co_await q.put(i);
      trace += static_cast<char>('0' + i);
    }
  };
  auto consume = [&]() -> task<> {
    co_await turns(3);
    CHECK(trace == "01");
    CHECK(q.full());
    CHECK_FALSE(q.try_put(9));
    CHECK(q.statistics().waiting_putters == 1);
    for (int i = 0; i < 4; i++) {
      int item = co_await q.get();
      CHECK(item == i);
    }
  };
  co_await gather(produce(), consume());
  CHECK(trace == "0123");
  CHECK(q.empty());
  CHECK_FALSE(q.try_get().has_value());
}

CUVEE_TEST_CASE("queue: with a bound of 0 put and get meet, whoever comes first") {
  queue<int> q(0);
  CHECK(q.full());
  CHECK(q.empty());
  CHECK_FALSE(q.try_put(1));
  std::vector<int> got;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      co_await q.put(1);
      trace += 'p';
    });
    co_await turns(3);
    CHECK(trace.empty());
    co_await get_into(q, got);
    g.spawn([&]() -> task<> { co_await get_into(q, got); });
    co_await turns(2);
    bool taken = q.try_put(2);
    CHECK(taken);
    g.spawn([&]() -> task<> { co_await q.put(3); });
    co_await turns(2);
    CHECK(q.try_get() == 3);
  });
  CHECK(trace == "p");
  CHECK(got == std::vector<int>{1, 2});
}

TEST_CASE("queue: a negative bound is an error, unbounded never fills") {
  CHECK(code_of([] { queue<int> q(-1); }) == invalid);
  CHECK(code_of([] { auto ends = channel<int>(-1); }) == invalid);
  queue<int> q(unbounded);
  for (int i = 0; i < 1000; i++) CHECK(q.try_put(i));
  CHECK_FALSE(q.full());
  CHECK(q.bound().is_unbounded());
  for (int i = 0; i < 1000; i++) CHECK(q.try_get() == i);
}

TEST_CASE("queue: items keep their order while the ring wraps and grows") {
  queue<std::unique_ptr<int>> q(100);
  int put = 0, got = 0;
  for (int round = 1; round < 40; round++) {
    for (int i = 0; i < round && !q.full(); i++) CHECK(q.try_put(std::make_unique<int>(put++)));
    for (int i = 0; i < round / 2; i++) CHECK(**q.try_get() == got++);
  }
  while (auto item = q.try_get()) CHECK(**item == got++);
  CHECK(put == got);
}

TEST_CASE("queue: try_put leaves the item alone if it does not fit") {
  queue<std::unique_ptr<int>> q(1);
  auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
  CHECK(q.try_put(std::move(first)));
  CHECK_FALSE(q.try_put(std::move(second)));
  CHECK(first == nullptr);
  CHECK(second != nullptr);
}

CUVEE_TEST_CASE("queue: who waits is served in order, a newcomer does not overtake") {
  testing::keep_fifo();
  queue<int> q(1);
  std::string trace;
  auto put = [&](int i) -> task<> {
    co_await q.put(i);
    trace += static_cast<char>('0' + i);
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 4; i++) g.spawn(put, i);
    co_await turns(2);
    CHECK(q.try_get() == 0);
    CHECK_FALSE(q.try_put(9));  // the place is that of 1
    for (int i = 1; i < 4; i++) {
      int item = co_await q.get();
      CHECK(item == i);
    }
  });
  CHECK(trace == "0123");

  std::vector<int> got;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { co_await get_into(q, got); });
    co_await turns(2);
    CHECK(q.try_put(5));
    CHECK_FALSE(q.try_get().has_value());  // handed over already
  });
  CHECK(got == std::vector<int>{5});
}

CUVEE_TEST_CASE("queue: of two getters the one that is cancelled as an item comes gives it up") {
  testing::keep_fifo();
  for (bool cancel_first : {true, false}) {
    queue<std::string> q(4);
    std::string trace;
    auto get = [&](char name) -> task<> {
      std::string item = co_await q.get();
      trace += name + item;
      co_await checkpoint();
      trace += name;
    };
    co_await task_group([&](group& g) -> task<> {
      auto first = g.spawn(get, '1');
      g.spawn(get, '2');
      co_await turns(2);
      if (cancel_first) first.cancel();
      CHECK(q.try_put("a"));
      first.cancel();  // put before the cancel: the item wins, the next await ends the task
      if (!cancel_first) CHECK(q.try_put("b"));
    });
    CHECK(trace == (cancel_first ? "2a2" : "1a2b2"));
    CHECK(q.statistics().waiting_getters == 0);
  }
}

CUVEE_TEST_CASE("queue: three getters, one cancelled, two items go to the other two") {
  for (std::size_t victim = 0; victim < 3; victim++) {
    queue<int> q(4);
    std::vector<int> got;
    co_await task_group([&](group& g) -> task<> {
      std::vector<task_handle<void>> all;
      for (int i = 0; i < 3; i++)
        all.push_back(g.spawn([&]() -> task<> { co_await get_into(q, got); }));
      co_await turns(2);
      all[victim].cancel();
      co_await put_all(q, 1, 3);
    });
    std::sort(got.begin(), got.end());
    CHECK(got == std::vector<int>{1, 2});
  }
}

CUVEE_TEST_CASE("queue: the item of a cancelled put never appears, later ones keep their order") {
  testing::keep_fifo();
  queue<int> q(1);
  std::vector<int> got;
  co_await task_group([&](group& g) -> task<> {
    std::vector<task_handle<void>> putters;
    for (int i = 0; i < 4; i++)
      putters.push_back(
          g.spawn([](queue<int>& line, int n) -> task<> { co_await line.put(n); }, std::ref(q), i));
    co_await turns(2);
    CHECK(q.statistics().waiting_putters == 3);
    putters[2].cancel();
    CHECK(q.statistics().waiting_putters == 2);
    for (int i = 0; i < 3; i++) co_await get_into(q, got);
  });
  CHECK(got == std::vector<int>{0, 1, 3});
  CHECK(q.statistics().waiting_putters == 0);
}

CUVEE_TEST_CASE("queue: a get or put that times out leaves nobody in line and loses no item") {
  testing::virtual_clock clock;
  queue<int> q(1);
  auto nothing = co_await move_on_after(100ms, q.get());
  CHECK_FALSE(nothing.has_value());
  CHECK(q.statistics().waiting_getters == 0);
  co_await q.put(1);
  auto refused = co_await move_on_after(100ms, q.put(2));
  CHECK_FALSE(refused.has_value());
  CHECK(q.statistics().waiting_putters == 0);
  CHECK(q.try_get() == 1);
  CHECK_FALSE(q.try_get().has_value());
  CHECK(clock.elapsed() == 200ms);
}

CUVEE_TEST_CASE("queue: cancelled before it suspends, put and get do nothing") {
  queue<int> q(2);
  co_await q.put(1);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await q.put(2);
  });
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await q.get();
  });
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await gather(q.get(), q.put(3), q.join());
  });
  CHECK(q.size() == 1);
  CHECK(q.try_get() == 1);
}

CUVEE_TEST_CASE("queue: an item and a cancel in one turn, the item is delivered, then the cancel") {
  queue<std::string> q(1);
  std::string got;
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      got = co_await q.get();
      co_await checkpoint();
      after = true;
    });
    co_await turns(2);
    CHECK(q.try_put("hello"));
    h.cancel();
  });
  CHECK(got == "hello");
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("queue: any_of takes an item from one queue only") {
  queue<int> a(1), b(1);
  co_await a.put(1);
  co_await b.put(2);
  auto [first, second] = co_await any_of(a.get(), b.get());
  CHECK(first == 1);
  CHECK_FALSE(second.has_value());
  CHECK(b.size() == 1);

  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      auto [x, y] = co_await any_of(a.get(), a.get());
      CHECK(x == 5);
      CHECK_FALSE(y.has_value());
    });
    co_await turns(2);
    CHECK(a.try_put(5));
    CHECK(a.try_put(6));  // its second child has left the line by now
  });
  CHECK(a.try_get() == 6);
}

CUVEE_TEST_CASE("queue: put and get of one expression on one queue meet") {
  queue<int> q(0);
  auto [none, got] = co_await gather(q.put(4), q.get());
  (void)none;
  CHECK(got == 4);
  auto [item, done] = co_await any_of(q.get(), q.put(5));
  CHECK(item == 5);
  CHECK(done.has_value());
  CHECK(q.statistics().waiting_putters == 0);
}

CUVEE_TEST_CASE("queue: 1,000 items through a full queue let other tasks run meanwhile") {
  queue<int> q(unbounded);
  bool enough = false;
  int others = 0;
  auto producer = [&]() -> task<> {
    co_await put_all(q, 0, 1000);
    enough = true;
  };
  auto other = [&]() -> task<> {
    while (!enough) {
      others++;
      co_await checkpoint();
    }
  };
  co_await gather(producer(), other());
  CHECK(others >= 10);
  CHECK(q.size() == 1000);
}

TEST_CASE("queue: torture over put, get and join in every state") {
  for (std::size_t bound : {0, 1, 3}) {
    auto report = testing::torture([&]() -> task<> {
      queue<std::unique_ptr<int>> q(bound);
      auto produce = [&]() -> task<> {
        for (int i = 0; i < 5; i++) co_await q.put(std::make_unique<int>(i));
      };
      auto consume = [&]() -> task<> {
        for (int i = 0; i < 5; i++) {
          auto item = co_await q.get();
          if (*item == 2) co_await checkpoint();
          q.task_done();
        }
      };
      co_await gather(produce(), consume(), turns(2), q.join());
      co_await q.join();
      CHECK(q.empty());
      auto [item, limit] = co_await any_of(q.get(), checkpoint());
      CHECK_FALSE(item.has_value());
      CHECK(limit.has_value());
      CHECK(q.statistics().waiting_getters == 0);
    });
    CHECK(report.suspensions >= 5);
    CHECK(report.leaks == "");
  }
}
