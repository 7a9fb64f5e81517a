// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/testing/run_case.h>
#include <cuvee/testing/shuffle.h>
#include <doctest/doctest.h>

#define CUVEE_TEST_PASTE_(a, b) a##b
#define CUVEE_TEST_PASTE(a, b) CUVEE_TEST_PASTE_(a, b)
#define CUVEE_TEST_CASE_NAMED(body, decorated_name)                           \
  static ::cuvee::task<> body();                                              \
  TEST_CASE(decorated_name) {                                                 \
    auto run_body = [] {                                                      \
      std::string leaked = ::cuvee::testing::run_case([] { return body(); }); \
      CHECK_MESSAGE(leaked.empty(), leaked);                                  \
    };                                                                        \
    if (auto seed = ::cuvee::testing::test_seed()) {                          \
      INFO("CUVEE_TEST_SEED=" << *seed);                                      \
      run_body();                                                             \
    } else {                                                                  \
      run_body();                                                             \
    }                                                                         \
  }                                                                           \
  static ::cuvee::task<> body()

/// A doctest case whose body is a coroutine on a loop of its own, after which descriptors, handles and child
/// processes must be back to what they were. With CUVEE_TEST_SEED in the environment what is ready runs in an
/// order drawn from that seed, which a failed check names:
/// `CUVEE_TEST_CASE("tcp: …") { co_await … }`
/// Name awaited results before a CHECK: g++ 12 skips bodies with co_await in a condition.
#define CUVEE_TEST_CASE(name) CUVEE_TEST_CASE_NAMED(CUVEE_TEST_PASTE(cuvee_case_, __LINE__), name)
