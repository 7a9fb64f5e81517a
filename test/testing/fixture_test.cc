// SPDX-License-Identifier: MIT
#include "in_child.h"

#include <cuvee/core.h>
#include <cuvee/testing.h>
#include <cuvee/testing/doctest.h>

using namespace cuvee;
using scenario::child_end;
using scenario::in_child;

// Run by the cases below, as programs of their own.
CUVEE_TEST_CASE("fixture subject: a check fails" * doctest::skip()) {
  co_await checkpoint();
  CHECK(1 == 2);
}
CUVEE_TEST_CASE("fixture subject: an exception comes out" * doctest::skip()) {
  co_await checkpoint();
  throw error(errc::closed, "x");
}

namespace {

child_end run_case_alone(const char* name, const char* seed) {
  return in_child([&] {
    if (seed) setenv("CUVEE_TEST_SEED", seed, 1);
    else unsetenv("CUVEE_TEST_SEED");
    std::string pattern = std::string("--test-case=") + name;
    execl("/proc/self/exe", "test", "--no-skip", pattern.c_str(), nullptr);
    return 99;
  });
}

}  // namespace

TEST_CASE("CUVEE_TEST_CASE: a failure names the seed it happened with") {
  for (const char* name :
       {"fixture subject: a check fails", "fixture subject: an exception comes out"}) {
    child_end seeded = run_case_alone(name, "1234");
    CHECK(seeded.exited_with(1));
    CHECK(seeded.output.find("CUVEE_TEST_SEED=1234") != std::string::npos);
    child_end plain = run_case_alone(name, nullptr);
    CHECK(plain.exited_with(1));
    CHECK(plain.output.find("CUVEE_TEST_SEED") == std::string::npos);
  }
}

TEST_CASE("CUVEE_TEST_CASE: a seed that is no number fails the case") {
  child_end end = run_case_alone("fixture subject: a check fails", "x");
  CHECK(end.exited_with(1));
  CHECK(end.output.find("read CUVEE_TEST_SEED x") != std::string::npos);
}
