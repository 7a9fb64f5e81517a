// SPDX-License-Identifier: MIT
// Functions in worker processes.
#include "in_child.h"

#include <cuvee/exec.h>

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/shuffle.h>
#include <cuvee/testing/torture.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

const worker_function reversed("reversed", [](std::string_view text) {
  return std::string(text.rbegin(), text.rend());
});
const worker_function own_pid("own_pid", [](std::string_view) { return std::to_string(getpid()); });
const worker_function crashes("crashes", [](std::string_view) -> std::string {
  std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would exit instead
  raise(SIGSEGV);
  return "";
});
const worker_function exits("exits", [](std::string_view) -> std::string { std::_Exit(3); });
const worker_function throws("throws", [](std::string_view text) -> std::string {
  throw std::runtime_error("not " + std::string(text));
});
const worker_function hangs("hangs", [](std::string_view file) -> std::string {
  std::ofstream(std::string(file)) << getpid() << std::endl;
  for (;;) pause();
});
const worker_function descriptors("descriptors", [](std::string_view) {
  std::string open;
  for (int fd = 3; fd < 100; fd++)
    if (fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + ' ';
  return open + (std::getenv("CUVEE_WORKER") ? "told" : "");
});
const worker_function grows("grows", [](std::string_view size) {
  return std::string(std::stoul(std::string(size)), 'x');
});

// What `main` does first in a program of its own; here the functions must be there before.
[[maybe_unused]] const bool entered = (worker_entry(), true);

template <class A>
task<std::string> failure(A operation) {
  auto result = co_await as_result(std::move(operation));
  if (result) co_return std::string();
  co_return std::string(result.error().what());
}

bool alive(int pid) { return ::kill(pid, 0) == 0; }

struct pid_file {
  pid_file() {
    int fd = mkstemp(path);
    if (fd >= 0) ::close(fd);
  }
  ~pid_file() { unlink(path); }
  int read() const {
    int pid = 0;
    std::ifstream(path) >> pid;
    return pid;
  }
  char path[32] = "/tmp/cuvee-pool-XXXXXX";
};

process_pool_options workers(std::size_t n) {
  process_pool_options o;
  o.size = n;
  return o;
}

}  // namespace

CUVEE_TEST_CASE("process_pool: a function runs in another process and gives its result") {
  process_pool pool(workers(1));
  std::string text = co_await pool.run(reversed, "abc");
  CHECK(text == "cba");
  text = co_await pool.run("reversed", "");
  CHECK(text.empty());
  std::string first = co_await pool.run(own_pid, "");
  std::string second = co_await pool.run(own_pid, "");
  CHECK(first == second);
  CHECK(first != std::to_string(getpid()));
  co_await pool.close();
  CHECK_FALSE(alive(std::stoi(first)));
}

