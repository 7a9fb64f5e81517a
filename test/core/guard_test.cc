// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "scenario.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace scenario;

// g++ 12 skips the body of a coroutine function that declares nothing and awaits inside a
// condition. The program must end with a diagnosis then, not hang. Macros, for `dev lint` refuses
// the plain spelling; its checks test themselves, also those of what has no guard at run time.
#define IN_CASE(condition) if (condition)
#define AS_LONG_AS(condition) while (condition)
#define CHOOSING(condition) switch (condition)

static task<bool> yes() { co_return true; }
static task<bool> no() { co_return false; }
static task<int> skipped_if() {
  IN_CASE(co_await yes()) co_return 1;
  co_return 2;
}
static task<int> skipped_while() {
  AS_LONG_AS(co_await no()) co_return 2;
  co_return 1;
}
static task<int> skipped_switch() {
  CHOOSING(co_await give(7)) {
    case 7: co_return 1;
    default: co_return 2;
  }
}

TEST_CASE("guard: the skipped coroutine itself, if" * doctest::skip()) {
  loop l;
  CHECK(l.run(skipped_if()) == 1);
}
TEST_CASE("guard: the skipped coroutine itself, while" * doctest::skip()) {
  loop l;
  CHECK(l.run(skipped_while()) == 1);
}
TEST_CASE("guard: the skipped coroutine itself, switch" * doctest::skip()) {
  loop l;
  CHECK(l.run(skipped_switch()) == 1);
}

TEST_CASE("guard: awaiting a task twice ends the program with a diagnosis") {
  auto end = in_child([] {
    return run([]() -> task<> {
      task<int> once = give_later(1);
      int first = co_await std::move(once);
      int second = co_await std::move(once);
      std::printf("%d %d\n", first, second);
    });
  });
  CAPTURE(end.output);
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output.find("a task was awaited twice") != std::string::npos);
}

TEST_CASE("guard: a coroutine that the compiler skipped ends the program with a diagnosis") {
  for (const char* condition : {"if", "while", "switch"}) {
    std::string name = "--test-case=guard: the skipped*" + std::string(condition);
    auto end = in_child([&] {
      execl("/proc/self/exe", "guard", "--no-skip", name.c_str(), nullptr);
      return 127;
    });
    CAPTURE(condition);
    CAPTURE(end.output);
#if !defined(__GNUC__) || defined(__clang__) || __GNUC__ != 12
    CHECK(end.exited_with(0));
#else
    CHECK(end.killed_by(SIGABRT));
    CHECK(end.output.find("g++ 12 skips") != std::string::npos);
#endif
  }
}
