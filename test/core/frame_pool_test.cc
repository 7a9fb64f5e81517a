// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <set>
#include <thread>
#include <vector>

using namespace cuvee;
using namespace scenario;

TEST_CASE("frame pool: blocks of every size are writable, aligned and apart") {
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t size = 1; size <= 5000; size += 37) {
    auto* block = static_cast<char*>(detail::frame_pool_get(size));
    REQUIRE(reinterpret_cast<std::uintptr_t>(block) % 16 == 0);
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  for (auto [block, size] : blocks) {
    for (std::size_t i = 0; i < size; i++)
      REQUIRE(static_cast<unsigned char>(block[i]) == size % 251);
    detail::frame_pool_put(block, size);
  }
}

TEST_CASE("frame pool: a task made on one thread is run or destroyed on another") {
  task<int> given = give_later(7);
  int value = 0;
  {
    task<int> dropped = give(1);
    std::thread other([&value, given = std::move(given), dropped = std::move(dropped)]() mutable {
      loop l;
      value = l.run(std::move(given));
    });
    other.join();
  }
  CHECK(value == 7);
}

#if !CUVEE_ASAN  // there every block comes from operator new

TEST_CASE("frame pool: a freed block serves the next request of its size") {
  void* block = detail::frame_pool_get(200);
  detail::frame_pool_put(block, 200);
  void* again = detail::frame_pool_get(199);
  CHECK(again == block);
  detail::frame_pool_put(again, 199);
}

TEST_CASE(
    "frame pool: a block freed on another thread serves that one, and after its end the next") {
  void* block = detail::frame_pool_get(304);
  bool reused = false, inherited = false;
  std::thread first([&] {
    void* own = detail::frame_pool_get(16);  // so that the thread has a pool
    detail::frame_pool_put(block, 304);
    reused = detail::frame_pool_get(304) == block;
    detail::frame_pool_put(block, 304);
    detail::frame_pool_put(own, 16);
  });
  first.join();
  std::thread second([&] {
    detail::frame_pool_get(32);
    void* again = detail::frame_pool_get(304);
    inherited = again == block;
    detail::frame_pool_put(again, 304);
  });
  second.join();
  CHECK(reused);
  CHECK(inherited);
}

TEST_CASE("frame pool: threads that come and go do not take more and more memory") {
  std::size_t first = 0, last = 0;  // a thread takes over what an earlier one had
  for (int i = 0; i < 50; i++) {
    std::thread worker([&] {
      loop l;
      for (int n = 0; n < 20; n++) l.run(give_later(n));
      last = detail::this_thread_frames.chunks;
    });
    worker.join();
    if (i == 0) first = last;
  }
  CHECK(last <= first + 2);
}

#endif
