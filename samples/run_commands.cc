// SPDX-License-Identifier: MIT
// Two child processes at once; what each one printed is shown when it has ended. Ctrl-C ends the
// children, too, and waits for them.
//   ./run_commands
#include <cuvee/io.h>

#include "args.h"

#include <cstdio>

cuvee::task<> run_command(cuvee::command command) {
  std::string text = command.to_string();
  std::printf("Executing: %s\n", text.c_str());
  std::fflush(stdout);
  auto result = co_await cuvee::run_process(command, cuvee::capture::out);
  std::printf("Done with %s: %s\n", text.c_str(), result.out.c_str());
  std::fflush(stdout);
  if (!result.status.success())
    std::fprintf(stderr, "run_commands: %s: %s\n", text.c_str(), result.status.to_string().c_str());
}

cuvee::task<> amain() {
  co_await cuvee::gather(run_command(cuvee::command("sleep", "1")),
                         run_command(cuvee::command("echo", "hello")));
}

int main(int argc, char** argv) {
  samples::args args("run_commands",
                     "Runs `sleep 1` and `echo hello` at once and prints their output.");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain);
}
