// SPDX-License-Identifier: MIT
// Fails the n-th call to libuv, and the n-th allocation, for every n: what is awaited ends with a value
// or an error, and nothing is left.
#include "core/uv.h"
#include "failing_heap.h"
#include "localhost.h"

#include <cuvee/io.h>
#include <cuvee/testing/run_case.h>
#include <doctest/doctest.h>

#include <sys/socket.h>
#include <unistd.h>

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

// Through libc, which finds nothing: the label is too long to be asked for.
task<> look_up(resolver& names) {
  auto found = co_await as_result(names.resolve(std::string(64, 'x') + ".invalid", 80));
  if (found) throw error(errc::foreign, "look up");
  if (found.error().code().category().name() != std::string("lookup")) throw error(found.error());
}

task<> lookups() {
  resolver_options keep;
  keep.failure_ttl = std::chrono::hours(1);
  resolver names(keep);
  co_await gather(look_up(names), look_up(names), look_up(names));
  co_await look_up(names);
  reverse_options service_only;
  service_only.numeric_host = true;
  endpoint_name who = co_await reverse_lookup(endpoint("127.0.0.1", 80), service_only);
  CHECK(who.host == "127.0.0.1");
}

struct socket_pair {
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  socket_pair(const socket_pair&) = delete;
  ~socket_pair() {
    close(ends[0]);
    close(ends[1]);
  }
  int ends[2];
};

task<> foreign_descriptors() {
  socket_pair s;
  int fd = s.ends[0];
  co_await writable(fd);
  {
    fd_watch w = watch(fd);
    auto read = [&]() -> task<> { co_await w.readable(); };
    auto write = [&]() -> task<> {
      co_await w.writable();
      CHECK(::write(s.ends[1], "x", 1) == 1);
    };
    co_await gather(read(), write());
  }
  foreign_sockets table;
  table.set(fd, fd_event::readable);
  co_await table.next();
  table.set_timer(duration::zero());
  table.set(s.ends[1], fd_event::writable);
  for (int i = 0; i < 3; i++) co_await table.next();
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

template <class F>
std::size_t for_each_status(F count) {
  std::size_t most = 0;
  detail::uv::decide_fault = [](const char*) { return calls.hit() ? call_status : 0; };
  for (int status : {UV_ENOMEM, UV_EMFILE, UV_EPERM, UV_ECONNABORTED}) {
    call_status = status;
    most = std::max(most, count());
  }
  detail::uv::decide_fault = nullptr;
  return most;
}

std::size_t fail_calls(const std::function<task<>()>& body) {
  return for_each_status([&] { return fail_each(body, calls); });
}

/// The same for what makes its own loop. Returns: how many could be made to fail.
std::size_t fail_each_of(const std::function<void()>& whole, countdown& what) {
  whole();
  for (std::size_t n = 1;; n++) {
    testing::footprint before = testing::footprint::take();
    what = {n, 0};
    try {
      whole();
    } catch (const error& e) {
      what.fail_at = 0;
      CHECK(e.code() != errc::deadlock);
    } catch (const std::bad_alloc&) {
    }
    what.fail_at = 0;
    CHECK(before.grown_to(testing::footprint::take()) == "");
    if (what.seen < n || n == 500) return n - 1;
  }
}

void make_a_loop() {
  loop l;
  l.set_debug(true);
  l.run([]() -> task<> { co_await checkpoint(); });
}

// Borrowed, as by a program that has one already.
void make_a_guest() {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  try {
    loop guest(host);
  } catch (...) {
    uv_run(&host, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&host) == 0);
    throw;
  }
  uv_run(&host, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&host) == 0);
}

int reports_seen = 0;
bool main_ended, background_ended;

// With signals to handle, once for the main task and once for the background.
void run_with_background() {
  struct flag {
    bool& to;
    ~flag() { to = true; }
  };
  main_ended = background_ended = true;
  runner r;
  r.loop().on_report([](const report&) { reports_seen++; });
  r.exit_within(std::chrono::hours(1));
  r.dump_on_quit();
  auto lingers = []() -> task<> {
    background_ended = false;
    flag f{background_ended};
    co_await forever();
  };
  auto fails = []() -> task<> { throw error(errc::closed, "fail"); };
  auto main = [&]() -> task<> {
    main_ended = false;
    flag f{main_ended};
    r.loop().background().spawn(lingers).set_name("a name that is too long to be kept in place");
    r.loop().background().spawn(fails);
    co_await checkpoint();
  };
  r.run_main(main);
}

// The same, ended by the destructor.
void drop_a_runner() {
  runner r;
  r.loop().on_report([](const report&) { reports_seen++; });
  r.loop().set_debug(true);
  r.run([&]() -> task<> {
    r.loop().background().spawn([]() -> task<> { co_await forever(); });
    co_await checkpoint();
  });
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

TEST_CASE("faults: every call and allocation fails in lookups and their cache") {
  CHECK(fail_calls(&lookups) >= 2);
  CHECK(fail_each(&lookups, allocations) > 5);
}

TEST_CASE("faults: every call and allocation fails in waiting for foreign descriptors") {
  CHECK(fail_calls(&foreign_descriptors) >= 8);
  CHECK(fail_each(&foreign_descriptors, allocations) > 1);
}

TEST_CASE("faults: every allocation fails in connecting, accepting and an exchange") {
  CHECK(fail_each([] { return exchange(3); }, allocations) > 5);
  CHECK(fail_each([] { return exchange(300'000); }, allocations) > 5);
  CHECK(fail_each(&late_exchange, allocations) > 5);
}

TEST_CASE("faults: every allocation fails in starting and talking to a child") {
  CHECK(fail_each(&child_process, allocations) > 10);
  CHECK(fail_each(&child_process_run, allocations) > 3);
}

TEST_CASE("faults: every call and allocation fails in making a loop, and nothing is left of it") {
  CHECK(for_each_status([] { return fail_each_of(&make_a_loop, calls); }) >= 4);
  CHECK(fail_each_of(&make_a_loop, allocations) >= 4);
  CHECK(for_each_status([] { return fail_each_of(&make_a_guest, calls); }) >= 3);
  CHECK(fail_each_of(&make_a_guest, allocations) >= 2);
}

TEST_CASE("faults: every call and allocation fails in a runner with background tasks, which end") {
  auto whole = [] {
    run_with_background();
    CHECK(main_ended);
    CHECK(background_ended);
  };
  CHECK(for_each_status([&] { return fail_each_of(whole, calls); }) >= 9);
  CHECK(fail_each_of(whole, allocations) > 15);
  CHECK(for_each_status([] { return fail_each_of(&drop_a_runner, calls); }) >= 7);
  CHECK(fail_each_of(&drop_a_runner, allocations) > 15);
  CHECK(reports_seen > 0);
}
