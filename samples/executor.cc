// SPDX-License-Identifier: MIT
// Work for the processor on a thread pool, while the loop goes on: primes are counted in parts, a clock ticks, and each
// part that is done is told from its thread. Ctrl-C ends the jobs through their stop tokens.
//   ./executor --below 5000000 --threads 2
#include <cuvee/exec.h>

#include "args.h"

#include <cstdio>

using namespace std::chrono_literals;

bool is_prime(std::size_t n) {
  if (n < 4) return n >= 2;
  if (n % 2 == 0) return false;
  for (std::size_t d = 3; d * d <= n; d += 2)
    if (n % d == 0) return false;
  return true;
}

std::size_t count_primes(std::size_t first, std::size_t last, const std::stop_token& stop) {
  std::size_t count = 0;
  for (std::size_t n = first; n < last && !stop.stop_requested(); n++) count += is_prime(n);
  return count;
}

cuvee::task<> tick() {
  for (int n = 1;; n++) {
    co_await cuvee::sleep(100ms);
    std::printf("tick %d\n", n);
  }
}

cuvee::task<> count_part(cuvee::thread_pool& pool, std::size_t first, std::size_t last,
                         std::size_t& total) {
  cuvee::loop_ref home = cuvee::loop::current().ref();
  auto job = [=](std::stop_token stop) {
    std::size_t found = count_primes(first, last, stop);
    cuvee::from_thread::post(home, [=] { std::printf("%zu to %zu: done\n", first, last); });
    return found;
  };
  total += co_await pool.run(job);
}

cuvee::task<> count_all(std::size_t below, std::size_t threads, std::size_t& total) {
  constexpr std::size_t parts = 8;
  cuvee::thread_pool pool(threads);
  co_await cuvee::task_group([&](cuvee::group& group) -> cuvee::task<> {
    for (std::size_t i = 0; i < parts; i++)
      group.spawn(count_part, std::ref(pool), below * i / parts, below * (i + 1) / parts,
                  std::ref(total));
    co_return;
  });
}

cuvee::task<> amain(std::size_t below, std::size_t threads) {
  std::size_t total = 0;
  std::printf("counting on %zu threads\n", threads);
  std::fflush(stdout);
  co_await cuvee::any_of(count_all(below, threads, total), tick());
  std::printf("%zu primes below %zu\n", total, below);
}

int main(int argc, char** argv) {
  std::size_t below = 2'000'000, threads = 4;
  samples::args args("executor", "Counts primes on a thread pool while a clock ticks on the loop.");
  args.number<std::size_t>("--below N", below, 2, std::size_t{1} << 40, "count up to N (2000000)");
  args.number<std::size_t>("--threads N", threads, 1, 256, "threads of the pool (4)");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain, below, threads);
}
