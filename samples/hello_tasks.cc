// SPDX-License-Identifier: MIT
// Two tasks at once: the second is started later and says "hi" first, because the first one sleeps.
//   ./hello_tasks
#include <cuvee/core.h>

#include "args.h"

#include <cstdio>

using namespace std::chrono_literals;

cuvee::task<> hello1() {
  co_await cuvee::sleep(500ms);
  std::printf("hi 1\n");
}

cuvee::task<> hello2() {
  std::printf("hi 2\n");
  co_return;
}

cuvee::task<> amain() {
  co_await cuvee::task_group([](cuvee::group& group) -> cuvee::task<> {
    auto task1 = group.spawn(hello1);
    auto task2 = group.spawn(hello2);
    co_await task1.join();
    co_await task2.join();
  });
}

int main(int argc, char** argv) {
  samples::args args("hello_tasks", "Runs two tasks at once; prints \"hi 2\", then \"hi 1\".");
  if (auto status = args.parse(argc, argv)) return *status;
  return cuvee::run(amain);
}
