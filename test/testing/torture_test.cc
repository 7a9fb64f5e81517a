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

TEST_CASE("torture: with a seed, what is ready runs in another order") {
  auto first_of = [](testing::torture_options how) {
    std::string order;
    testing::torture(
        [&]() -> task<> {
          order.clear();
          auto write = [&](char c) -> task<> {
            order += c;
            co_return;
          };
          co_await gather(write('a'), write('b'), write('c'), write('d'));
        },
        how);
    return order;
  };
  CHECK(first_of({.seed = {}}).size() <= 4);
  CHECK(first_of({.seed = 5}) == first_of({.seed = 5}));
}

TEST_CASE("torture_stop: ends the loop before each round in turn") {
  std::vector<int> reached;
  auto report = testing::torture_stop([&]() -> task<> {
    reached.push_back(0);
    for (int i = 0; i < 3; i++) {
      co_await sleep(duration::zero());
      reached.back()++;
    }
  });
  CHECK(report.rounds >= 5);
  CHECK(report.stopped >= 3);
  CHECK(report.stopped < report.rounds);
  CHECK(report.leaks == "");
  CHECK(reached.front() == 3);
}

TEST_CASE("torture_stop: names the round whose stop leaks a descriptor") {
  std::vector<int> opened;
  auto report = testing::torture_stop([&]() -> task<> {
    co_await sleep(duration::zero());
    int fd = open("/dev/null", O_RDONLY);
    opened.push_back(fd);
    co_await sleep(duration::zero());
    close(fd);
    opened.pop_back();
  });
  CHECK(report.leaks.find("stopped before round ") == 0);
  CHECK(report.leaks.find("open descriptor /dev/null; ") != std::string::npos);
  for (int fd : opened) close(fd);
}

TEST_CASE("torture_stop: an error of the undisturbed run and a foreign exception come out") {
  auto fails = []() -> task<> {
    co_await checkpoint();
    throw error(errc::closed, "x");
  };
  CHECK_THROWS_AS(testing::torture_stop(fails), error);
  auto section = []() -> task<> {
    co_await checkpoint();
    throw std::logic_error("x");
  };
  int runs = 0;
  auto foreign = [&]() -> task<> {
    if (++runs > 2) co_await shield(section());
    else co_await checkpoint();
  };
  CHECK_THROWS_AS(testing::torture_stop(foreign), std::logic_error);
}

TEST_CASE("torture_stop: a body that waits for ever is no outcome") {
  event never;
  auto hangs = [&]() -> task<> { co_await never.wait(); };
  CHECK_THROWS_AS(testing::torture_stop(hangs), error);
}
