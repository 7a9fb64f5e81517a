// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <cuvee/testing/doctest.h>

#include <vector>

using namespace cuvee;
using namespace scenario;

CUVEE_TEST_CASE("suppressed: a lone failure carries none") {
  std::size_t count = 99;
  try {
    co_await gather(fail_later(), checkpoint());
  } catch (const boom&) {
    count = suppressed().size();
  }
  CHECK(count == 0);
  CHECK(suppressed(nullptr).empty());
}

CUVEE_TEST_CASE("suppressed: found again on an exception that passed several groups") {
  testing::keep_fifo();
  std::vector<std::string> later;
  try {
    co_await task_group([&](group& g) -> task<> {
      g.spawn([]() -> task<> { co_await gather(fail_later("1"), fail_later("2")); });
      co_await forever();
    });
  } catch (const boom& e) {
    CHECK(std::string(e.what()) == "1");
    for (const auto& s : suppressed()) later.push_back(describe(s));
  }
  CHECK(later == std::vector<std::string>{"2"});
}

CUVEE_TEST_CASE("suppressed: an outer failure list adds to the inner one") {
  testing::keep_fifo();
  std::vector<std::string> later;
  auto inner = []() -> task<> { co_await gather(fail_later("1"), fail_later("2")); };
  auto slow = []() -> task<> {
    co_await shield(turns(8));
    throw boom("3");
  };
  try {
    co_await gather(inner(), slow());
  } catch (const boom&) {
    for (const auto& s : suppressed()) later.push_back(describe(s));
  }
  CHECK(later == std::vector<std::string>{"2", "3"});
}

CUVEE_TEST_CASE("suppressed: kept for the last 64 such errors, no more") {
  std::vector<std::exception_ptr> firsts;
  for (int i = 0; i < 65; i++) {
    try {
      co_await gather(fail_later("1"), fail_later("2"));
    } catch (...) {
      firsts.push_back(std::current_exception());
    }
  }
  CHECK(suppressed(firsts.front()).empty());
  CHECK(suppressed(firsts[1]).size() == 1);
  CHECK(suppressed(firsts.back()).size() == 1);
}
