// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>
#include <cuvee/testing/virtual_clock.h>

#include <atomic>
#include <string>
#include <thread>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at++) n++;
  return n;
}

/// The text of the tree while `body` waits.
std::string tree_of(task<> (*body)()) {
  std::string text;
  loop l;
  testing::virtual_clock clock;
  l.run([&]() -> task<> {
    auto look = [&]() -> task<> {
      co_await sleep(1s);
      text = to_string(l.tasks());
    };
    auto stop = any_of(body(), look());
    co_await std::move(stop);
  });
  return text;
}

task<> lock_and_leave(mutex& m) { auto held = co_await m.lock(); }
task<> lock_in_group(mutex& m) {
  auto body = [&](group& g) -> task<> {
    g.spawn(lock_and_leave, std::ref(m)).set_name("locker");
    co_return;
  };
  co_await task_group(body);
}
task<> gather_lockers() {
  mutex m;
  auto held = co_await m.lock();
  co_await gather(lock_in_group(m), lock_in_group(m));
}

task<> nap() { co_await sleep(1h); }
task<> shielded() { co_await shield(nap()); }
task<> limited() { co_await timeout(2h, nap()); }
task<> scoped() {
  auto body = [](cancel_scope&) -> task<> { co_await nap(); };
  co_await scope(body);
}
task<> nested_leaves() { co_await gather(sleep(1h), any_of(sleep(2h), forever())); }
task<> go_down(int n) {
  if (n == 0) co_await sleep(1h);
  else co_await go_down(n - 1);
}
task<> start_deep() { co_await go_down(99); }
generator<int> slow_numbers() {
  co_await sleep(1h);
  co_yield 1;
}
task<> consume() {
  auto numbers = slow_numbers();
  while (auto n = co_await numbers.next()) static_cast<void>(n);
}
task<> wait_for_two() {
  auto body = [](group& g) -> task<> {
    std::vector<task_handle<void>> handles;
    handles.push_back(g.spawn(nap));
    handles.push_back(g.spawn(nap));
    handles[0].set_name("left");
    handles[1].set_name("right");
    co_await wait(handles, until::all);
  };
  co_await task_group(body);
}

}  // namespace

TEST_CASE("task tree: main, gather, tasks, groups and a lock show every link with its line") {
  std::string text = tree_of(gather_lockers);
  INFO(text);
  CHECK(has(text, "task 'main': any_of"));
  CHECK(has(text, "task 'gather_lockers': gather"));
  CHECK(count(text, "    task 'lock_in_group': group\n") == 2);
  CHECK(count(text, "      task 'locker': mutex::lock\n") == 2);
  CHECK(count(text, "at lock_and_leave (inspect_test.cc:") == 2);
  CHECK(count(text, "at lock_in_group (inspect_test.cc:") == 2);
  CHECK(has(text, "at gather_lockers (inspect_test.cc:"));
  CHECK(has(text, "  a task: running\n"));
}

TEST_CASE("task tree: shield, timeout and scope are blocks of the task that waits for them") {
  std::string text = tree_of(shielded);
  INFO(text);
  CHECK(has(text, "  task 'shielded': shield\n"));
  CHECK(has(text, "    block nap: sleep\n"));
  text = tree_of(limited);
  INFO(text);
  CHECK(has(text, "  task 'limited': timeout\n"));
  CHECK(has(text, "    block nap: sleep\n"));
  text = tree_of(scoped);
  INFO(text);
  CHECK(has(text, "  task 'scoped': scope\n"));
  CHECK(has(text, "    block lambda in scoped: sleep\n"));
  CHECK(has(text, "        at nap (inspect_test.cc:"));
  CHECK(has(text, "        at lambda in scoped (inspect_test.cc:"));
}

TEST_CASE("task tree: combinators of plain awaiters show their operations") {
  std::string text = tree_of(nested_leaves);
  INFO(text);
  CHECK(has(text, "  task 'nested_leaves': gather\n"));
  CHECK(has(text, "    sleep\n    any_of\n      sleep\n      forever\n"));
}

TEST_CASE("task tree: the frames of a generator stand between its consumer and what it awaits") {
  std::string text = tree_of(consume);
  INFO(text);
  CHECK(has(text, "  task 'consume': sleep\n"));
  auto inner = text.find("at slow_numbers (inspect_test.cc:");
  REQUIRE(inner != text.npos);
  CHECK(text.find("at consume (inspect_test.cc:") > inner);
}

TEST_CASE("task tree: wait and join name the tasks they wait for") {
  std::string text = tree_of(wait_for_two);
  INFO(text);
  CHECK(has(text, ": wait -> task 'left' -> task 'right'\n"));
  CHECK(!has(text, "cycle"));
}

TEST_CASE("task tree: a task has the lines of its whole call chain and none of it is lost") {
  loop l;
  testing::virtual_clock clock;
  std::size_t frames = 0;
  std::string text;
  l.run([&]() -> task<> {
    auto look = [&]() -> task<> {
      co_await sleep(1s);
      task_tree tree = l.tasks();
      const task_info* t = tree.find("start_deep");
      if (t) frames = t->frames.size();
      text = to_string(tree);
    };
    co_await any_of(start_deep(), look());
  });
  CHECK(frames == 101);
  CHECK(has(text, "and 69 more\n"));
}

