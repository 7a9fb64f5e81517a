// SPDX-License-Identifier: MIT
// Everything that nests or repeats, in a thread with a stack of 256 KiB.
#include "scenario.h"

#include <doctest/doctest.h>

#include <functional>
#include <pthread.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

namespace {

void in_small_stack(std::function<task<>()> body) {
  struct job {
    std::function<task<>()> body;
    std::exception_ptr error;
  } j{std::move(body), nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  auto run_it = [](void* p) -> void* {
    job& own = *static_cast<job*>(p);
    try {
      loop l;
      l.run(own.body());
    } catch (...) {
      own.error = std::current_exception();
    }
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run_it, &j) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  if (j.error) std::rethrow_exception(j.error);
}

task<int> deep(int n) {
  if (n == 0) {
    co_await checkpoint();
    co_return 0;
  }
  int inner = co_await deep(n - 1);
  co_return inner + 1;
}
task<int> deep_throw(int n) {
  if (n == 0) {
    co_await checkpoint();
    throw boom();
  }
  int inner = co_await deep_throw(n - 1);
  co_return inner + 1;
}
task<> deep_hang(std::string& trace, int n) {
  mark m(trace, 'd');
  if (n == 0) co_await forever();
  else co_await deep_hang(trace, n - 1);
}
task<> deep_any(std::string& trace, int n) {
  mark m(trace, 'd');
  if (n == 0) co_await forever();
  else co_await any_of(forever(), deep_any(trace, n - 1));
}
task<> deep_group(std::string& trace, int n) {
  mark m(trace, 'd');
  if (n == 0) co_await forever();
  else
    co_await task_group([&](group& g) -> task<> {
      g.spawn(deep_group, std::ref(trace), n - 1);
      co_await forever();
    });
}
generator<int> yields(int n) {
  for (int i = 0; i < n; i++) co_yield 1;
}
generator<int> deep_generator(int n) {
  if (n == 0) {
    co_await checkpoint();
    co_yield 1;
    co_await checkpoint();
    co_yield 2;
    co_return;
  }
  generator<int> inner = deep_generator(n - 1);
  while (auto x = co_await inner.next()) co_yield *x;
}
generator<int> deep_generator_ends(std::string& trace, int n, bool fails) {
  mark m(trace, 'd');
  if (n == 0) {
    co_await checkpoint();
    if (fails) throw boom();
    co_await forever();
  }
  generator<int> inner = deep_generator_ends(trace, n - 1, fails);
  while (auto x = co_await inner.next()) co_yield *x;
}

}  // namespace

TEST_CASE("stack: 1,000,000 yields of one generator" * doctest::test_suite("slow")) {
  long sum = 0;
  in_small_stack([&]() -> task<> {
    generator<int> g = yields(1'000'000);
    while (auto x = co_await g.next()) sum += *x;
  });
  CHECK(sum == 1'000'000);
}

TEST_CASE("stack: 20,000 yields of one generator") {
  long sum = 0;
  in_small_stack([&]() -> task<> {
    generator<int> g = yields(20'000);
    while (auto x = co_await g.next()) sum += *x;
  });
  CHECK(sum == 20'000);
}

TEST_CASE("stack: 10,000 nested generators yield and end") {
  int sum = 0;
  in_small_stack([&]() -> task<> {
    generator<int> g = deep_generator(10'000);
    while (auto x = co_await g.next()) sum += *x;
  });
  CHECK(sum == 3);
}

TEST_CASE("stack: 10,000 nested generators, the innermost throws" * doctest::test_suite("slow")) {
  std::string trace;
  bool caught = false;
  in_small_stack([&]() -> task<> {
    generator<int> g = deep_generator_ends(trace, 10'000, true);
    try {
      co_await g.next();
    } catch (const boom&) {
      caught = true;
    }
  });
  CHECK(caught);
  CHECK(trace.size() == 10'001);
}

TEST_CASE("stack: 10,000 nested generators, cancelled") {
  std::string trace;
  bool ended = false;
  in_small_stack([&]() -> task<> {
    generator<int> g = deep_generator_ends(trace, 10'000, false);
    auto consume = [&]() -> task<> { co_await g.next(); };
    co_await any_of(turns(10'002), consume());
    ended = g.done();
  });
  CHECK(ended);
  CHECK(trace.size() == 10'001);
}

TEST_CASE("stack: 1,000,000 children called one after the other" * doctest::test_suite("slow")) {
  long sum = 0;
  in_small_stack([&]() -> task<> {
    for (int i = 0; i < 1'000'000; i++) sum += co_await give(1);
  });
  CHECK(sum == 1'000'000);
}

TEST_CASE("stack: 20,000 children called one after the other") {
  long sum = 0;
  in_small_stack([&]() -> task<> {
    for (int i = 0; i < 20'000; i++) sum += co_await give(1);
  });
  CHECK(sum == 20'000);
}

TEST_CASE("stack: 200,000 synchronous completions, alone and in any_of") {
  event e;
  e.set();
  int left = 200'000;
  in_small_stack([&]() -> task<> {
    for (; left > 0; left--) {
      co_await e.wait();
      if (left % 2 == 0) co_await any_of(e.wait(), forever());
    }
  });
  CHECK(left == 0);
}

TEST_CASE("stack: 10,000 nested calls return") {
  int depth = 0;
  in_small_stack([&]() -> task<> { depth = co_await deep(10'000); });
  CHECK(depth == 10'000);
}

TEST_CASE("stack: 10,000 nested calls, the innermost throws" * doctest::test_suite("slow")) {
  bool caught = false;
  in_small_stack([&]() -> task<> {
    try {
      co_await deep_throw(10'000);
    } catch (const boom&) {
      caught = true;
    }
  });
  CHECK(caught);
}

TEST_CASE("stack: 10,000 nested calls, cancelled") {
  std::string trace;
  in_small_stack([&]() -> task<> { co_await any_of(turns(2), deep_hang(trace, 10'000)); });
  CHECK(trace.size() == 10'001);
}

TEST_CASE("stack: 10,000 nested any_of, cancelled") {
  std::string trace;
  in_small_stack([&]() -> task<> { co_await any_of(turns(10'002), deep_any(trace, 10'000)); });
  CHECK(trace.size() == 10'001);
}

TEST_CASE("stack: 2000 nested groups, cancelled") {
  std::string trace;
  in_small_stack([&]() -> task<> { co_await any_of(turns(6010), deep_group(trace, 2000)); });
  CHECK(trace.size() == 2001);
}

TEST_CASE("stack: 100,000 children of one gather") {
  std::size_t size = 0;
  in_small_stack([&]() -> task<> {
    std::vector<task<int>> all;
    for (int i = 0; i < 100'000; i++) all.push_back(give(i));
    auto results = co_await gather(std::move(all));
    size = results.size();
  });
  CHECK(size == 100'000);
}
