// SPDX-License-Identifier: MIT
// Core rows on Boost.Asio coroutines. Prints `ROW NS_PER_OP`.
// usage: peer_micro_asio [call|yield|spawn_join|sleeps_cpu]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <utility>

#include <boost/asio.hpp>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using wall_clock = std::chrono::steady_clock;

static void show(const char* row, wall_clock::time_point start, double operations) {
  std::chrono::duration<double, std::nano> spent = wall_clock::now() - start;
  std::printf("%s %.1f\n", row, spent.count() / operations);
}

static awaitable<int> one() { co_return 1; }

static awaitable<void> call_many(int n) {
  auto start = wall_clock::now();
  long sum = 0;
  for (int i = 0; i < n; i++) sum += co_await one();
  show("call", start, n);
  if (sum != n) std::abort();
}

static awaitable<void> yield_many(int n) {
  auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < n; i++) co_await asio::post(executor, use_awaitable);
}

static awaitable<void> spawn_many(int n) {
  auto executor = co_await asio::this_coro::executor;
  auto start = wall_clock::now();
  for (int i = 0; i < n; i++) co_await asio::co_spawn(executor, one(), use_awaitable);
  show("spawn_join", start, n);
}

static awaitable<void> nap(int ms) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(ms));
  co_await timer.async_wait(use_awaitable);
}

static void run_yield(asio::io_context& io) {
  constexpr int n = 1'000'000;
  auto start = wall_clock::now();
  for (int i = 0; i < 2; i++) asio::co_spawn(io, yield_many(n), asio::detached);
  io.run();
  show("yield", start, 2.0 * n);
}

static void run_sleeps(asio::io_context& io) {
  constexpr int n = 100'000;
  std::clock_t start = std::clock();
  for (int i = 0; i < n; i++) asio::co_spawn(io, nap(i % 1000), asio::detached);
  io.run();
  std::printf("sleeps_cpu %.1f\n", double(std::clock() - start) / CLOCKS_PER_SEC * 1e9 / n);
}

int main(int argc, char** argv) {
  std::string_view only = argc > 1 ? argv[1] : "";
  auto wanted = [&](const char* row) { return only.empty() || only == row; };
  asio::io_context io(1);
  if (wanted("call")) {
    asio::co_spawn(io, call_many(5'000'000), asio::detached);
    io.run();
    io.restart();
  }
  if (wanted("yield")) {
    run_yield(io);
    io.restart();
  }
  if (wanted("spawn_join")) {
    asio::co_spawn(io, spawn_many(1'000'000), asio::detached);
    io.run();
    io.restart();
  }
  if (wanted("sleeps_cpu")) run_sleeps(io);
}
