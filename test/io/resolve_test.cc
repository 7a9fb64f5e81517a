// SPDX-License-Identifier: MIT
#include "io_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> as_text(const std::vector<endpoint>& list) {
  std::vector<std::string> text;
  for (const endpoint& e : list) text.push_back(e.to_string());
  return text;
}

std::vector<std::string> by_libc(const std::string& host, int port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  std::vector<endpoint> list;
  for (addrinfo* i = found; i; i = i->ai_next) list.emplace_back(*i->ai_addr);
  freeaddrinfo(found);
  return as_text(list);
}

}  // namespace

CUVEE_TEST_CASE("resolve: results are those of libc") {
  for (std::string host : {"127.0.0.1", "localhost", "0x7f.1", "0x0000000000000000007f000001"}) {
    auto found = co_await as_result(resolve(host, 80));
    std::vector<std::string> mine;
    if (found) mine = as_text(*found);
    CHECK(mine == by_libc(host, 80));
  }
  std::vector<endpoint> v6 = co_await resolve("::1", 443);
  CHECK(as_text(v6) == std::vector<std::string>{"[::1]:443"});
}

CUVEE_TEST_CASE("resolve: an unknown name is an error that names it") {
  std::string bad = "a" + std::string(50, '1') + ".invalid";
  auto code = co_await failure_code(resolve(bad, 80));
  CHECK(code.category().name() == std::string("lookup"));
  std::string text = co_await failure(resolve(bad, 80));
  CHECK(text.starts_with("resolve " + bad + ": "));
  CHECK(text.find("(EAI_") != text.npos);
  std::string long_label(300, 'x');
  text = co_await failure(resolve(long_label, 80));
  CHECK_FALSE(text.empty());
  text = co_await failure(resolve("", 80));
  CHECK_FALSE(text.empty());
}

CUVEE_TEST_CASE("resolve: a NUL byte does not cut the name short") {
  for (std::string host :
       {std::string("localhost\0.evil", 15), std::string("127.0.0.1\0.evil", 15)}) {
    auto code = co_await failure_code(resolve(host, 80));
    CHECK(code.message().find("EAI_NONAME") != std::string::npos);
  }
}

CUVEE_TEST_CASE("resolve: cancelled before and during, nothing is waited for" *
                doctest::skip(no_localhost())) {
  bool done = false;
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    co_await resolve("localhost", 80);
    done = true;
  });
  CHECK_FALSE(done);
  stopwatch watch;
  auto cut = co_await move_on_after(0ms, resolve("no-such-host.invalid", 80));
  CHECK_FALSE(cut);
  CHECK(watch.elapsed() < 5s);
}

TEST_CASE("resolve: cancelled at every suspension, nothing is left" *
          doctest::skip(no_localhost())) {
  auto report = testing::torture([]() -> task<> {
    std::vector<endpoint> found = co_await resolve("localhost", 80);
    CHECK_FALSE(found.empty());
  });
  CHECK(report.suspensions > 0);
  CHECK(report.leaks == "");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("resolve: user jobs that block do not delay a lookup" *
                doctest::skip(no_localhost())) {
  std::atomic<bool> found = false;
  auto job = [&] {
    for (int i = 0; i < 10'000 && !found; i++) usleep(1000);
    return found.load();
  };
  auto block = [&]() -> task<bool> { co_return co_await offload(job); };
  auto look_up = [&]() -> task<> {
    co_await resolve("localhost", 80);
    found = true;
  };
  auto [a, b, c, d, none] = co_await gather(block(), block(), block(), block(), look_up());
  CHECK(a);  // else the lookup had to wait for the jobs
}

TEST_SUITE_END();
