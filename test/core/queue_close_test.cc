// SPDX-License-Identifier: MIT
// The end of a queue: close, join, and items that cannot be moved.
#include "queue_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace queue_case;
using namespace scenario;

namespace {

template <class Q>
task<> put_all(Q& q, int from, int to) {
  for (int i = from; i < to; i++) co_await q.put(i);
}

}  // namespace

CUVEE_TEST_CASE("queue: close lets gets drain, then get and put fail; who waits is woken") {
  testing::keep_fifo();
  queue<int> q(2);
  std::string trace;
  auto put = [&](int i) -> task<> {
    auto done = co_await as_result(q.put(i));
    trace += done ? 'p' : done.error().code() == errc::closed ? 'c' : '?';
  };
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 3; i++) g.spawn(put, i);
    co_await turns(2);
    q.close();
    co_await turns(2);
    CHECK(trace == "ppc");
    CHECK(code_of([&] { (void)q.try_put(7); }) == errc::closed);
    co_await put(8);
    CHECK(trace == "ppcc");
  });
  for (int i = 0; i < 2; i++) {
    int item = co_await q.get();
    CHECK(item == i);
  }
  auto end = co_await as_result(q.get());
  CHECK_FALSE(end.has_value());
  CHECK(end.error().code() == errc::closed);
  CHECK(std::string(end.error().what()) == "get queue: closed");
  CHECK(code_of([&] { (void)q.try_get(); }) == errc::closed);
  CHECK(q.closed());
}

CUVEE_TEST_CASE("queue: close wakes getters of an empty queue with an error") {
  queue<int> q(2);
  int failed = 0;
  co_await task_group([&](group& g) -> task<> {
    for (int i = 0; i < 3; i++)
      g.spawn([&]() -> task<> {
        try {
          co_await q.get();
        } catch (const error& e) {
          failed += e.code() == errc::closed;
        }
      });
    co_await turns(2);
    q.close();
    q.close();
  });
  CHECK(failed == 3);
}

CUVEE_TEST_CASE("queue: an immediate close drops the items, wakes everyone, and join returns") {
  testing::keep_fifo();
  queue<std::shared_ptr<int>> q(2);
  auto item = std::make_shared<int>(1);
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      for (int i = 0; i < 3; i++) {
        auto done = co_await as_result(q.put(item));
        trace += done ? 'p' : 'c';
      }
    });
    g.spawn([&]() -> task<> {
      co_await q.join();
      trace += 'j';
    });
    co_await turns(3);
    CHECK(item.use_count() == 4);
    q.close(closing::immediate);
    CHECK(item.use_count() == 2);  // the putter's, until it is resumed
  });
  CHECK(trace.size() == 4);
  CHECK(trace.find('j') != std::string::npos);
  CHECK(trace.find('c') == 2);
  CHECK(item.use_count() == 1);
  auto end = co_await as_result(q.get());
  CHECK_FALSE(end.has_value());
}

CUVEE_TEST_CASE("queue: join waits for one task_done an item, one more is an error") {
  testing::keep_fifo();
  queue<int> q(4);
  co_await q.join();
  CHECK(code_of([&] { q.task_done(); }) == invalid);
  co_await put_all(q, 0, 3);
  std::string trace;
  auto wait = [&](char c) -> task<> {
    co_await q.join();
    trace += c;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(wait, 'a');
    g.spawn(wait, 'b');
    auto impatient = g.spawn(wait, 'x');
    co_await turns(2);
    impatient.cancel();
    for (int i = 0; i < 3; i++) {
      CHECK(trace.empty());
      CHECK(q.statistics().unfinished == std::uint64_t(3 - i));
      co_await q.get();
      q.task_done();
      if (i < 2) co_await turns(2);
    }
  });
  CHECK(trace == "ab");
  CHECK(code_of([&] { q.task_done(); }) == invalid);
}

CUVEE_TEST_CASE("queue: close with an item in a worker's hands, join waits for that one") {
  queue<int> q(4);
  co_await put_all(q, 0, 3);
  co_await q.get();
  q.close(closing::immediate);
  CHECK(q.statistics().unfinished == 1);
  auto ended = co_await any_of(q.join(), turns(3));
  CHECK_FALSE(std::get<0>(ended).has_value());
  q.task_done();
  co_await q.join();
}

CUVEE_TEST_CASE("queue: an item whose move throws fails the put and stays out") {
  queue<touchy> q(1);
  for (int n = 0; n < 8; n++) {
    bool failed = false;
    {
      burning on(n);
      try {
        co_await q.put(touchy(1));
      } catch (const boom&) {
        failed = true;
      }
    }
    CHECK(q.size() == (failed ? 0u : 1u));
    while (!q.empty()) CHECK(q.try_get()->value == 1);
    if (!failed) break;
    CHECK(n < 7);
  }
}

CUVEE_TEST_CASE("queue: a get whose move throws leaves the item and the line as they were") {
  queue<touchy> q(1);
  CHECK(q.try_put(touchy(1)));
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> { co_await q.put(touchy(2)); });
    co_await turns(2);
    bool failed = false;
    try {
      burning on(0);
      co_await q.get();
    } catch (const boom&) {
      failed = true;
    }
    CHECK(failed);
    CHECK(q.size() == 1);
    CHECK(q.statistics().waiting_putters == 1);
    CHECK(q.try_get()->value == 1);
    CHECK(q.try_get()->value == 2);
  });
}

CUVEE_TEST_CASE("queue: a waiting put whose move throws fails, the place goes to the next one") {
  testing::keep_fifo();
  queue<touchy> q(1);
  CHECK(q.try_put(touchy(0)));
  std::string trace;
  auto put = [&](int i) -> task<> {
    try {
      co_await q.put(touchy(i));
      trace += 'p';
    } catch (const boom&) {
      trace += 'x';
    }
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(put, 1);
    g.spawn(put, 2);
    co_await turns(2);
    std::optional<touchy> got;
    {
      burning on(1);  // the first move is that of the item got
      got = q.try_get();
    }
    CHECK(got->value == 0);
    co_await turns(2);
    CHECK(trace == "xp");
    CHECK(q.try_get()->value == 2);
  });
}

CUVEE_TEST_CASE("queue: a put that cannot hand over its item leaves the getter in line") {
  queue<touchy> q(0);
  int got = 0;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      touchy item = co_await q.get();
      got = item.value;
    });
    co_await turns(2);
    touchy item(3);
    bool failed = false;
    try {
      burning on(0);
      (void)q.try_put(std::move(item));
    } catch (const boom&) {
      failed = true;
    }
    CHECK(failed);
    CHECK(q.statistics().waiting_getters == 1);
    CHECK(q.try_put(std::move(item)));
  });
  CHECK(got == 3);
}
