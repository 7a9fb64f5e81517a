// SPDX-License-Identifier: MIT
// What people write at first and what the compiler tells them about it: check.py compiles this file, which must fail,
// and looks for each of the texts behind `says:`.
#include <cuvee/core.h>

#include <functional>
#include <string>
#include <vector>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<int> one(int x) { co_return x; }
task<> nothing() { co_return; }
void plain() {}

// says: a task that nobody awaits never runs
task<> forgets_to_await() {
  one(1);
  co_return;
}

// says: unused variable .forgotten
task<> forgets_what_it_keeps() {
  auto forgotten = one(1);
  co_return;
}

// says: unused variable .not_a_guard
task<> locks_nothing(mutex& m) {
  auto not_a_guard = m.lock();
  co_return;
}

// says: unused variable .not_a_permit
task<> holds_nothing(semaphore& s) {
  auto not_a_permit = s.hold();
  co_return;
}

// says: a task is awaited once: co_await std::move\(t\)
task<> awaits_a_named_task() {
  auto t = one(1);
  co_await t;
}

// says: a task is given away: std::move\(t\)
task<> copies_a_task() {
  auto t = one(1);
  co_await gather(t, one(2));
}

// says: tasks are given away: gather\(std::move\(tasks\)\)
task<> copies_tasks() {
  std::vector<task<int>> tasks;
  co_await gather(tasks);
}

// says: co_await takes a task or another awaitable
task<> awaits_a_number() { co_await 5; }

// says: only tasks and other awaitables go together
task<> limits_a_function() { co_await timeout(1s, plain); }

// says: spawn takes a function and its arguments
void spawns_a_call(group& g) { g.spawn(one(1)); }

// says: spawn takes a function that returns a task
void spawns_a_plain_function(group& g) { g.spawn(plain); }

// says: start<T> takes a function that returns a task
task<> starts_what_never_reports(group& g) { co_await g.start<int>(nothing); }

// says: task_group takes a coroutine
task<> forgets_the_group() { co_await task_group(nothing); }

// says: scope takes a coroutine
task<> forgets_the_scope() { co_await scope(nothing); }

// says: the clean-up is a function
task<> cleans_up_at_once() { co_await try_finally(one(1), nothing()); }

// says: merge takes generators and then what consumes them as one
void merges_for_nobody(generator<int> a, generator<int> b) { merge(std::move(a), std::move(b)); }

// says: a job is a function
task<> computes_here() { co_await offload(5); }

// says: a job is a plain function
task<> sends_a_task_away() { co_await offload(nothing); }

// says: post takes a plain function
void posts_a_task() { loop::current().ref().post(nothing); }

// says: run takes a function and its arguments
int runs_a_call() { return run(nothing()); }

// says: run takes a function that returns a task
int runs_a_plain_function() { return run(plain); }

// says: a task gives values
task<int&> gives_a_reference(int& x) { co_return x; }

// says: co_return gives what the T of this task<T> cannot be made of
task<std::vector<int>> gives_something_else() { co_return std::string("x"); }

}  // namespace
