// SPDX-License-Identifier: MIT
// What a program waits for: prints the tree of its tasks, with the line of each await.
//   ./task_tree
//   ./task_tree --stay     Ctrl-\ (SIGQUIT) prints it again, Ctrl-C ends
#include <cuvee/core.h>

#include "args.h"

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

cuvee::task<> work(cuvee::mutex& tool) {
  auto held = co_await tool.lock();
  co_await cuvee::sleep(1h);
}

cuvee::task<> workshop(cuvee::mutex& tool) {
  co_await cuvee::task_group([&](cuvee::group& group) -> cuvee::task<> {
    for (std::string name : {"ann", "bob", "cleo"})
      group.spawn(work, std::ref(tool)).set_name(name);
    co_return;
  });
}

cuvee::task<> show(bool stay) {
  co_await cuvee::sleep(10ms);
  std::printf("%s", to_string(cuvee::loop::current().tasks()).c_str());
  std::fflush(stdout);
  if (stay) co_await cuvee::forever();
}

cuvee::task<> amain(bool stay) {
  cuvee::mutex tool;
  co_await cuvee::any_of(workshop(tool), cuvee::timeout(1h, cuvee::forever()), show(stay));
}

int main(int argc, char** argv) {
  bool stay = false;
  samples::args args("task_tree", "Prints what its tasks wait for.");
  args.flag("--stay", stay, "go on until Ctrl-C; Ctrl-\\ prints the tree again");
  if (auto status = args.parse(argc, argv)) return *status;
  cuvee::runner runner;
  runner.dump_on_quit();
  return runner.run_main(amain, stay);
}
