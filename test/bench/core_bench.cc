// SPDX-License-Identifier: MIT
// The core's micro rows on cuvee. Prints `ROW NS_PER_OP` for each row, or for the one named.
// usage: core_bench [ROW]
#include <cuvee/core.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using cuvee::task;

namespace {

enum class cache { cold, warm };

struct bench_row {
  const char* name;
  int operations;
  task<> (*body)(int operations);
  clockid_t clock = CLOCK_MONOTONIC;
  cache start = cache::warm;
  int runs = 1;
};

void require(bool held) {
  if (!held) std::abort();
}

// Kept out of line, or the compiler may elide the frame that the row is about.
[[gnu::noinline]] task<int> one() { co_return 1; }

task<> call(int n) {
  long sum = 0;
  for (int i = 0; i < n; i++) sum += co_await one();
  require(sum == n);
}

task<> yield_times(int n) {
  for (int i = 0; i < n; i++) co_await cuvee::checkpoint();
}

task<> yield(int n) { co_await cuvee::gather(yield_times(n / 2), yield_times(n / 2)); }

task<> spawn_join(int n) {
  co_await cuvee::task_group([&n](cuvee::group& g) -> task<> {
    for (int i = 0; i < n; i++) {
      auto handle = g.spawn(one);
      co_await handle.join();
    }
  });
}

task<> gather_all(int n) {
  std::vector<task<int>> tasks;
  tasks.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; i++) tasks.push_back(one());
  auto results = co_await cuvee::gather(std::move(tasks));
  require(results.size() == static_cast<std::size_t>(n));
}

// Sets the event once a turn until the waiting side says it has had enough.
task<> set_each_turn(cuvee::event& ready, const bool& enough) {
  while (!enough) {
    ready.set();
    co_await cuvee::checkpoint();
  }
}

task<> await_timeouts(cuvee::event& ready, bool& enough, int n) {
  for (int i = 0; i < n; i++) {
    ready.clear();
    co_await cuvee::timeout(10s, ready.wait());
  }
  enough = true;
}

task<> timeout_event(int n) {
  cuvee::event ready;
  bool enough = false;
  co_await cuvee::gather(await_timeouts(ready, enough, n), set_each_turn(ready, enough));
}

task<> await_first(cuvee::event& ready, bool& enough, int n) {
  for (int i = 0; i < n; i++) {
    ready.clear();
    co_await cuvee::any_of(ready.wait(), cuvee::forever());
  }
  enough = true;
}

task<> any_of(int n) {
  cuvee::event ready;
  bool enough = false;
  co_await cuvee::gather(await_first(ready, enough, n), set_each_turn(ready, enough));
}

task<> put_items(cuvee::queue<int>& line, int n) {
  for (int i = 0; i < n; i++) co_await line.put(i);
}

task<> get_items(cuvee::queue<int>& line, int n) {
  long sum = 0;
  for (int i = 0; i < n; i++) sum += co_await line.get();
  require(sum == long{n} * (n - 1) / 2);
}

task<> queue(int n) {
  cuvee::queue<int> line(64);
  co_await cuvee::gather(put_items(line, n), get_items(line, n));
}

task<> nap(int i) { co_await cuvee::sleep(std::chrono::milliseconds(i % 1000)); }

task<> sleeps(int n) {
  co_await cuvee::task_group([&n](cuvee::group& g) -> task<> {
    for (int i = 0; i < n; i++) g.spawn(nap, i);
    co_return;
  });
}

task<> offload(int n) {
  for (int i = 0; i < n; i++) co_await cuvee::offload([] { return 1; });
}

constexpr bench_row rows[] = {
    {"call", 5'000'000, call},
    {"yield", 2'000'000, yield},
    {"spawn_join", 1'000'000, spawn_join},
    {"gather_cold", 200'000, gather_all, CLOCK_MONOTONIC, cache::cold},
    {"gather_warm", 200'000, gather_all, CLOCK_MONOTONIC, cache::warm, 4},
    {"queue", 2'000'000, queue},
    {"timeout_event", 1'000'000, timeout_event},
    {"any_of", 1'000'000, any_of},
    {"sleeps_cpu", 100'000, sleeps, CLOCK_PROCESS_CPUTIME_ID, cache::cold},
    {"offload", 20'000, offload},
};

double clock_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

void measure(const bench_row& row) {
  cuvee::loop loop;
  if (row.start == cache::warm) loop.run(row.body(row.operations));
  double start = clock_ns(row.clock);
  for (int i = 0; i < row.runs; i++) loop.run(row.body(row.operations));
  double operations = double(row.operations) * row.runs;
  std::printf("%s %.2f\n", row.name, (clock_ns(row.clock) - start) / operations);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view only = argc > 1 ? argv[1] : "";
  bool found = false;
  for (const bench_row& row : rows) {
    if (!only.empty() && only != row.name) continue;
    measure(row);
    found = true;
  }
  if (found) return 0;
  std::fprintf(stderr, "core_bench: no row %s\n", argv[1]);
  return 2;
}
