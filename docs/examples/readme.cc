// SPDX-License-Identifier: MIT
#include <cstdio>

#include <cuvee/cuvee.h>
using namespace std::chrono_literals;

cuvee::task<> hello(int n, cuvee::duration d) {
  co_await cuvee::sleep(d);
  std::printf("hi %d\n", n);
}

cuvee::task<> amain() {
  co_await cuvee::gather(hello(1, 500ms), hello(2, 0ms));  // hi 2, hi 1
  auto r = co_await cuvee::run_process(cuvee::command("echo", "hello"), cuvee::capture::out);
  std::printf("%s", r.out.c_str());
  co_await cuvee::task_group([&](cuvee::group& g) -> cuvee::task<> {
    auto h = g.spawn(hello, 3, 10ms);  // a child of the block: joined, cancelled or awaited with it
    co_await cuvee::timeout(1s, h.join());
  });
}

int main() { return cuvee::run(amain); }  // Ctrl-C cancels amain and waits for its cleanup
