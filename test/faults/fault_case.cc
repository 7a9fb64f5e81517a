// SPDX-License-Identifier: MIT
#include "fault_case.h"

#include "core/uv.h"
#include "failing_heap.h"

#include <cuvee/testing/run_case.h>
#include <doctest/doctest.h>

#include <algorithm>

using namespace cuvee;
using failing_heap::allocations;
using failing_heap::countdown;

namespace fault_case {

namespace {

thread_local countdown calls, openssl_allocations;
thread_local int call_status = 0;
thread_local const char* last_failed = "an allocation";

int decide(const char* call) {
  if (!calls.hit()) return 0;
  last_failed = call;
  return call_status;
}

}  // namespace

std::string failed_call() { return last_failed; }

namespace {

void check_error(const error& e) {
  CHECK(e.code() != errc::deadlock);
  CHECK_MESSAGE(!e.operation().empty(), std::string(e.what()));
}

/// Returns: whether something was made to fail.
bool run_failing(const coroutine& body, countdown& what, std::size_t n) {
  testing::footprint before = testing::footprint::take();
  bool failed = false;
  {
    loop l;
    l.on_report([](const report&) {});
    what = {n, 0};
    try {
      l.run(body());
    } catch (const error& e) {
      failed = true;
      what.fail_at = 0;
      check_error(e);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    what.fail_at = 0;
    CHECK(l.open_handles() == 0);
  }
  std::string left = before.grown_to(testing::footprint::take());
  CHECK_MESSAGE(left == "", left << " after the " << n << "th, " << failed_call());
  CHECK((!failed || what.seen >= n));
  return what.seen >= n;
}

// All of the first `dense`, then one in a growing number.
std::size_t fail_each(const coroutine& body, countdown& what, std::size_t dense = 5000) {
  CHECK(testing::run_case(body) == "");
  std::size_t n = 1;
  while (n < 100'000 && run_failing(body, what, n)) n += 1 + n / dense;
  CHECK(testing::run_case(body) == "");
  return n - 1;
}

std::size_t fail_each_of(const std::function<void()>& whole, countdown& what) {
  whole();
  for (std::size_t n = 1;; n++) {
    testing::footprint before = testing::footprint::take();
    what = {n, 0};
    try {
      whole();
    } catch (const error& e) {
      what.fail_at = 0;
      check_error(e);
    } catch (const std::bad_alloc&) {
    }
    what.fail_at = 0;
    CHECK(before.grown_to(testing::footprint::take()) == "");
    if (what.seen < n || n == 500) return n - 1;
  }
}

template <class F>
std::size_t for_each_status(F count) {
  std::size_t most = 0;
  detail::uv::decide_fault = &decide;
  for (int status : {UV_ENOMEM, UV_EMFILE, UV_EPERM, UV_ECONNABORTED}) {
    call_status = status;
    most = std::max(most, count());
  }
  detail::uv::decide_fault = nullptr;
  last_failed = "an allocation";
  return most;
}

}  // namespace

std::size_t fail_calls(const coroutine& body) {
  return for_each_status([&] { return fail_each(body, calls); });
}
std::size_t fail_openssl_allocations(const coroutine& body) {
  return fail_each(body, openssl_allocations, 100);
}
bool openssl_allocation_fails() noexcept { return openssl_allocations.hit(); }
std::size_t fail_allocations(const coroutine& body) { return fail_each(body, allocations); }

std::size_t fail_calls_of(const std::function<void()>& whole) {
  return for_each_status([&] { return fail_each_of(whole, calls); });
}
std::size_t fail_allocations_of(const std::function<void()>& whole) {
  return fail_each_of(whole, allocations);
}

}  // namespace fault_case
