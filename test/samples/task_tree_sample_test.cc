// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

command task_tree_sample() {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return command(std::string(folder ? folder : ".") + "/task_tree");
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

task<std::string> read_until(stream& s, std::string_view last) {
  std::string all;
  while (!has(all, last)) {
    std::string piece(4096, '\0');
    std::size_t n = co_await s.read_some(piece);
    if (n == 0) break;
    all.append(piece, 0, n);
  }
  co_return all;
}

}  // namespace

CUVEE_TEST_CASE("samples: task_tree prints who waits for what") {
  process_result r = co_await run_process(task_tree_sample(), capture::all);
  CHECK(r.status.success());
  CHECK(r.err == "");
  CHECK(r.out.starts_with("task 'main': any_of\n"));
  CHECK(has(r.out, "\n    task 'ann': sleep\n        at work (task_tree.cc:"));
  CHECK(has(r.out, "\n    task 'bob': mutex::lock\n"));
  CHECK(has(r.out, "\n    task 'cleo': mutex::lock\n"));
  CHECK(has(r.out, "\n  timeout\n    forever\n"));
}

CUVEE_TEST_CASE("samples: task_tree prints the tree on SIGQUIT and goes on, and Ctrl-C ends it") {
  command stays = task_tree_sample();
  stays.arg("--stay").out(stdio::pipe).err(stdio::pipe);
  process p = spawn(stays);
  std::string shown = co_await read_until(p.out(), "forever\n");
  CHECK(shown.starts_with("task 'main'"));
  p.kill(SIGQUIT);
  std::string report = co_await read_until(p.err(), "'cleo'");
  CHECK(report.starts_with("task_tree: the tasks of this loop:\ntask 'main': any_of\n"));
  p.kill(SIGINT);
  exit_status end = co_await timeout(30s, p.wait());
  CHECK(end == exit_status::exited(130));
}
