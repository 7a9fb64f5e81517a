// SPDX-License-Identifier: MIT
// Streams, listeners, … whose owner destroys them while other tasks wait for them, and owners that have none any more.
#include "io_case.h"

#include <cuvee/testing/doctest.h>

#include <memory>

using namespace cuvee;
using namespace io_case;
using namespace std::chrono_literals;

namespace {

const endpoint any_port("127.0.0.1", 0);
constexpr int crowd = 2000;  // more than run between two looks at I/O

task<> turn_round(const bool& over) {
  while (!over) co_await checkpoint();
}

// Destroys `*owner` while `waiting` waits for it and `crowd` others are ready before it.
template <class Owner, class F>
task<> destroyed_in_a_crowd(std::unique_ptr<Owner>& owner, F waiting) {
  bool over = false;
  co_await task_group([&](group& g) -> task<> {
    auto told = g.spawn(waiting);
    co_await sleep(1ms);
    for (int i = 0; i < crowd; i++) g.spawn(turn_round, std::cref(over));
    for (int i = 0; i < 3; i++) co_await checkpoint();
    owner.reset();
    co_await told.join();
    over = true;
  });
}

// `operation()` then ends with the error closed.
template <class Owner, class F>
task<> is_told(std::unique_ptr<Owner> owner, F operation) {
  auto waiting = [&]() -> task<> {
    std::string why = co_await failure(operation(*owner));
    CHECK(why.ends_with(": closed"));
  };
  co_await destroyed_in_a_crowd(owner, waiting);
}

}  // namespace

CUVEE_TEST_CASE("owner gone: a reader and a writer of a stream are told, whoever runs first") {
  connection c = co_await connected();
  auto from = std::make_unique<tcp_stream>(std::move(c.client));
  char byte;
  auto read = [&](tcp_stream& s) { return s.read_some(mutable_bytes(&byte, 1)); };
  co_await is_told(std::move(from), read);
  connection d = co_await connected();
  auto to = std::make_unique<tcp_stream>(std::move(d.client));
  std::string big(16 << 20, 'x');
  auto write = [&](tcp_stream& s) { return s.write(big); };
  co_await is_told(std::move(to), write);
}

CUVEE_TEST_CASE("owner gone: those who wait at listeners, datagrams and watchers are told") {
  auto accept = [](tcp_listener& l) { return l.accept(); };
  co_await is_told(std::make_unique<tcp_listener>(listen(any_port)), accept);
  auto receive = [](udp_socket& s) { return s.receive(); };
  co_await is_told(std::make_unique<udp_socket>(bind_udp(any_port)), receive);
  auto next = [](file_watcher& w) { return w.next(); };
  co_await is_told(std::make_unique<file_watcher>(files::watch(temp_directory_path())), next);
}

CUVEE_TEST_CASE("owner gone: who waits for a process gets the end it came to") {
  auto child = std::make_unique<process>(spawn(command("sleep", "1000")));
  exit_status status;
  auto wait = [&]() -> task<> { status = co_await child->wait(); };
  co_await destroyed_in_a_crowd(child, wait);
  CHECK(status.signal() == SIGKILL);
}

CUVEE_TEST_CASE("owner gone: a watcher that goes under a wait beside others harms nobody") {
  auto w = std::make_unique<file_watcher>(files::watch(temp_directory_path()));
  auto later = [&]() -> task<> {
    co_await checkpoint();
    w.reset();
    co_await shield(sleep(5ms));
  };
  auto code = co_await failure_code(gather(w->next(), later()));
  CHECK(code == errc::closed);
}

CUVEE_TEST_CASE("owner gone: what was moved from is not open, and can be closed") {
  connection c = co_await connected();
  tcp_stream s = std::move(c.client);
  CHECK_FALSE(c.client.is_open());
  c.client.abort();
  co_await c.client.close();
  tcp_listener l = listen(any_port), other = std::move(l);
  CHECK_FALSE(l.is_open());
  l.close();
  udp_socket u = bind_udp(any_port), v = std::move(u);
  CHECK_FALSE(u.is_open());
  u.close();
  file_watcher w = files::watch(temp_directory_path()), x = std::move(w);
  w.close();
}
