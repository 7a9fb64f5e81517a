// SPDX-License-Identifier: MIT
// Counts what operations of the core take in steady state. Prints `ROW HEAP BLOCKS` for each: calls of
// operator new an operation, and blocks of the frame pool that it holds while it runs.
#include <cuvee/core.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

std::uint64_t heap_calls = 0;

}  // namespace

void* operator new(std::size_t size) {
  heap_calls++;
  if (void* block = std::malloc(size ? size : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace {

using cuvee::task;
using std::chrono_literals::operator""h;

// Blocks that wait in this thread's pool.
long pooled() {
  long n = 0;
  for (const auto* block : cuvee::detail::this_thread_frames.free)
    for (; block; block = block->next) n++;
  return n;
}

/// Looks into the pool when it is awaited, and is ready.
struct look {
  long* seen;
  bool await_ready() const noexcept {
    *seen = pooled();
    return true;
  }
  void await_suspend(cuvee::waiter&) noexcept {}
  bool await_cancel(cuvee::waiter&) noexcept { return true; }
  void await_resume() const noexcept {}
};

task<> child(long* seen) { co_await look{seen}; }

struct counts {
  std::uint64_t heap = 0;
  long blocks = 0;
};

void print(const char* row, const counts& c, int runs) {
  std::printf("%s %.2f %.2f\n", row, double(c.heap) / runs, double(c.blocks) / runs);
}

constexpr int warm_up = 10, runs = 100;

template <class Operation>
task<> count(const char* row, Operation operation) {
  counts c;
  for (int i = 0; i < warm_up + runs; i++) {
    if (i == warm_up) c = {};
    std::uint64_t heap = heap_calls;
    long before = pooled(), seen = 0;
    co_await operation(&seen);
    c.blocks += before - seen;
    c.heap += heap_calls - heap;
  }
  print(row, c, runs);
}

task<> count_spawn() {
  co_await cuvee::task_group([](cuvee::group& g) -> task<> {
    counts c;
    for (int i = 0; i < warm_up + runs; i++) {
      if (i == warm_up) c = {};
      std::uint64_t heap = heap_calls;
      long before = pooled(), seen = 0;
      auto handle = g.spawn(child, &seen);
      co_await handle.join();
      c.blocks += before - seen;
      c.heap += heap_calls - heap;
    }
    print("spawn_join", c, runs);
  });
}

task<> count_all() {
  co_await count("call", [](long* seen) { return child(seen); });
  co_await count("any_of", [](long* seen) { return cuvee::any_of(look{seen}, cuvee::forever()); });
  co_await count("gather", [](long* seen) { return cuvee::gather(look{seen}, look{seen}); });
  co_await count("timeout", [](long* seen) { return cuvee::timeout(1h, look{seen}); });
  co_await count_spawn();
}

}  // namespace

int main() {
  cuvee::loop loop;
  loop.run(count_all);
}
