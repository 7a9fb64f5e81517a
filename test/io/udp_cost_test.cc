// SPDX-License-Identifier: MIT
// Counts the heap allocations of a datagram. Under ASan blocks are not pooled.
#include "udp_case.h"

#include "heap.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace udp_case;

#if !CUVEE_ASAN

CUVEE_TEST_CASE("udp: sending and receiving allocate nothing, waited for or not") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  char room[100];
  datagram_batch batch(4, 100);
  std::string text(60, 'x');
  auto at_once = [&]() -> task<> {
    (void)from.try_send(text);
    co_await to.receive_from(room);
    co_await from.send(text);
    co_await to.receive_from(room);
    co_await from.send_to(text, to.local());
    co_await to.receive_batch(batch);
  };
  std::size_t n = co_await heap::steady_state(at_once);
  CHECK(n == 0);
  auto later = [&]() -> task<> {
    co_await checkpoint();
    co_await from.send(text);
  };
  auto waiting = [&]() -> task<> { co_await gather(to.receive_from(room), later()); };
  n = co_await heap::steady_state(waiting);
  CHECK(n == 0);
  auto whole = [&]() -> task<> {
    co_await from.send(text);
    co_await to.receive();
  };
  n = co_await heap::steady_state(whole);
  CHECK(n == 100);  // the string that is given away
}

CUVEE_TEST_CASE("udp: waiting for room in the send buffer allocates nothing") {
  auto [a, b] = narrow();
  int there = fill(a);
  char room[1000];
  auto take = [&]() -> task<> {
    co_await checkpoint();
    for (int i = 0; i < there; i++) co_await b.receive_from(room);
  };
  auto once = [&]() -> task<> {
    co_await gather(a.send("x"), take());
    co_await b.receive_from(room);
    there = fill(a);
  };
  std::size_t n = co_await heap::steady_state(once);
  CHECK(n == 100);  // the text that `fill` sends
}

#endif
