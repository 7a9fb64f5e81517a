// SPDX-License-Identifier: MIT
// Smoke runs of queue_workers and timeouts.
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <sstream>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

std::string sample(std::string_view name) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return std::string(folder ? folder : ".") + '/' + std::string(name);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Reads until `wanted` was printed. Returns: what was read.
task<std::string> read_until(stream& s, std::string wanted) {
  std::string text, piece(4096, '\0');
  while (text.find(wanted) == text.npos) {
    std::size_t n = co_await s.read_some(piece);
    if (n == 0) break;
    text.append(piece, 0, n);
  }
  co_return text;
}

}  // namespace

CUVEE_TEST_CASE("samples: queue_workers and timeouts explain themselves, and refuse nonsense") {
  for (std::string name : {"queue_workers", "timeouts"}) {
    process_result r = co_await run_process(command(sample(name), "--help"), capture::all);
    CHECK(r.status.success());
    CHECK(r.out.starts_with("usage: " + name));
    CHECK(r.err.empty());
    r = co_await run_process(command(sample(name), "--nonsense"), capture::all);
    CHECK(r.status == exit_status::exited(2));
    CHECK(r.err == name + ": unknown option --nonsense (see --help)\n");
  }
  command idle(sample("queue_workers"), "--workers", "0");
  process_result r = co_await run_process(idle, capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "queue_workers: --workers: 0 is not a number from 1 to 1000\n");
}

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("samples: queue_workers deals with every item once and counts them") {
  command c(sample("queue_workers"), "--workers", "3", "--items", "10", "--room", "2");
  process_result r = co_await run_process(c, capture::all);
  CHECK(r.status.success());
  CHECK(r.err.empty());
  std::multiset<std::string> done;
  for (const std::string& line : lines_of(r.out))
    if (line.starts_with("worker ") && line.find(" did ") != line.npos)
      done.insert(line.substr(line.rfind(' ') + 1));
  CHECK(done == std::multiset<std::string>{"1", "10", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(r.out.ends_with("10 items in all\n"));
}

CUVEE_TEST_CASE("samples: Ctrl-C makes queue_workers tell its totals") {
  process p = spawn(command(sample("queue_workers"), "--items", "1000000").out(stdio::pipe));
  co_await read_until(p.out(), " did ");
  p.kill(SIGINT);
  std::string rest = co_await read_until(p.out(), " items in all\n");
  CHECK(rest.ends_with(" items in all\n"));
  exit_status end = co_await p.wait();
  CHECK(end == exit_status::exited(130));
}

CUVEE_TEST_CASE("samples: timeouts shows what each limit does") {
  process_result r = co_await run_process(command(sample("timeouts")), capture::all);
  CHECK(r.status.success());
  CHECK(r.err.empty());
  std::string seen;
  for (const std::string& line : lines_of(r.out)) seen += line.substr(line.find(" s  ") + 4) + '\n';
  // How much the scope hears is a matter of real time; how it ends is not.
  std::size_t heard = seen.find("scope: heard"), silence = seen.find("scope: silence");
  REQUIRE(silence != seen.npos);
  if (heard < silence) seen.erase(heard, silence - heard);
  CHECK(seen ==
        "timeout: 42, in time\ntimeout: timeout 100 ms: timed out\nmove_on_after: no answer\n"
        "scope: silence for 350 ms\nclosing\nclosed\nwith_resource: cut short, and closed\n"
        "shield: saved, though 100 ms were given\nthe end, by Ctrl-C or not\n");
}

CUVEE_TEST_CASE("samples: Ctrl-C lets timeouts clean up") {
  process p = spawn(command(sample("timeouts")).out(stdio::pipe));
  co_await read_until(p.out(), "timeout: 42");
  p.kill(SIGINT);
  std::string rest = co_await read_until(p.out(), "the end");
  CHECK(rest.find("closed") == rest.npos);
  CHECK(rest.ends_with("the end, by Ctrl-C or not\n"));
  exit_status end = co_await p.wait();
  CHECK(end == exit_status::exited(130));
}

TEST_SUITE_END();
