// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include "run.h"

using namespace cuvee;
using namespace std::chrono_literals;
using examples::say;

task<> thrown() {
  try {
    co_await run_process(command("/no/such/program"));
  } catch (const error& e) {
    say("%s", e.what());
    if (e.code() == std::errc::no_such_file_or_directory)
      say("operation: %s", e.operation().c_str());
  }
}

task<> as_a_value() {
  queue<int> closed(1);
  closed.close();
  auto item = co_await as_result(closed.get());  // nothing is thrown
  if (!item) say("%s", item.error().what());
}

task<> amain() {
  co_await thrown();
  co_await as_a_value();
}

int main() { return examples::run(amain); }
