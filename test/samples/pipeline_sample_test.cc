// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cuvee/testing/doctest.h>

#include <csignal>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

template <class... Args>
command pipeline_sample(const Args&... args) {
  const char* folder = std::getenv("CUVEE_SAMPLES");
  return command(std::string(folder ? folder : ".") + "/pipeline", args...);
}

}  // namespace

CUVEE_TEST_CASE(
    "samples: pipeline explains itself, and an unknown option is one line and status 2") {
  process_result r = co_await run_process(pipeline_sample("--help"), capture::all);
  CHECK(r.status.success());
  CHECK(r.out.starts_with("usage: pipeline [option]... COMMAND...\n"));
  CHECK(r.err.empty());
  r = co_await run_process(pipeline_sample("--nonsense"), capture::all);
  CHECK(r.status == exit_status::exited(2));
  CHECK(r.err == "pipeline: unknown option --nonsense (see --help)\n");
}

CUVEE_TEST_CASE("samples: pipeline shows the last output, and how each command ended") {
  command sorted = pipeline_sample("printf b\\na\\nc\\n", "sort", "head -n 2");
  process_result r = co_await run_process(sorted, capture::all);
  CHECK(r.status.success());
  CHECK(r.out == "a\nb\n");
  CHECK(r.err == "printf b\\na\\nc\\n: exit code 0\nsort: exit code 0\nhead -n 2: exit code 0\n");
  r = co_await run_process(pipeline_sample("false", "cat"), capture::all);
  CHECK(r.status.success());
  r = co_await run_process(pipeline_sample("--pipefail", "false", "cat"), capture::all);
  CHECK(r.status == exit_status::exited(1));
  r = co_await run_process(pipeline_sample(), capture::all);
  CHECK(r.status.success());
  CHECK(std::atoi(r.out.c_str()) > 0);
}

CUVEE_TEST_CASE("samples: pipeline tells which command is not there") {
  process_result r = co_await run_process(pipeline_sample("ls", "no-such-program"), capture::all);
  CHECK(r.status == exit_status::exited(1));
  CHECK(r.err == "pipeline: error: spawn no-such-program: no such file or directory (ENOENT)\n");
}

CUVEE_TEST_CASE("samples: Ctrl-C ends pipeline with all its commands") {
  command running = pipeline_sample("yes", "tee /dev/stderr", "sleep 60");
  process p = spawn(running.err(stdio::pipe).out(stdio::null));
  char byte[1];
  mutable_bytes room(byte);
  co_await p.err().read_some(room);  // all of them run
  p.kill(SIGINT);
  std::string rest(65536, '\0');
  while (std::size_t n = co_await p.err().read_some(rest)) (void)n;
  exit_status end = co_await timeout(30s, p.wait());
  CHECK(end == exit_status::exited(130));
}
