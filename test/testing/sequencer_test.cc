// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing.h>
#include <cuvee/testing/doctest.h>

#include <string>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<> write_at(testing::sequencer& seq, std::size_t place, std::string& out, char letter) {
  co_await seq(place);
  out += letter;
}

// Each letter twice, with others let in between.
task<> write_block(testing::sequencer& seq, std::size_t place, std::string& out, char letter) {
  auto mine = co_await seq(place);
  out += letter;
  for (int i = 0; i < 3; i++) co_await checkpoint();
  out += letter;
}

std::string failure_of(const result<testing::sequencer::place>& r) {
  return r ? "" : r.error().what();
}

}  // namespace

CUVEE_TEST_CASE("sequencer: tasks go on in the order of their places") {
  testing::sequencer seq;
  std::string out;
  co_await gather(write_at(seq, 2, out, 'c'), write_at(seq, 3, out, 'd'),
                  write_at(seq, 0, out, 'a'), write_at(seq, 1, out, 'b'));
  CHECK(out == "abcd");
}

CUVEE_TEST_CASE("sequencer: a place that is kept puts whole blocks in order") {
  testing::sequencer seq;
  std::string out;
  co_await gather(write_block(seq, 2, out, 'c'), write_block(seq, 0, out, 'a'),
                  write_block(seq, 1, out, 'b'));
  CHECK(out == "aabbcc");
  co_await testing::assert_no_checkpoints(seq(3));
}

CUVEE_TEST_CASE("sequencer: a cancelled place breaks the others, which say so") {
  testing::sequencer seq;
  std::string out;
  co_await task_group([&](group& g) -> task<> {
    auto second = g.spawn(write_at, std::ref(seq), 1u, std::ref(out), 'b');
    auto third = g.spawn([&]() -> task<std::string> {
      auto r = co_await as_result(seq(2));
      co_return failure_of(r);
    });
    co_await testing::wait_all_tasks_blocked();
    second.cancel();
    std::string said = co_await third.join();
    CHECK(said == "wait place 2: broken: place 1 was cancelled");
    auto first = co_await as_result(seq(0));
    CHECK(failure_of(first) == "wait place 0: broken: place 1 was cancelled");
    CHECK(first.error().code() == errc::broken);
  });
  CHECK(out == "");
}

CUVEE_TEST_CASE("sequencer: a task that is cancelled inside its block passes its place on") {
  testing::sequencer seq;
  std::string out;
  co_await task_group([&](group& g) -> task<> {
    auto first = g.spawn([&]() -> task<> {
      auto mine = co_await seq(0);
      co_await forever();
    });
    g.spawn(write_at, std::ref(seq), 1u, std::ref(out), 'b');
    co_await testing::wait_all_tasks_blocked();
    CHECK(out == "");
    first.cancel();
  });
  CHECK(out == "b");
}

CUVEE_TEST_CASE("sequencer: cancelled before it starts, it breaks as well") {
  testing::sequencer seq;
  event go;
  auto cut = [&]() -> task<> {
    auto until_go = [&]() -> task<> { co_await go.wait(); };
    co_await shield(until_go());
    co_await seq(0);
  };
  co_await task_group([&](group& g) -> task<> {
    auto first = g.spawn(cut);
    co_await testing::wait_all_tasks_blocked();
    first.cancel();
    go.set();
    auto r = co_await as_result(seq(1));
    CHECK(failure_of(r) == "wait place 1: broken: place 0 was cancelled");
  });
}

CUVEE_TEST_CASE("sequencer: a place that is awaited twice is refused") {
  testing::sequencer seq;
  co_await seq(0);
  auto again = co_await as_result(seq(0));
  CHECK(failure_of(again).starts_with("wait place 0: was taken before"));
  auto held = co_await seq(1);
  auto twice = co_await as_result(seq(1));
  CHECK(failure_of(twice).starts_with("wait place 1: was taken before"));
}

TEST_CASE("sequencer: cancelled at every suspension") {
  auto report = testing::torture([]() -> task<> {
    testing::sequencer seq;
    std::string out;
    co_await gather(write_block(seq, 2, out, 'c'), write_block(seq, 0, out, 'a'), seq(3),
                    write_block(seq, 1, out, 'b'));
  });
  CHECK(report.suspensions >= 10);
  CHECK(report.leaks == "");
}
