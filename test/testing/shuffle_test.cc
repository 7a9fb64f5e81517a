// SPDX-License-Identifier: MIT
#include <cuvee/core.h>
#include <cuvee/exec.h>
#include <cuvee/io.h>
#include <cuvee/testing.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

task<> letters(std::string& out) {
  testing::virtual_clock clock;
  std::vector<task<>> all;
  auto write = [&](char c) -> task<> {
    out += c;
    co_await sleep(1h);  // all due at the same moment
    out += c;
  };
  for (char c = 'a'; c < 'i'; c++) all.push_back(write(c));
  co_await gather(std::move(all));
}

std::string order_of(std::optional<std::uint64_t> seed) {
  std::string out;
  loop l;
  if (seed) testing::shuffle_ready(l, *seed);
  l.run(letters(out));
  return out;
}

/// For as long as it lives.
class seed_variable {
 public:
  explicit seed_variable(const char* value) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~seed_variable() {
    if (before_) setenv(name, before_->c_str(), 1);
    else unsetenv(name);
  }

 private:
  static constexpr const char* name = "CUVEE_TEST_SEED";
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("shuffle_ready: without it, ready tasks and equal timers go first in first out") {
  CHECK(order_of({}) == "abcdefghabcdefgh");
}

TEST_CASE("shuffle_ready: a seed gives its order again, other seeds give others") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 10; seed++) {
    std::string once = order_of(seed);
    CHECK(once == order_of(seed));
    CHECK(once.substr(0, 8) != once.substr(8));  // equal deadlines, too
    orders.insert(once);
  }
  CHECK(orders.size() > 8);
}

TEST_CASE("shuffle_ready: finds a test that hopes for an order") {
  auto passes = [](std::uint64_t seed) {
    bool hope = false;
    loop l;
    testing::shuffle_ready(l, seed);
    auto body = [&]() -> task<> {
      int value = 0;
      auto writes = [&]() -> task<> {
        value = 1;
        co_return;
      };
      auto reads = [&]() -> task<> {
        hope = value == 1;
        co_return;
      };
      co_await gather(writes(), reads());
    };
    l.run(body());
    return hope;
  };
  int passed = 0;
  for (std::uint64_t seed = 0; seed < 40; seed++) passed += passes(seed);
  CHECK(passed > 0);
  CHECK(passed < 40);
}

TEST_CASE("shuffle_ready: nobody starves, every task that is ready runs in its round") {
  loop l;
  testing::shuffle_ready(l, 1);
  int turns[3] = {};
  auto count = [&](int i) -> task<> {
    for (; turns[i] < 5000; turns[i]++) {
      int others = turns[(i + 1) % 3];
      CHECK(std::abs(turns[i] - others) <= 2);
      co_await checkpoint();
    }
  };
  auto all = [&]() -> task<> { co_await gather(count(0), count(1), count(2)); };
  l.run(all());
  CHECK(turns[2] == 5000);
}

TEST_CASE("shuffle_ready: a job that ended is heard of some turns later") {
  int at_once = 0;
  thread_pool pool(1);
  for (std::uint64_t seed = 0; seed < 20; seed++) {
    loop l;
    testing::shuffle_ready(l, seed);
    auto body = [&](group& g) -> task<> {
      std::size_t before = pool.statistics().ended;
      auto job = [] {};
      auto h = g.spawn([&]() -> task<> { co_await pool.run(job); });
      co_await checkpoint();
      while (pool.statistics().ended == before || pool.statistics().idle == 0)
        std::this_thread::yield();
      loop_ref self = l.ref();
      co_await call_on(self, [] {});  // comes after the job
      at_once += h.done();
    };
    auto all = [&]() -> task<> { co_await task_group(body); };
    l.run(all());
  }
  CHECK(at_once > 0);
  CHECK(at_once < 20);
}

TEST_CASE("keep_fifo: undoes it, also in the middle of a run") {
  std::string out;
  loop l;
  testing::shuffle_ready(l, 3);
  auto body = [&]() -> task<> {
    testing::keep_fifo();
    co_await letters(out);
  };
  l.run(body());
  CHECK(out == "abcdefghabcdefgh");
  loop untouched;
  testing::keep_fifo(untouched);
}

TEST_CASE("test_seed: what the environment says, and run_case shuffles with it") {
  auto body = [](std::string& out) -> task<> { co_await letters(out); };
  std::string out;
  {
    seed_variable v("");
    CHECK_FALSE(testing::test_seed().has_value());
    testing::run_case([&] { return body(out); });
    CHECK(out == order_of({}));
  }
  {
    seed_variable v("18446744073709551615");
    CHECK(testing::test_seed() == ~std::uint64_t{0});
  }
  seed_variable v("4");
  out.clear();
  testing::run_case([&] { return body(out); });
  CHECK(out == order_of(4));
}

TEST_CASE("test_seed: no number is an error") {
  for (const char* text : {"x", "4x", "-1", "18446744073709551616"}) {
    seed_variable v(text);
    CHECK_THROWS_AS(testing::test_seed(), error);
  }
}

TEST_CASE("shuffle_ready: what comes in over a stream comes in pieces, the same for a seed") {
  auto sizes = [](std::optional<std::uint64_t> seed) {
    std::vector<std::size_t> all;
    loop l;
    if (seed) testing::shuffle_ready(l, *seed);
    l.run([](std::vector<std::size_t>& to) -> task<> {
      auto [a, b] = memory_stream_pair();
      std::string sent(30'000, 'x'), room(65'536, '\0');
      co_await a.write(sent);
      co_await a.shutdown_write();
      while (std::size_t n = co_await b.read_some(room)) to.push_back(n);
    }(all));
    return all;
  };
  CHECK(sizes({}) == std::vector<std::size_t>{30'000});
  std::set<std::size_t> seen;
  for (std::uint64_t seed = 1; seed <= 20; seed++) {
    auto once = sizes(seed);
    CHECK(sizes(seed) == once);
    seen.insert(once.begin(), once.end());
  }
  CHECK(seen.size() > 20);
}
