// SPDX-License-Identifier: MIT
#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

context_var<int> request_id;  // 0 unless bound

void log(const char* text) { say("[%d] %s", request_id.get(), text); }

task<> query() {
  co_await sleep(10ms);
  log("query");
}

task<> handle(int id) {
  auto bound = request_id.bind(id);  // until the end of the function
  log("begin");
  co_await gather(query(), query());  // children see it
  log("end");
}

task<> amain() {
  co_await gather(handle(1), handle(2));
  log("outside");
}

int main() { return examples::run(amain); }
