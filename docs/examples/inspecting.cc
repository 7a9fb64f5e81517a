// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;

task<> fetch(queue<int>& jobs) {
  for (;;) co_await jobs.get();
}

task<> nap() { co_await sleep(1h); }

// `to_string(tree)` also says where in the code each of them stands.
void print(const task_tree& tree) {
  for (const task_info& t : tree.nodes)
    if (t.kind == task_kind::task)
      std::printf("%s: %s\n", t.name.c_str(), t.waits_for.empty() ? "-" : t.waits_for.c_str());
}

task<> look_around() {
  queue<int> jobs(8);
  co_await task_group([&](group& g) -> task<> {
    auto worker = g.spawn(fetch, std::ref(jobs));
    worker.set_name("the worker");
    g.spawn(nap);
    co_await checkpoint();
    print(loop::current().tasks());
    g.cancel();
  });
}

task<> wait_for_nobody() {
  queue<int> jobs(8);
  co_await fetch(jobs);
}

int main() {
  loop l;
  l.run(look_around);
  try {
    l.run(wait_for_nobody);
  } catch (const deadlock_error& e) {
    std::printf("deadlock:\n");
    print(e.tasks());
  }
}
