// SPDX-License-Identifier: MIT
// Spawns /bin/true and waits for it, one after another. Prints `process NS`, the wall time of each.
#include <cuvee/io.h>

#include <chrono>
#include <cstdio>

using namespace cuvee;

static task<> spawn_all(int times) {
  command true_(std::string("/bin/true"));
  for (int i = 0; i < times; i++) {
    process p = spawn(true_);
    co_await p.wait();
  }
}

static task<> amain() {
  constexpr int times = 200;
  co_await spawn_all(20);  // the first ones pay for page faults
  auto start = std::chrono::steady_clock::now();
  co_await spawn_all(times);
  std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  std::printf("process %.0f\n", taken.count() / times);
}

int main() { return run(amain); }
