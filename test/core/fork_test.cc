// SPDX-License-Identifier: MIT
#include "in_child.h"
#include "scenario.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace scenario;
using namespace std::chrono_literals;

static task<int> doze(int value) {
  co_await sleep(1ms);
  co_return value;
}

TEST_CASE("fork: the child makes a loop of its own while the parent has one") {
  loop l;
  CHECK(l.run(doze(1)) == 1);
  auto end = in_child([] {
    loop fresh;
    return fresh.run(doze(7));
  });
  CHECK(end.exited_with(7));
  CHECK(l.run(doze(2)) == 2);
}

TEST_CASE("fork: the child goes on with the loop after after_fork()") {
  loop l;
  CHECK(l.run(doze(1)) == 1);
  auto end = in_child([&] {
    l.after_fork();
    return l.run(doze(8));
  });
  CHECK(end.exited_with(8));
  CHECK(l.run(doze(2)) == 2);
}
