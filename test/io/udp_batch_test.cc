// SPDX-License-Identifier: MIT
// Batches, the receive buffer, settings.
#include "udp_case.h"

#include <cuvee/testing/doctest.h>

#include <netinet/in.h>

#include <set>
#include <string>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;
using namespace std::chrono_literals;

CUVEE_TEST_CASE("udp: what the receive buffer has no room for is dropped and counted") {
  udp_options small;
  small.receive_buffer_bytes = 8192;
  small.send_buffer_bytes = 100'000;
  udp_socket to = bind_udp(any_port, small);
  CHECK(to.receive_buffer_bytes() >= 8192);
  CHECK(to.send_buffer_bytes() >= 100'000);
  CHECK(to.dropped() == 0);
  udp_socket from = connect_udp(to.local());
  std::string text(1000, 'x');
  for (int i = 0; i < 100; i++) co_await from.send(text);
  std::uint32_t received = 0;
  auto count = [&]() -> task<> {
    while (received + to.dropped() < 100) {
      auto came = co_await move_on_after(10ms, to.receive());
      if (came) received++;
    }
  };
  co_await timeout(10s, count());
  CHECK(received > 0);
  CHECK(to.dropped() > 50);
  CHECK(received + to.dropped() == 100);
}

CUVEE_TEST_CASE("udp: settings reach the socket, those out of range are refused") {
  udp_socket s = bind_udp(any_port);
  s.set_ttl(3);
  CHECK(option(s, IPPROTO_IP, IP_TTL) == 3);
  s.set_broadcast(true);
  CHECK(option(s, SOL_SOCKET, SO_BROADCAST) == 1);
  for (int wrong : {-1, 0, 256}) CHECK_THROWS_AS(s.set_ttl(wrong), error);
  for (auto [most, each] : {std::pair(0, 10), std::pair(1025, 10), std::pair(1, 100'000)})
    CHECK_THROWS_AS(datagram_batch(most, each), error);
  co_return;
}

CUVEE_TEST_CASE("udp: a batch takes all that is there, in order, and is filled again") {
  auto [from, to] = narrow();  // where what is sent is there at once
  datagram_batch batch(5, 6);
  CHECK(batch.datagrams().empty());
  std::vector<std::string> got, flagged;
  auto take = [&]() -> task<std::size_t> {
    std::size_t n = co_await to.receive_batch(batch);
    CHECK(n == batch.datagrams().size());
    for (const datagram_view& d : batch.datagrams()) {
      got.emplace_back(d.data);
      if (d.truncated) flagged.emplace_back(d.data);
    }
    co_return n;
  };
  for (const char* text : {"0", "1", "too long", "", "4", "as long", "6"}) co_await from.send(text);
  std::size_t n = co_await take();
  CHECK(n == 5);
  n = co_await take();
  CHECK(n == 2);
  CHECK(got == std::vector<std::string>{"0", "1", "too lo", "", "4", "as lon", "6"});
  CHECK(flagged == std::vector<std::string>{"too lo", "as lon"});

  datagram_batch moved = std::move(batch);
  co_await from.send("again");
  n = co_await to.receive_batch(moved);
  CHECK(n == 1);
  CHECK(moved.datagrams()[0].data == "again");
}

CUVEE_TEST_CASE("udp: a batch names the sender of each datagram") {
  udp_socket to = bind_udp(any_port);
  std::vector<udp_socket> senders;
  for (int i = 0; i < 12; i++) {
    senders.push_back(connect_udp(to.local()));
    co_await senders.back().send(senders.back().local().to_string());
  }
  datagram_batch batch(8, 100);
  std::set<std::string> came;
  while (came.size() < senders.size()) {
    co_await to.receive_batch(batch);
    for (const datagram_view& d : batch.datagrams()) {
      CHECK(d.data == d.from.to_string());
      came.emplace(d.data);
    }
  }
}