CUVEE_TEST_CASE("process_pool: large arguments and results, and all bytes") {
  process_pool pool(workers(2));
  std::string data(300'000, '\0');
  for (std::size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>(i * 7);
  auto [a, b] = co_await gather(pool.run(reversed, data), pool.run(reversed, data));
  bool same = a == std::string(data.rbegin(), data.rend()) && a == b;
  CHECK(same);
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: no more workers than its size, jobs wait their turn") {
  process_pool pool(workers(2));
  std::vector<task<std::string>> jobs;
  for (int i = 0; i < 10; i++) jobs.push_back(pool.run(own_pid, ""));
  std::vector<std::string> pids = co_await gather(std::move(jobs));
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  CHECK(pids.size() <= 2);
  auto now = pool.statistics();
  CHECK(now.workers == pids.size());
  CHECK(now.idle == pids.size());
  CHECK(now.waiting == 0);
  co_await pool.close();
}

CUVEE_TEST_CASE(
    "process_pool: a crash is an error with function and signal, a new worker follows") {
  process_pool pool(workers(1));
  std::string before = co_await pool.run(own_pid, "");
  bool typed = false;
  std::string text;
  try {
    co_await pool.run(crashes, "");
  } catch (const worker_error& e) {
    typed = e.function() == "crashes" && e.status() == exit_status::signaled(SIGSEGV);
    text = e.what();
    CHECK(e.code() == errc::process_failed);
  }
  CHECK(typed);
  CHECK(text == "run crashes in a worker: signal 11 (Segmentation fault)");
  std::string after = co_await pool.run(own_pid, "");
  CHECK(after != before);
  text = co_await failure(pool.run(exits, ""));
  CHECK(text == "run exits in a worker: exit code 3");
  text = co_await pool.run(reversed, "on");
  CHECK(text == "no");
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: an exception is an error with its text, and the worker stays") {
  process_pool pool(workers(1));
  std::string before = co_await pool.run(own_pid, "");
  auto text = co_await failure(pool.run(throws, "now"));
  CHECK(text == "run throws: not now");
  std::string after = co_await pool.run(own_pid, "");
  CHECK(after == before);
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: a worker killed while idle costs no job") {
  process_pool pool(workers(1));
  for (bool seen : {false, true}) {
    std::string before = co_await pool.run(own_pid, "");
    int pid = std::stoi(before);
    ::kill(pid, SIGKILL);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    if (seen) co_await sleep(1ms);
    std::string after = co_await pool.run(own_pid, "");
    CHECK(after != before);
  }
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: cancelled while it runs, the job's worker is killed and reaped") {
  process_pool pool(workers(1));
  pid_file file;
  co_await task_group([&](group& g) -> task<> {
    auto h = g.spawn([&]() -> task<> { co_await pool.run(hangs, file.path); });
    while (file.read() == 0) co_await sleep(1ms);
    h.cancel();
  });
  CHECK_FALSE(alive(file.read()));
  std::string text = co_await pool.run(reversed, "on");
  CHECK(text == "no");
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: cancelled while it waits or before, a job is withdrawn") {
  process_pool pool(workers(1));
  pid_file file;
  co_await task_group([&](group& g) -> task<> {
    auto busy = g.spawn([&]() -> task<> { co_await pool.run(hangs, file.path); });
    while (file.read() == 0) co_await sleep(1ms);
    auto cut = co_await move_on_after(1ms, pool.run(reversed, "x"));
    CHECK_FALSE(cut);
    CHECK(pool.statistics().waiting == 0);
    CHECK(pool.statistics().workers == 1);
    auto never = g.spawn([&]() -> task<> { co_await pool.run(reversed, "x"); });
    never.cancel();
    busy.cancel();
  });
  CHECK(pool.statistics().workers == 0);
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: destroyed without close, its workers go") {
  int pid = 0;
  {
    process_pool pool(workers(1));
    std::string text = co_await pool.run(own_pid, "");
    pid = std::stoi(text);
  }
  while (alive(pid)) co_await sleep(1ms);
}

CUVEE_TEST_CASE("process_pool: closed, it waits for what runs and refuses the rest") {
  testing::keep_fifo();
  process_pool pool(workers(1));
  std::string first, second;
  auto runs = [&]() -> task<> { first = co_await pool.run(reversed, "ab"); };
  auto waits = [&]() -> task<> { second = co_await failure(pool.run(reversed, "cd")); };
  auto closes = [&]() -> task<> { co_await pool.close(); };
  co_await gather(runs(), waits(), closes());
  CHECK(first == "ba");
  CHECK(second == "run reversed: closed");
  auto text = co_await failure(pool.run(reversed, ""));
  CHECK(text == "run reversed: closed");
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: what is too large or unknown is refused") {
  process_pool_options o = workers(1);
  o.limit_bytes = 1000;
  process_pool pool(o);
  std::string large(1001, 'x');
  auto text = co_await failure(pool.run(reversed, large));
  CHECK(text == "run reversed: the argument is larger than the limit");
  text = co_await failure(pool.run(grows, "1001"));
  CHECK(text == "run grows: the result is larger than the limit");
  std::string fits = co_await pool.run(grows, "1000");
  CHECK(fits.size() == 1000);
  text = co_await failure(pool.run("no such", ""));
  CHECK(text == "run no such: no worker function has this name");
  CHECK_THROWS_WITH_AS(process_pool(workers(0)), "make a process pool: a pool needs a worker",
                       error);
  CHECK_THROWS_AS(worker_function("reversed", nullptr), error);
  text = co_await pool.run(reversed, "on");
  CHECK(text == "no");
  co_await pool.close();
}

CUVEE_TEST_CASE("process_pool: a worker has no descriptor but its own, and is not told again") {
  process_pool pool(workers(1));
  std::string text = co_await pool.run(descriptors, "");
  CHECK(text == "3 ");
  co_await pool.close();
}

TEST_CASE("process_pool: Ctrl-C cancels the jobs, ends the workers and then the program") {
  pid_file file;
  auto end = scenario::in_child([&] {
    auto amain = [&]() -> task<> {
      process_pool pool(workers(2));
      co_await pool.run(reversed, "x");
      co_await task_group([&](group& g) -> task<> {
        g.spawn([&]() -> task<> { co_await pool.run(hangs, file.path); });
        while (file.read() == 0) co_await sleep(1ms);
        raise(SIGINT);
        co_await forever();
      });
    };
    return run(amain);
  });
  CHECK(end.exited_with(130));
  CHECK(file.read() != 0);
  CHECK_FALSE(alive(file.read()));
}

TEST_CASE("process_pool: cancelled at every suspension, nothing is left") {
  auto report = testing::torture([]() -> task<> {
    process_pool pool(workers(1));
    auto [a, b] = co_await gather(pool.run(reversed, "ab"), pool.run(reversed, "cd"));
    CHECK(a == "ba");
    CHECK(b == "dc");
    co_await pool.close();
  });
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}
