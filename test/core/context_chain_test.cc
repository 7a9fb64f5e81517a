// SPDX-License-Identifier: MIT
// Under which scopes and variables a task runs, wherever it was started from.
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

context_var<int> request(0);

using moments = std::vector<time_point>;

task<> note_deadline(moments& seen) {
  seen.push_back(effective_deadline());
  co_await sleep(10s);
}
task<> note_reason(std::string& why) {
  if (const cancel_reason* r = current_cancel_reason()) why = r->text;
  co_await checkpoint();
}
task<int> note_request(std::vector<int>& seen) {
  seen.push_back(request.get());
  co_await sleep(10s);
  co_return 0;
}

}  // namespace

CUVEE_TEST_CASE("gather: a child that had to wait for its turn is under the task's own scopes") {
  testing::virtual_clock clock;
  time_point start = loop::current().now();
  moments seen;
  std::vector<decltype(move_on_after(1s, note_deadline(seen)))> children;
  for (int i = 0; i < 3; i++) children.push_back(move_on_after(1s, note_deadline(seen)));
  co_await gather(width(1), std::move(children));
  CHECK(seen == moments{start + 1s, start + 2s, start + 3s});
}

CUVEE_TEST_CASE("staggered_race: an attempt started by the timer sees the task's variables") {
  testing::virtual_clock clock;
  std::vector<int> seen;
  auto bound = request.bind(7);
  std::vector<task<int>> attempts;
  for (int i = 0; i < 3; i++) attempts.push_back(note_request(seen));
  co_await staggered_race(1s, std::move(attempts));
  CHECK(seen == std::vector<int>{7, 7, 7});
}

CUVEE_TEST_CASE("timeout: tasks inside a gather or group under it know its deadline") {
  testing::virtual_clock clock;
  time_point limit = loop::current().now() + 5s;
  moments seen;
  co_await move_on_after(5s, gather(note_deadline(seen), note_deadline(seen)));
  CHECK(seen == moments{limit, limit});
  limit += 10s;
  auto body = [&](group& g) -> task<> {
    g.spawn(note_deadline, std::ref(seen));
    co_await note_deadline(seen);
  };
  auto settled = as_result(task_group(body));
  co_await move_on_at(limit, std::move(settled));
  CHECK(seen == moments{limit - 10s, limit - 10s, limit, limit});
}

CUVEE_TEST_CASE("shield: the deadline of a timeout around it does not count inside") {
  testing::virtual_clock clock;
  moments seen;
  auto sheltered = [&]() -> task<> { co_await shield(note_deadline(seen)); };
  auto all = [&]() -> task<> { co_await shield(gather(note_deadline(seen), sleep(1s))); };
  co_await timeout(5s, sheltered());
  co_await timeout(5s, all());
  CHECK(seen == moments{time_point::max(), time_point::max()});
}

CUVEE_TEST_CASE("scope: shielded clean-up can tell why it happens") {
  std::string told[2];
  auto cut_short = [](cancel_scope& s) -> task<> {
    s.cancel("the disk is full");
    co_await checkpoint();
  };
  auto finally = [&](cancel_scope& s) -> task<> {
    auto clean_up = [&]() { return note_reason(told[0]); };
    co_await try_finally(cut_short(s), clean_up);
  };
  auto shielded = [&](cancel_scope& s) -> task<> {
    s.cancel("the disk is full");
    co_await shield(note_reason(told[1]));
  };
  co_await scope(finally);
  co_await scope(shielded);
  CHECK(told[0] == "the disk is full");
  CHECK(told[1] == "the disk is full");
}
