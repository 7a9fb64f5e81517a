// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

int alive = 0;
struct tracked {
  tracked() { alive++; }
  tracked(const tracked&) { alive++; }
  ~tracked() { alive--; }
};

task<> produce(basket& b, event& done, tracked) {
  tracked own;
  for (int i = 0; i < 3; i++) {
    b.put();
    co_await checkpoint();
  }
  done.set();
}
task<int> consume(basket& b) {
  tracked own;
  int sum = 0;
  for (int i = 0; i < 3; i++) {
    co_await b.get();
    sum++;
  }
  co_return sum;
}
task<> server(started<int> ready, tracked) {
  tracked own;
  co_await sleep(1ms);
  ready(80);
  for (;;) co_await sleep(1s);
}
task<int> survive() {
  tracked own;
  try {
    co_await fail_later();
  } catch (const boom&) {
  }
  co_return 1;
}
task<> wait_somehow(event& e) {
  tracked own;
  std::string trace;
  co_await any_of(e.wait(), forever(), hang(trace, 'h'));
}
task<> inner_group(std::string& trace) {
  co_await task_group([&](group& g) -> task<> {
    tracked own;
    g.spawn(stubborn, std::ref(trace), 'w', duration(2ms));
    co_await hang(trace, 'h');
  });
}

task<> everything() {
  testing::virtual_clock clock;
  tracked own;
  basket items;
  event done;
  std::string trace;
  co_await task_group([&](group& g) -> task<> {
    tracked body;
    int port = co_await g.start<int>(server, tracked());
    g.spawn(produce, std::ref(items), std::ref(done), tracked());
    auto sum = g.spawn(consume, std::ref(items));
    co_await gather(done.wait(), timeout(1h, give_later(port)), wait_somehow(done));
    co_await sum.join();
    co_await shield(stubborn(trace, 'v'));
    int three = co_await offload([] { return 3; });
    auto cut = co_await move_on_after(1ms, inner_group(trace));
    auto failed = co_await as_result(timeout(1ms, forever()));
    CHECK((three == 3 && !cut && !failed));
    co_await timeout(1h, gather(sleep(1ms), survive(), turns(5)));
    g.cancel();
  });
}

}  // namespace

TEST_CASE("everything: cancelled at every suspension, no frame, handle or descriptor is left") {
  auto report = testing::torture(everything);
  CHECK(report.suspensions > 25);
  CHECK(report.cancelled > report.suspensions / 2);
  CHECK(report.leaks == "");
  CHECK(alive == 0);
}
