// SPDX-License-Identifier: MIT
// Child processes.
#include "fault_case.h"

#include <doctest/doctest.h>

using namespace cuvee;
using namespace fault_case;

namespace {

task<> child_process() {
  command c("cat");
  c.in(stdio::pipe).out(stdio::pipe).err(stdio::pipe).env("CUVEE_A", "b");
  process p = spawn(c);
  process_result r = co_await p.communicate("some data");
  CHECK(r.out == "some data");
  CHECK(r.status.success());
}

task<> child_process_run() {
  process_result r = co_await run_process(command("cat"), capture::all, "some data");
  CHECK(r.out == "some data");
}

}  // namespace

TEST_CASE("faults: every call fails in starting and talking to a child") {
  CHECK(fail_calls(&child_process) > 10);
  CHECK(fail_calls(&child_process_run) > 10);
}

TEST_CASE("faults: every allocation fails in starting and talking to a child") {
  CHECK(fail_allocations(&child_process) > 10);
  CHECK(fail_allocations(&child_process_run) > 3);
}
