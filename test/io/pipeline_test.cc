// SPDX-License-Identifier: MIT
#include "io_case.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

command shell(const char* script) { return command::shell(script); }

}  // namespace

CUVEE_TEST_CASE("pipeline: each command reads what the one before writes") {
  pipeline p(command("printf", "b\\na\\nc\\n"), command("sort"), command("head", "-n", "2"));
  pipeline_result r = co_await run_process(p, capture::out);
  CHECK(r.out == "a\nb\n");
  CHECK(r.statuses == std::vector<exit_status>(3));
  CHECK(r.status.success());
  CHECK(r.command == "printf b\\na\\nc\\n | sort | head -n 2");
}

CUVEE_TEST_CASE("pipeline: input goes to the first command, one command alone is one") {
  pipeline p(command("tr", "a-z", "A-Z"));
  pipeline_result r = co_await run_process(p, capture::out, "text");
  CHECK(r.out == "TEXT");
  p.add(command("rev"));
  r = co_await run_process(p, capture::out, "text");
  CHECK(r.out == "TXET");
  r = co_await run_process(p, capture::out, "");
  CHECK(r.out.empty());
}

CUVEE_TEST_CASE(
    "pipeline: the status is the last command's, or with pipefail that of the last failure") {
  pipeline p(shell("exit 3"), shell("exit 4"), shell("cat; exit 0"));
  pipeline_result r = co_await run_process(p);
  CHECK(r.status.success());
  std::vector<exit_status> all = {exit_status::exited(3), exit_status::exited(4), exit_status()};
  CHECK(r.statuses == all);
  p.pipefail();
  r = co_await run_process(p);
  CHECK(r.status == exit_status::exited(4));
  CHECK_THROWS_WITH_AS(
      r.check(), "run /bin/sh -c exit 3 | /bin/sh -c exit 4 | /bin/sh -c cat; exit 0: exit code 4",
      process_error);
  pipeline good(command("true"), command("true"));
  r = co_await run_process(good.pipefail());
  CHECK(r.check().status.success());
}

CUVEE_TEST_CASE("pipeline: a command whose reader ends gets SIGPIPE, as in a shell") {
  pipeline p(command("yes"), command("head", "-n", "1"));
  pipeline_result r = co_await run_process(p, capture::out);
  CHECK(r.out == "y\n");
  CHECK(r.statuses[0] == exit_status::signaled(SIGPIPE));
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("pipeline: the stderr of all commands, apart or with the output") {
  pipeline p(shell("echo one >&2"), shell("cat; echo two >&2; echo out"));
  pipeline_result r = co_await run_process(p, capture::all);
  CHECK(r.out == "out\n");
  bool both = r.err == "one\ntwo\n" || r.err == "two\none\n";
  CHECK(both);
  pipeline quiet(shell("echo one >&2"), shell("cat; echo two >&2; echo out").out(stdio::null));
  r = co_await run_process(quiet, capture::err);
  CHECK(r.out.empty());
  CHECK(r.err.size() == 8);
  r = co_await run_process(p, capture::merged);
  CHECK(r.err.empty());
  CHECK(r.out == "one\ntwo\nout\n");
}

CUVEE_TEST_CASE(
    "pipeline: a command that is not there, and those before it are stopped and reaped") {
  pipeline p(command("sleep", "60"), command("yes"), command("no-such-program"));
  auto text = co_await failure(run_process(p, capture::all));
  CHECK(text == "spawn no-such-program: no such file or directory (ENOENT)");
}

CUVEE_TEST_CASE("pipeline: cancelled, all commands end and have been reaped") {
  loop::current().on_report([](const report& r) { FAIL_CHECK(r.message); });
  pipeline p(command("yes"), command("cat"), shell("cat >/dev/null; sleep 60"));
  auto cut = co_await move_on_after(5ms, run_process(p, capture::all));
  CHECK_FALSE(cut);
  co_await task_group([&](group& g) -> task<> {
    g.cancel();
    task<pipeline_result> before = run_process(p, capture::all);
    co_await std::move(before);
  });
}

CUVEE_TEST_CASE("pipeline: more output than the limit stops it, a drain limit ends the wait") {
  run_process_options options;
  options.limit_bytes = 10;
  auto text = co_await failure(
      run_process(pipeline(command("yes"), command("cat")), capture::out, options));
  CHECK(text == "collect stdout of yes | cat: more than the limit of 10 bytes");
  run_process_options hasty;
  hasty.drain = 10ms;
  pipeline leaves(command("echo", "x"), shell("cat; sleep 0.2 &"));
  pipeline_result r = co_await run_process(leaves, capture::out, hasty);
  CHECK(r.out == "x\n");
  CHECK(r.status.success());
}

CUVEE_TEST_CASE("pipeline: a megabyte through every stage and back") {
  std::string data = pattern(1000000);
  pipeline p(command("cat"), command("cat"), command("cat"));
  pipeline_result r = co_await run_process(p, capture::all, data);
  bool same = r.out == data;
  CHECK(same);
}

TEST_CASE("pipeline: cancelled at every suspension, nothing is left") {
  std::string input = pattern(100000);
  auto report = testing::torture([&]() -> task<> {
    pipeline p(command("cat"), command("cat"));
    pipeline_result r = co_await run_process(p, capture::all, input);
    CHECK(r.out.size() == input.size());
  });
  CHECK(report.suspensions > 0);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}
