// SPDX-License-Identifier: MIT
// Loops, runners, and TCP streams.
#include "core/uv.h"
#include "fault_case.h"
#include "io/stream_block.h"
#include "localhost.h"

#include <cuvee/testing/run_case.h>
#include <doctest/doctest.h>

#include <string_view>

using namespace cuvee;
using namespace fault_case;

namespace {

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

// While it lives the kernel watches nothing new.
class no_watching {
 public:
  no_watching() {
    detail::uv::decide_fault = [](const char* call) {
      return std::string_view(call) == "epoll_ctl" ? static_cast<int>(UV_ENOSPC) : 0;
    };
  }
  ~no_watching() { detail::uv::decide_fault = nullptr; }
};

void check_refused(stream& s, const result<void>& r, const std::string& operation) {
  REQUIRE_FALSE(r);
  CHECK(r.error().code() == std::errc::no_space_on_device);  // as if of fs.epoll.max_user_watches
  CHECK(std::string(r.error().what()).starts_with(operation + " unix stream: "));
  CHECK_FALSE(s.is_open());
}

}  // namespace

TEST_CASE(
    "faults: a write that waits for room fails where that cannot be watched, and ends the stream") {
  const std::string much(4'000'000, 'x');
  auto body = [&]() -> task<> {
    auto [plain, peer1] = unix_stream_pair();
    auto [queued, peer2] = unix_stream_pair();
    std::string got;
    {
      no_watching now;
      auto written = co_await as_result(plain.write(much));
      check_refused(plain, written, "write");
      // What a turn has put into its output blocks goes first.
      while (queued.native().in_flight() == 0 && queued.is_open()) queued.native().append(much);
      written = co_await as_result(queued.write(much));
      check_refused(queued, written, "write");
    }
    got = co_await read_all(peer1);
    CHECK(got.size() < much.size());
  };
  CHECK(testing::run_case(body) == "");
}

TEST_CASE("faults: a passed handle that waits for room is an error where that cannot be watched") {
  auto body = []() -> task<> {
    unix_options passing;
    passing.pass_handles = true;
    auto [from, to] = unix_stream_pair(passing);
    auto [sent, other] = unix_stream_pair();
    const std::string with(4'000'000, 'x');
    no_watching now;
    auto passed = co_await as_result(from.send_handle(sent, with));
    check_refused(from, passed, "send a handle");
  };
  CHECK(testing::run_case(body) == "");
}

TEST_CASE("faults: every call to libuv fails in connecting, accepting and an exchange") {
  CHECK(fail_calls([] { return exchange(3); }) > 10);
  CHECK(fail_calls([] { return exchange(300'000); }) > 10);
  CHECK(fail_calls(&late_exchange) > 10);
}

TEST_CASE("faults: every allocation fails in connecting, accepting and an exchange") {
  CHECK(fail_allocations([] { return exchange(3); }) > 5);
  CHECK(fail_allocations([] { return exchange(300'000); }) > 5);
  CHECK(fail_allocations(&late_exchange) > 5);
}

TEST_CASE("faults: every call and allocation fails in making a loop, and nothing is left of it") {
  CHECK(fail_calls_of(&make_a_loop) >= 4);
  CHECK(fail_allocations_of(&make_a_loop) >= 4);
  CHECK(fail_calls_of(&make_a_guest) >= 3);
  CHECK(fail_allocations_of(&make_a_guest) >= 2);
}

TEST_CASE(
    "faults: every call and allocation fails in the main function of a program, which returns") {
  int calls = 0, returns = 0;
  auto whole = [&] {
    calls++;
    int status = run([]() -> task<> { co_await checkpoint(); });
    CHECK((status == 0 || status == 1));
    returns++;
  };
  CHECK(fail_calls_of(whole) >= 4);
  CHECK(fail_allocations_of(whole) >= 4);
  CHECK(calls == returns);
}

TEST_CASE("faults: every call and allocation fails in a runner with background tasks, which end") {
  auto whole = [] {
    run_with_background();
    CHECK(main_ended);
    CHECK(background_ended);
  };
  CHECK(fail_calls_of(whole) >= 9);
  CHECK(fail_allocations_of(whole) > 15);
  CHECK(fail_calls_of(&drop_a_runner) >= 7);
  CHECK(fail_allocations_of(&drop_a_runner) > 15);
  CHECK(reports_seen > 0);
}
