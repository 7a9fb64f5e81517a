// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing/doctest.h>

#include <string>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

/// Writes a letter for each event.
class recorder : public instrument {
 public:
  void before_run() override { text += "R("; }
  void after_run() override { text += ")"; }
  void task_spawned(const task_view& child, const task_view* creator) override {
    text += creator ? "s" : "S";
    last = child.id();
  }
  void before_step(const task_view&) override { text += "["; }
  void after_step(const task_view&) override { text += "]"; }
  void task_exited(const task_view&, task_outcome how) override {
    text += how == task_outcome::completed ? "c" : how == task_outcome::failed ? "f" : "x";
  }
  void before_io_wait() override { waits++; }
  void after_io_wait() override { wakes++; }

  std::string text;
  std::uintptr_t last = 0;
  int waits = 0, wakes = 0;
};

task<> step_once() { co_await checkpoint(); }
task<> fail() {
  co_await checkpoint();
  throw std::runtime_error("no");
}
task<> end_at_once() { co_return; }

}  // namespace

TEST_CASE("instrument: runs, spawns, steps and exits come in the right order") {
  loop l;
  auto r = std::make_shared<recorder>();
  l.add_instrument(r);
  l.run(step_once());
  CHECK(r->text == "R(S[][c)");
  r->text.clear();
  l.run([]() -> task<> { co_await gather(end_at_once(), end_at_once()); });
  CHECK(r->text == "R(S[ss][c[c[c)");
}

TEST_CASE("instrument: failures and cancels are told from completions") {
  loop l;
  auto r = std::make_shared<recorder>();
  l.add_instrument(r);
  l.run([]() -> task<> { co_await gather_settled(fail()); });
  CHECK(r->text == "R(S[s][][f[c)");
  r->text.clear();
  auto waits = []() -> task<> { co_await forever(); };
  l.run([&]() -> task<> { co_await any_of(waits(), step_once()); });
  CHECK(r->text == "R(S[ss][][][c[x[c)");
}

TEST_CASE("instrument: waits for events begin and end in pairs") {
  loop l;
  auto r = std::make_shared<recorder>();
  l.add_instrument(r);
  auto naps = []() -> task<> { co_await sleep(1ms); };
  l.run(naps());
  CHECK(r->waits > 0);
  CHECK(r->waits - r->wakes <= 1);
}

TEST_CASE("instrument: several may be installed, and a removed one hears nothing more") {
  loop l;
  auto a = std::make_shared<recorder>();
  auto b = std::make_shared<recorder>();
  l.add_instrument(a);
  l.add_instrument(b);
  l.run(step_once());
  CHECK(a->text == b->text);
  l.remove_instrument(*a);
  std::string before = a->text;
  l.run(step_once());
  CHECK(a->text == before);
  CHECK(b->text.size() == 2 * before.size());
  l.remove_instrument(*b);
  l.run(step_once());
  CHECK(b->text.size() == 2 * before.size());
}

TEST_CASE("instrument: one that throws is removed and reported, the others and the task go on") {
  class bad : public instrument {
   public:
    void before_step(const task_view&) override {
      steps++;
      throw std::runtime_error("bad instrument");
    }
    int steps = 0;
  };
  loop l;
  std::string text;
  l.on_report([&](const report& r) { text += r.message + "\n"; });
  auto broken = std::make_shared<bad>();
  auto good = std::make_shared<recorder>();
  l.add_instrument(broken);
  l.add_instrument(good);
  l.run(step_once());
  CHECK(broken->steps == 1);
  CHECK(broken.use_count() == 1);
  CHECK(good->text == "R(S[][c)");
  CHECK(text == "an instrument failed and was removed: bad instrument\n");
}

TEST_CASE("history: of 1500 ended tasks the last 1000 are kept, with makers and outcome") {
  loop l;
  auto history = std::make_shared<task_history>(1000);
  l.add_instrument(history);
  auto make = []() -> task<> {
    auto body = [](group& g) -> task<> {
      for (int i = 0; i < 1500; i++) g.spawn(end_at_once).set_name("n" + std::to_string(i));
      co_return;
    };
    co_await task_group(body);
  };
  l.run([&]() -> task<> { co_await gather(make()); });
  const auto& ended = history->ended();
  REQUIRE(ended.size() == 1000);
  CHECK(ended.back().name == "main");
  CHECK(ended[997].name == "n1499");
  CHECK(ended[0].name == "n502");
  REQUIRE(ended[997].creators.size() == 3);  // the block's body, make, main
  CHECK(ended[997].creators.back() == "main");
  CHECK(ended[997].outcome == task_outcome::completed);
}

TEST_CASE("history: a cancelled task keeps the chain of reasons, innermost first") {
  loop l;
  auto history = std::make_shared<task_history>(10);
  l.add_instrument(history);
  auto waits = []() -> task<> { co_await forever(); };
  l.run([&]() -> task<> {
    auto body = [&](group& g) -> task<> {
      auto h = g.spawn(waits);
      h.set_name("victim");
      co_await checkpoint();
      h.cancel("not needed");
      g.cancel("all of it");
    };
    co_await task_group(body);
  });
  const ended_task* victim = nullptr;
  for (const ended_task& e : history->ended())
    if (e.name == "victim") victim = &e;
  REQUIRE(victim);
  CHECK(victim->outcome == task_outcome::cancelled);
  REQUIRE(victim->cancel_chain.size() == 2);
  CHECK(victim->cancel_chain[0].text == "not needed");
  CHECK(victim->cancel_chain[1].text == "all of it");
}
