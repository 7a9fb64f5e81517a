// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;

task<> heartbeat() {
  for (int i = 1;; i++) {
    std::printf("heartbeat %d\n", i);
    co_await sleep(1h);
  }
}

task<> fail() {
  throw std::runtime_error("nobody waits for me");
  co_return;
}

task<int> first_main() {
  loop& l = loop::current();
  l.background().spawn(heartbeat);  // lives on in the next main task
  l.background().spawn(fail);
  co_await checkpoint();
  co_return 1;
}

task<int> second_main(int n) {
  co_await checkpoint();
  co_return n + 1;
}

int main() {
  runner r;
  r.exit_within(5s);
  r.loop().on_report(
      [](const report& what) { std::printf("report: %s\n", what.message.c_str()); });
  int n = r.run(first_main);
  n = r.run(second_main, n);
  std::printf("%d\n", n);
}  // the heartbeat is cancelled and awaited here
