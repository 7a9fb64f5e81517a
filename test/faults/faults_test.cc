// SPDX-License-Identifier: MIT
// Fails the n-th call to libuv, and the n-th allocation, for every n: what is awaited ends with a value
// or an error, and nothing is left.
#include "core/uv.h"
#include "failing_heap.h"
#include "localhost.h"

#include <cuvee/io.h>
#include <cuvee/testing/run_case.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

using namespace cuvee;
using failing_heap::allocations;
using failing_heap::countdown;

namespace {

thread_local countdown calls;
thread_local int call_status = 0;

task<std::string> read_all(stream& s) {
  std::string all, piece(5000, '\0');
  while (std::size_t n = co_await s.read_some(piece)) all.append(piece, 0, n);
  co_return all;
}

task<> echo(tcp_listener& l) {
  tcp_stream s = co_await l.accept();
  std::string all = co_await read_all(s);
  co_await s.write(all);
  co_await s.shutdown_write();
}

task<> ask(endpoint at, const std::string& text) {
  tcp_stream s = co_await connect(no_localhost() ? "127.0.0.1" : "localhost", at.port());
  co_await s.write(text);
  co_await s.shutdown_write();
  std::string answer = co_await read_all(s);
  if (answer.size() < text.size()) throw error(errc::end_of_stream, "ask");
  CHECK(answer == text);
  co_await s.close();
}

task<> exchange(std::size_t size) {
  std::string text(size, 'x');
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  co_await gather(echo(l), ask(l.local(), text));
}

// The reader comes late: what arrived before it is kept by the stream.
task<> late_reader(tcp_listener& l) {
  tcp_stream s = co_await l.accept();
  char byte;
  co_await s.read_some(mutable_bytes(&byte, 1));
  for (int turns = 0; turns < 10; turns++) co_await checkpoint();
  std::string rest = co_await read_all(s);
  CHECK(rest.size() == 60'000);
  co_await s.write("done");
}

task<> early_writer(endpoint at) {
  tcp_stream s = co_await connect(at);
  std::string text(30'000, 'y');
  co_await s.write("x");
  for (int i = 0; i < 2; i++) {
    co_await s.write(text);
    for (int turns = 0; turns < 3; turns++) co_await checkpoint();
  }
  co_await s.shutdown_write();
  std::string answer = co_await read_all(s);
  if (answer != "done") throw error(errc::end_of_stream, "write early");
}

task<> late_exchange() {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  co_await gather(late_reader(l), early_writer(l.local()));
}

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

/// Returns: whether something was made to fail.
bool run_failing(const std::function<task<>()>& body, countdown& what, std::size_t n) {
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
      CHECK(e.code() != errc::deadlock);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    what.fail_at = 0;
    CHECK(l.open_handles() == 0);
  }
  CHECK(before.grown_to(testing::footprint::take()) == "");
  CHECK((!failed || what.seen >= n));
  return what.seen >= n;
}

/// Returns: how many could be made to fail.
std::size_t fail_each(const std::function<task<>()>& body, countdown& what) {
  CHECK(testing::run_case(body) == "");
  std::size_t n = 1;
  while (n < 5000 && run_failing(body, what, n)) n++;
  CHECK(testing::run_case(body) == "");
  return n - 1;
}

std::size_t fail_calls(const std::function<task<>()>& body) {
  std::size_t most = 0;
  detail::uv::decide_fault = [](const char*) { return calls.hit() ? call_status : 0; };
  for (int status : {UV_ENOMEM, UV_EMFILE, UV_EPERM, UV_ECONNABORTED}) {
    call_status = status;
    most = std::max(most, fail_each(body, calls));
  }
  detail::uv::decide_fault = nullptr;
  return most;
}

}  // namespace

TEST_CASE("faults: every call to libuv fails in connecting, accepting and an exchange") {
  CHECK(fail_calls([] { return exchange(3); }) > 10);
  CHECK(fail_calls([] { return exchange(300'000); }) > 10);
  CHECK(fail_calls(&late_exchange) > 10);
}

TEST_CASE("faults: every call to libuv fails in starting and talking to a child") {
  CHECK(fail_calls(&child_process) > 10);
  CHECK(fail_calls(&child_process_run) > 10);
}

TEST_CASE("faults: every allocation fails in connecting, accepting and an exchange") {
  CHECK(fail_each([] { return exchange(3); }, allocations) > 10);
  CHECK(fail_each([] { return exchange(300'000); }, allocations) > 10);
  CHECK(fail_each(&late_exchange, allocations) > 5);
}

TEST_CASE("faults: every allocation fails in starting and talking to a child") {
  CHECK(fail_each(&child_process, allocations) > 10);
  CHECK(fail_each(&child_process_run, allocations) > 3);
}
