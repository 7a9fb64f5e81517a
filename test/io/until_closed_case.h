// SPDX-License-Identifier: MIT
// What waiting for the close of a listener does, of whatever kind.
#pragma once
#include <cuvee/core.h>
#include <doctest/doctest.h>

#include <chrono>

namespace io_case {

template <class Listener>
cuvee::task<> check_until_closed(Listener& l) {
  using namespace cuvee;
  using namespace std::chrono_literals;
  auto early = co_await move_on_after(0ms, l.until_closed());
  CHECK_FALSE(early);
  auto during = co_await move_on_after(1ms, l.until_closed());
  CHECK_FALSE(during);
  bool ended = false;
  auto waits = [&]() -> task<> {
    co_await l.until_closed();
    ended = true;
  };
  co_await task_group([&](group& g) -> task<> {
    g.spawn(waits);
    co_await checkpoint();
    CHECK_FALSE(ended);
    l.close();
  });
  CHECK(ended);
  co_await l.until_closed();
}

}  // namespace io_case
