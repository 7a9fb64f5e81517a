// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/testing/torture.h>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

using namespace cuvee;

TEST_CASE("torture: cancels at each suspension in turn") {
  std::vector<int> reached;
  auto report = testing::torture([&]() -> task<> {
    reached.push_back(0);
    for (int i = 0; i < 3; i++) {
      co_await checkpoint();
      reached.back()++;
    }
  });
  CHECK(report.suspensions == 3);
  CHECK(report.leaks == "");
  // Twice undisturbed; a checkpoint completes at once, so the cancel comes at the next await.
  CHECK(reached == std::vector<int>{3, 3, 1, 2, 3});
  CHECK(report.cancelled + report.completed == 3);
}

TEST_CASE("torture: counts runs that end with a value although they were cancelled") {
  auto report = testing::torture([]() -> task<> { co_await shield(checkpoint()); });
  CHECK(report.suspensions == 0);  // completed inside await_suspend
  report = testing::torture([]() -> task<> {
    auto slow = []() -> task<> { co_await checkpoint(); };
    co_await shield(slow());
  });
  CHECK(report.suspensions == 2);
  CHECK(report.completed == 2);
  CHECK(report.cancelled == 0);
}

TEST_CASE("torture: names the suspension whose cancel leaks a descriptor") {
  std::vector<int> opened;
  auto report = testing::torture([&]() -> task<> {
    co_await sleep(duration::zero());
    int fd = open("/dev/null", O_RDONLY);
    opened.push_back(fd);
    co_await sleep(duration::zero());
    close(fd);
    opened.pop_back();
  });
  CHECK(report.leaks == "cancelled at suspension 2: open descriptor /dev/null; ");
  for (int fd : opened) close(fd);
}

TEST_CASE("torture: an error of the undisturbed run and a foreign exception come out") {
  auto fails = []() -> task<> {
    co_await checkpoint();
    throw error(errc::closed, "x");
  };
  CHECK_THROWS_AS(testing::torture(fails), error);
  auto section = []() -> task<> {
    co_await checkpoint();
    throw std::logic_error("x");
  };
  auto foreign = [&]() -> task<> { co_await shield(section()); };
  CHECK_THROWS_AS(testing::torture(foreign), std::logic_error);
}