TEST_CASE("task tree: two tasks that join each other are a cycle, which is reported once") {
  loop l;
  std::string text;
  std::size_t cycles = 0;
  try {
    l.run([&]() -> task<> {
      auto body = [&](group& g) -> task<> {
        std::optional<task_handle<void>> a, b;
        auto join = [](std::optional<task_handle<void>>& other) -> task<> {
          co_await other->join();
        };
        a.emplace(g.spawn(join, std::ref(b)));
        b.emplace(g.spawn(join, std::ref(a)));
        a->set_name("a");
        b->set_name("b");
        co_await a->join();
      };
      co_await task_group(body);
    });
  } catch (const deadlock_error& e) {
    text = to_string(e.tasks());
    cycles = e.tasks().cycles.size();
  }
  INFO(text);
  CHECK(cycles == 1);
  CHECK(has(text, "cycle: task 'a' -> task 'b' -> task 'a'\n"));
}

TEST_CASE("task tree: a task that joins the task above it is a cycle") {
  loop l;
  std::size_t cycles = 0;
  std::optional<task_handle<void>> outer;
  l.on_report([](const report&) {});
  auto inner = [&]() -> task<> { co_await outer->join(); };
  auto make = [&]() -> task<> { co_await gather(inner()); };
  outer.emplace(l.background().spawn(make));
  try {
    l.run([&]() -> task<> { co_await outer->join(); });
  } catch (const deadlock_error& e) {
    cycles = e.tasks().cycles.size();
  }
  CHECK(cycles == 1);
}

TEST_CASE("task tree: a hundred tasks and main are a hundred and one") {
  loop l;
  testing::virtual_clock clock;
  std::size_t size = 0;
  std::string text;
  l.run([&]() -> task<> {
    for (int i = 0; i < 100; i++) l.background().spawn(nap);
    co_await checkpoint();
    size = l.tasks().size();
    text = to_string(l.tasks());
    l.background().cancel();
  });
  CHECK(size == 101);
  CHECK(count(text, "task 'nap': sleep\n") == 100);
}

TEST_CASE("task tree: another thread lists the tasks while they come and go") {
  loop l;
  loop_ref ref = l.ref();
  std::atomic<bool> stop = false;
  std::size_t lists = 0;
  bool main_seen = true;
  std::thread lister([&] {
    for (int i = 0; i < 50; i++) {
      task_tree tree = dump_tasks(ref);
      main_seen &= tree.find("main") != nullptr;
      lists += !to_string(tree).empty();
    }
    stop = true;
  });
  l.run([&]() -> task<> {
    while (!stop) {
      co_await gather(checkpoint(), sleep(10us), shield(sleep(20us)));
      l.background().spawn([]() -> task<> { co_await checkpoint(); });
    }
  });
  lister.join();
  CHECK(lists == 50);
  CHECK(main_seen);
}

TEST_CASE(
    "task tree: asked for from a thread that runs a loop, or of one that is gone, is an error") {
  std::optional<loop_ref> gone;
  {
    loop l;
    gone.emplace(l.ref());
    std::error_code code;
    l.run([&]() -> task<> {
      try {
        dump_tasks(*gone);
      } catch (const error& e) {
        code = e.code();
      }
      co_return;
    });
    CHECK(code == std::errc::resource_deadlock_would_occur);
  }
  std::error_code code;
  try {
    dump_tasks(*gone);
  } catch (const error& e) {
    code = e.code();
  }
  CHECK(code == errc::loop_closed);
}

TEST_CASE("task tree: a task that has not begun and one that is cancelled say so") {
  loop l;
  testing::virtual_clock clock;
  std::string before, after;
  l.run([&]() -> task<> {
    auto body = [&](group& g) -> task<> {
      auto fresh = g.spawn(nap);
      auto blocked = g.spawn(shielded);
      before = to_string(l.tasks());
      co_await checkpoint();
      fresh.cancel();
      after = to_string(l.tasks());
      g.cancel();
      co_return;
    };
    auto outer = [&]() -> task<> { co_await task_group(body); };
    co_await move_on_after(0s, outer());
  });
  INFO(before << after);
  CHECK(count(before, ": not begun\n") == 2);
  CHECK(has(after, "cancelled, ending"));
}

TEST_CASE("deadlock: the error names who waits, where and for what") {
  loop l;
  std::string text, tree;
  try {
    l.run([]() -> task<> {
      event never;
      co_await gather(never.wait(), never.wait());
    });
  } catch (const deadlock_error& e) {
    text = e.what();
    tree = to_string(e.tasks());
  }
  CHECK(text == "run: deadlock: nothing is left that could wake event::wait, event::wait");
  CHECK(has(tree, "task 'main': gather\n"));
  CHECK(has(tree, "  event::wait\n  event::wait\n"));
}
