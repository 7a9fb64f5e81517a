// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include "in_child.h"

using namespace cuvee;
using namespace scenario;

namespace {

/// A combinator at its worst: sets the event and waits again while it is being completed.
class relapse : public waiter {
 public:
  explicit relapse(event& e) : waiter(&on_complete), event_(e) { again(); }
  ~relapse() {
    if (wait_->linked()) wait_->await_cancel(*this);
  }
  int completions() const { return completions_; }

 private:
  static void on_complete(waiter* w) {
    auto& self = *static_cast<relapse*>(w);
    if (++self.completions_ > 3) return;
    self.again();
    if (self.completions_ == 1) self.event_.set();
  }
  void again() {
    wait_.emplace(event_.wait());
    wait_->await_suspend(*this);
  }

  event& event_;
  std::optional<event::wait_awaiter> wait_;
  int completions_ = 0;
};

}  // namespace

CUVEE_TEST_CASE("event: set wakes everyone who waits, in order, even if cleared at once") {
  testing::keep_fifo();
  event e;
  std::string trace;
  auto wait = [&](char c) -> task<> {
    co_await e.wait();
    trace += c;
  };
  auto set = [&]() -> task<> {
    co_await checkpoint();
    e.set();
    e.clear();
    trace += '0';
  };
  co_await gather(wait('a'), wait('b'), wait('c'), set());
  CHECK(trace == "0abc");
  CHECK_FALSE(e.is_set());
}

CUVEE_TEST_CASE("event: set already, wait does not suspend") {
  event e;
  e.set();
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    g.spawn([&]() -> task<> {
      trace += 'o';
      co_return;
    });
    co_await e.wait();
    trace += 'w';
  });
  CHECK(trace == "wo");
}

CUVEE_TEST_CASE("event: cancelled before and while it waits, nobody is left in the list") {
  event e;
  std::string trace;
  auto wait = [&](char c) -> task<> {
    mark m(trace, c);
    co_await e.wait();
    trace += '!';
  };
  co_await task_group([&](group& g) -> task<> {
    auto early = g.spawn(wait, 'e');
    auto late = g.spawn(wait, 'l');
    early.cancel();
    co_await checkpoint();
    late.cancel();
    e.set();
  });
  CHECK(trace == "l");
}

TEST_CASE("event: set while it wakes those who wait, each wait ends once") {
  event e;
  relapse a(e), b(e), c(e);
  e.set();
  // The first completion of each sets it again, for those that wait anew by then: a; a and b; all.
  CHECK(a.completions() == 4);
  CHECK(b.completions() == 3);
  CHECK(c.completions() == 2);
}

CUVEE_TEST_CASE("forever: ends only by a cancel") {
  auto [never, first] = co_await any_of(forever(), turns(100));
  CHECK_FALSE(never.has_value());
  CHECK(first.has_value());
  bool after = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await forever();
    after = true;
  });
  CHECK_FALSE(after);
}

CUVEE_TEST_CASE("checkpoint: lets every other ready task run first") {
  testing::keep_fifo();
  std::string trace;
  auto steps = [&](char c) -> task<> {
    for (int i = 0; i < 3; i++) {
      trace += c;
      co_await checkpoint();
    }
  };
  co_await gather(steps('a'), steps('b'), steps('c'));
  CHECK(trace == "abcabcabc");
}

TEST_CASE("event: destroyed while a task waits for it, the program ends and says why") {
  auto end = in_child([] {
    auto outlives = [](event& e) -> task<> { co_await e.wait(); };
    auto body = [&](group& g) -> task<> {
      event local;
      g.spawn(outlives, std::ref(local));
      co_await checkpoint();
    };
    loop().run([&]() -> task<> { co_await task_group(body); });
    return 0;
  });
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output.find("an object was destroyed while a task waited for it") != std::string::npos);
}
