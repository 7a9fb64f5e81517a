// SPDX-License-Identifier: MIT
// What the task tree, the statistics and debug mode show of io.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <vector>

#include "in_child.h"
#include "localhost.h"

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// The tree while `operation` waits, which is then cancelled.
template <class A>
task<std::string> tree_during(A operation) {
  std::string text;
  auto look = [&]() -> task<> {
    co_await checkpoint();
    text = to_string(loop::current().tasks());
  };
  co_await any_of(std::move(operation), look());
  co_return text;
}

}  // namespace

CUVEE_TEST_CASE("task tree: what waits for a stream names the stream") {
  connection c = co_await connected();
  std::string peer = "tcp " + c.client.peer().to_string();
  char byte;
  std::string tree = co_await tree_during(c.client.read_some(mutable_bytes(&byte, 1)));
  INFO(tree);
  CHECK(has(tree, "  read " + peer + "\n"));
  std::string big(16 << 20, 'x');
  tree = co_await tree_during(c.client.write(big));
  INFO(tree);
  CHECK(has(tree, "  write " + peer + "\n"));
}

CUVEE_TEST_CASE("task tree: accept and connect name the address") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  std::string tree = co_await tree_during(l.accept());
  INFO(tree);
  CHECK(has(tree, "  accept tcp " + l.local().to_string() + "\n"));
  std::string connecting;
  auto look = [&]() -> task<> {
    connecting = to_string(loop::current().tasks());
    co_return;
  };
  auto [client, server, none] = co_await gather(connect(l.local()), l.accept(), look());
  INFO(connecting);
  CHECK(has(connecting, "  connect tcp " + l.local().to_string() + "\n"));
}

CUVEE_TEST_CASE("task tree: a lookup names its host, a wait for a process its program") {
  process p = spawn(command("cat").in(stdio::pipe).out(stdio::pipe));
  std::string tree = co_await tree_during(p.wait());
  INFO(tree);
  CHECK(has(tree, "  process_wait cat\n"));
  char byte;
  tree = co_await tree_during(p.out().read_some(mutable_bytes(&byte, 1)));
  INFO(tree);
  CHECK(has(tree, "  read stdout of cat\n"));
  co_await p.in().close();
  co_await p.wait();
  std::string lookup;
  auto look = [&]() -> task<> {
    lookup = to_string(loop::current().tasks());
    co_return;
  };
  co_await gather(as_result(resolve("localhost", 80)), look());
  INFO(lookup);
  CHECK(has(lookup, "resolve localhost\n"));
}

CUVEE_TEST_CASE("stats: reads, writes, bytes and handles agree with what the test counts") {
  loop_stats before = loop::current().stats();
  connection c = co_await connected();
  co_await sleep(1ms);  // the listener of `connected` closes
  loop_stats open = loop::current().stats();
  std::string data = pattern(3'000'000);
  auto send = [&]() -> task<> {
    for (int i = 0; i < 3; i++) co_await c.client.write("abc");
    co_await c.client.write(data);
    co_await c.client.shutdown_write();
  };
  auto [none, got] = co_await gather(send(), read_all(c.server));
  loop_stats after = loop::current().stats();
  CHECK(got.size() == 9 + data.size());
  CHECK(after.read_bytes - before.read_bytes == got.size());
  CHECK(after.written_bytes - before.written_bytes == got.size());
  CHECK(after.writes - before.writes >= 4);
  CHECK(after.reads - before.reads >= 1);
  CHECK(open.handles["tcp"].alive - before.handles["tcp"].alive == 2);
  co_await gather(c.client.close(), c.server.close());
  loop_stats closed = loop::current().stats();
  CHECK(closed.handles["tcp"].alive == before.handles["tcp"].alive);
  CHECK(closed.handles["tcp"].closed - before.handles["tcp"].closed == 2);
  CHECK(closed.handles["poll"].closed - before.handles["poll"].closed == 1);  // the listener
}

TEST_CASE(
    "debug mode: each handle that outlives its loop is reported with who made it, others not") {
  for (bool debug : {true, false}) {
    std::vector<std::string> reports;
    std::optional<tcp_listener> listener;
    std::optional<connection> both;
    std::optional<process> child;
    {
      loop l;
      l.on_report([&](const report& r) {
        if (r.message.find(" handle ") != r.message.npos) reports.push_back(r.message);
      });
      l.set_debug(debug);
      l.set_slow_step(std::chrono::hours(1));  // a report that a busy machine would add
      l.run([&]() -> task<> {
        listener.emplace(listen(endpoint("127.0.0.1", 0)));
        both.emplace(co_await connected());
        co_await both->client.close();
        child.emplace(spawn(command("sleep", "1000")));
      });
    }
    if (!debug) {
      CHECK(reports.empty());
      continue;
    }
    REQUIRE(reports.size() == 3);
    std::sort(reports.begin(), reports.end());
    CHECK(
        reports[0].starts_with("a listener handle was not closed before its loop ended; made by "
                               "task 'main' after lambda"));
    CHECK(reports[1].starts_with(
        "a process handle was not closed before its loop ended; made by task 'main' after lambda"));
    CHECK(reports[2].starts_with("a tcp handle was not closed before its loop ended"));
  }
}

TEST_CASE("runner: SIGQUIT lists what the tasks do, and the program goes on") {
  auto end = scenario::in_child([] {
    runner r;
    r.dump_on_quit();
    auto main = []() -> task<int> {
      tcp_listener l = listen(endpoint("127.0.0.1", 0));
      auto quit = []() -> task<> {
        std::raise(SIGQUIT);
        co_await sleep(50ms);
      };
      co_await any_of(l.accept(), quit());
      co_return 7;
    };
    return r.run_main(main);
  });
  INFO(end.output);
  CHECK(end.exited_with(7));
  CHECK(has(end.output, ": the tasks of this loop:\ntask 'main': any_of\n"));
  CHECK(has(end.output, "  accept tcp 127.0.0.1:"));
}
