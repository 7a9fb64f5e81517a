// SPDX-License-Identifier: MIT
#include "queue_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <vector>

using namespace cuvee;
using namespace queue_case;
using namespace scenario;

namespace {

task<std::vector<int>> receive_all(subscription<int> s) {
  std::vector<int> got;
  while (auto item = co_await s.recv()) got.push_back(*item);
  co_return got;
}

/// Its copy throws while it is told to.
struct stubborn_copy {
  static inline bool refuses = false;
  int value;

  explicit stubborn_copy(int v) : value(v) {}
  stubborn_copy(const stubborn_copy& other) : value(other.value) {
    if (refuses) throw boom("copied");
  }
  stubborn_copy(stubborn_copy&&) noexcept = default;
};

}  // namespace

CUVEE_TEST_CASE("broadcast: everyone sees each item sent after it subscribed, then the end") {
  broadcast<int> b(8);
  CHECK(b.send(0) == 0);
  auto early = b.subscribe();
  CHECK(b.send(1) == 1);
  auto late = b.subscribe();
  CHECK(b.send(2) == 2);
  CHECK(b.statistics().kept == 2);
  CHECK(b.statistics().subscribers == 2);
  b.close();
  CHECK(code_of([&] { b.send(3); }) == errc::closed);
  auto first = receive_all(std::move(early)), second = receive_all(std::move(late));
  auto [all, some] = co_await gather(std::move(first), std::move(second));
  CHECK(all == std::vector<int>{1, 2});
  CHECK(some == std::vector<int>{2});
  CHECK(b.statistics().kept == 0);
}

CUVEE_TEST_CASE("broadcast: wakes everyone who waits, with the item, in order") {
  testing::keep_fifo();
  broadcast<int> b(1);
  std::string trace;
  auto wait = [&](char name, subscription<int> s) -> task<> {
    while (auto item = co_await s.recv()) {
      trace += name;
      trace += static_cast<char>('0' + *item);
    }
    trace += name;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(wait, 'a', b.subscribe());
    g.spawn(wait, 'b', b.subscribe());
    co_await turns(2);
    b.send(1);
    b.send(2);  // before they run: 1 is theirs already, 2 is kept
    co_await turns(2);
    CHECK(trace == "a1a2b1b2");
    b.close();
  });
  CHECK(trace == "a1a2b1b2ab");
}

CUVEE_TEST_CASE("broadcast: a slow subscriber is told how many it missed, then goes on") {
  broadcast<int> b(3);
  auto slow = b.subscribe();
  for (int i = 0; i < 8; i++) b.send(i);
  std::uint64_t missed = 0;
  try {
    co_await slow.recv();
  } catch (const lagged_error& e) {
    missed = e.missed();
    CHECK(e.code() == errc::limit_exceeded);
    CHECK(std::string(e.what()) == "recv broadcast: missed 5 items");
  }
  CHECK(missed == 5);
  for (int i = 5; i < 8; i++) {
    auto item = co_await slow.recv();
    CHECK(item == i);
  }
  CHECK_FALSE(slow.try_recv().has_value());
  for (int i = 0; i < 4; i++) b.send(i);
  CHECK(code_of([&] { (void)slow.try_recv(); }) == errc::limit_exceeded);
  CHECK(slow.try_recv() == 1);
}

CUVEE_TEST_CASE("broadcast: destroyed, its subscriptions still give what is kept") {
  std::optional<broadcast<int>> b(std::in_place, 4u);
  auto s = b->subscribe();
  auto other = b->subscribe();
  b->send(1);
  b.reset();
  CHECK(s.try_recv() == 1);
  auto end = co_await s.recv();
  CHECK_FALSE(end.has_value());
  CHECK(code_of([&] { (void)s.try_recv(); }) == errc::end_of_stream);
}

CUVEE_TEST_CASE("broadcast: a subscription closed while it waits fails, as does one moved from") {
  broadcast<int> b(2);
  auto s = b.subscribe();
  auto other = b.subscribe();
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      auto r = co_await as_result(s.recv());
      trace += !r && r.error().code() == errc::closed ? 'c' : '?';
    });
    co_await turns(2);
    auto second = co_await as_result(s.recv());
    CHECK(second.error().code() == errc::busy);
    s.close();
    CHECK(b.send(1) == 1);
  });
  CHECK(trace == "c");
  auto moved = std::move(other);
  auto gone = co_await as_result(other.recv());
  CHECK(gone.error().code() == errc::closed);
  CHECK(code_of([&] { (void)other.try_recv(); }) == errc::closed);
  CHECK(moved.try_recv() == 1);
}

CUVEE_TEST_CASE("broadcast: cancelled before and while it waits, no item is lost") {
  broadcast<int> b(4);
  auto s = b.subscribe();
  b.send(1);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await s.recv();
  });
  CHECK(s.try_recv() == 1);
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await s.recv(); });
    co_await turns(2);
    h.cancel();
    b.send(2);
  });
  CHECK(s.try_recv() == 2);
  int got = 0;
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> {
      auto item = co_await s.recv();
      got = *item;
      co_await checkpoint();
      after = true;
    });
    co_await turns(2);
    b.send(3);
    h.cancel();
  });
  CHECK(got == 3);
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE(
    "broadcast: a copy that throws fails that recv, the next one meets the item again") {
  broadcast<stubborn_copy> b(4);
  auto s = b.subscribe();
  int failed = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      for (int i = 0; i < 3; i++) {
        try {
          auto item = co_await s.recv();
          CHECK(item->value == 1);
          break;
        } catch (const boom&) {
          failed++;
        }
        stubborn_copy::refuses = failed < 2;
      }
    });
    co_await turns(2);
    stubborn_copy::refuses = true;
    b.send(stubborn_copy(1));
  });
  stubborn_copy::refuses = false;
  CHECK(failed == 2);
}

TEST_CASE("broadcast: a capacity of 0 is an error") {
  CHECK(code_of([] { broadcast<int> b(0); }) == invalid);
}

CUVEE_TEST_CASE("broadcast: any_of over two subscriptions takes an item from one only") {
  broadcast<int> b(4);
  auto s = b.subscribe(), t = b.subscribe();
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      auto [x, y] = co_await any_of(s.recv(), t.recv());
      CHECK(*x == 1);
      CHECK_FALSE(y.has_value());
    });
    co_await turns(2);
    b.send(1);
  });
  CHECK_FALSE(s.try_recv().has_value());
  CHECK(t.try_recv() == 1);
}

TEST_CASE("broadcast: torture over recv") {
  auto report = testing::torture([]() -> task<> {
    broadcast<std::shared_ptr<int>> b(2);
    auto listen = [](subscription<std::shared_ptr<int>> s) -> task<> {
      for (int i = 0; i < 4; i++) co_await s.recv();
      co_await s.recv();
    };
    auto talk = [&]() -> task<> {
      for (int i = 0; i < 4; i++) {
        co_await checkpoint();
        b.send(std::make_shared<int>(i));
      }
      b.close();
    };
    auto first = listen(b.subscribe()), second = listen(b.subscribe());
    auto all = talk();
    co_await gather(std::move(first), std::move(second), std::move(all));
  });
  CHECK(report.suspensions > 5);
  CHECK(report.leaks == "");
}
