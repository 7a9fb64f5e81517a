// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <csignal>
#include <cstdio>

using namespace cuvee;
using namespace std::chrono_literals;

task<> to_its_end() {
  command sort("sort", "-n");
  process_result sorted = co_await run_process(sort, capture::out, "10\n9\n");
  std::printf("%s", sorted.check().out.c_str());
}

task<> that_fails() {
  command failing = command::shell("echo no such wine >&2; exit 7");
  process_result result = co_await run_process(failing, capture::all);
  try {
    result.check();
  } catch (const process_error& e) {
    std::printf("exit code %d: %s", *e.status().code(), e.err_tail().c_str());
  }
}

task<> in_a_pipeline() {
  pipeline line(command("printf", "b\\na\\nb\\n"), command("sort"), command("uniq", "-c"));
  process_result counted = co_await run_process(std::move(line), capture::out);
  std::printf("%s", counted.check().out.c_str());
}

task<> in_conversation() {
  process bc = spawn(command("cat").in(stdio::pipe).out(stdio::pipe));
  buffered_reader reader(bc.out());
  for (const char* word : {"first\n", "second\n"}) {
    co_await bc.in().write(word);
    auto echoed = co_await reader.read_line();
    std::printf("%s\n", echoed->c_str());
  }
  co_await bc.in().close();
  exit_status status = co_await bc.wait();
  std::printf("%s\n", status.to_string().c_str());
}

task<> for_a_while() {
  auto result = co_await move_on_after(50ms, run_process(command("sleep", "1000")));
  std::printf("%s\n", result ? "slept" : "ended: SIGTERM, then SIGKILL, and it is reaped");
}

task<> until_a_signal() {
  signal_set hangups(SIGHUP);
  std::raise(SIGHUP);
  int number = co_await hangups.next();
  std::printf("%s\n", number == SIGHUP ? "read the configuration again" : "?");
}

task<> amain() {
  co_await to_its_end();
  co_await that_fails();
  co_await in_a_pipeline();
  co_await in_conversation();
  co_await for_a_while();
  co_await until_a_signal();
}

int main() { return cuvee::run(amain); }
