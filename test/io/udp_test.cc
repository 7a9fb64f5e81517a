// SPDX-License-Identifier: MIT
#include "udp_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>
#include <cuvee/testing/torture.h>

#include <algorithm>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;

namespace {

task<> answer(udp_socket& server, int times, std::size_t& received) {
  char room[1500];
  for (int i = 0; i < times; i++) {
    datagram_info came = co_await server.receive_from(room);
    received += came.size;
    std::string answer = "resp:" + std::string(room, came.size);
    co_await server.send_to(answer, came.from);
  }
}

}  // namespace

CUVEE_TEST_CASE(
    "udp: a server that answers two datagrams counts 3, then 6 bytes, its client 8, then 16") {
  udp_socket server = bind_udp(any_port);
  std::size_t at_server = 0, at_client = 0;
  for (bool connected : {false, true}) {
    udp_socket client = connected ? connect_udp(server.local()) : bind_udp(any_port);
    at_server = at_client = 0;
    for (std::size_t round = 1; round <= 2; round++) {
      if (connected) co_await client.send("abc");
      else co_await client.send_to("abc", server.local());
      auto [none, came] = co_await gather(answer(server, 1, at_server), client.receive());
      at_client += came.data.size();
      CHECK(came.data == "resp:abc");
      CHECK(came.from == server.local());
      CHECK(at_server == 3 * round);
      CHECK(at_client == 8 * round);
    }
  }
}

CUVEE_TEST_CASE("udp: many clients at once each get their own answers") {
  udp_socket server = bind_udp(any_port);
  std::size_t received = 0;
  auto ask = [&](int number) -> task<> {
    udp_socket client = connect_udp(server.local());
    for (int i = 0; i < 5; i++) {
      std::string text = std::to_string(number * 100 + i);
      co_await client.send(text);
      datagram came = co_await client.receive();
      CHECK(came.data == "resp:" + text);
    }
  };
  std::vector<task<>> all;
  all.push_back(answer(server, 20 * 5, received));
  for (int i = 0; i < 20; i++) all.push_back(ask(10 + i));
  co_await gather(std::move(all));
  CHECK(received == 20 * 5 * 4);
}

CUVEE_TEST_CASE("udp: an empty datagram has length 0 and ends nothing") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  char room[10];
  co_await from.send("");
  datagram_info first = co_await to.receive_from(room);
  CHECK(first.size == 0);
  CHECK_FALSE(first.truncated);
  CHECK(first.from == from.local());
  co_await from.send_to(const_bytes(), to.local());
  datagram second = co_await to.receive();
  CHECK(second.data == "");
  CHECK(from.try_send(""));
  datagram_batch batch(1, 10);
  std::size_t n = co_await to.receive_batch(batch);
  CHECK(n == 1);
  CHECK(batch.datagrams()[0].data == "");
  co_await from.send("end");
  datagram last = co_await to.receive();
  CHECK(last.data == "end");
}

CUVEE_TEST_CASE("udp: 65,536 bytes are too many for a datagram, the socket stays usable") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = bind_udp(any_port);
  std::string huge(65'536, 'x'), large = pattern(60'000);
  auto code = co_await failure_code(from.send_to(huge, to.local()));
  CHECK(code == std::errc::message_size);
  CHECK_THROWS_AS((void)from.try_send_to(huge, to.local()), error);
  CHECK(from.is_open());
  co_await from.send_to(large, to.local());
  datagram came = co_await to.receive();
  CHECK(came.data == large);
  CHECK(came.from == from.local());
}

CUVEE_TEST_CASE("udp: what does not fit is cut off and flagged, the next datagram is whole") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  char room[5];
  co_await from.send("123456");
  datagram_info came = co_await to.receive_from(room);
  CHECK(came.truncated);
  CHECK(std::string_view(room, came.size) == "12345");
  co_await from.send("67890");
  came = co_await to.receive_from(room);
  CHECK_FALSE(came.truncated);
  CHECK(std::string_view(room, came.size) == "67890");
  co_await from.send("gone");
  came = co_await to.receive_from(mutable_bytes());
  CHECK(came.truncated);
  CHECK(came.size == 0);
  co_await from.send("last");
  datagram last = co_await to.receive();
  CHECK(last.data == "last");
}

CUVEE_TEST_CASE("udp: a connected socket sends to its peer only, and hears nobody else") {
  udp_socket server = bind_udp(any_port), stranger = bind_udp(any_port);
  udp_socket client = connect_udp(server.local());
  CHECK(client.peer() == server.local());
  co_await stranger.send_to("spam", client.local());
  auto text = co_await failure(client.send_to("x", stranger.local()));
  CHECK(text.starts_with("send " + stranger.local().to_string() + ": "));
  CHECK(text.find("the socket is connected to " + server.local().to_string()) != text.npos);
  auto code = co_await failure_code(client.send_to("x", stranger.local()));
  CHECK(code == std::errc::already_connected);
  co_await client.send_to("ping", server.local());
  datagram came = co_await server.receive();
  CHECK(came.data == "ping");
  co_await server.send_to("pong", came.from);
  datagram answer = co_await client.receive();
  CHECK(answer.data == "pong");

  udp_socket everywhere = bind_udp();
  udp_socket to_wildcard = connect_udp(endpoint("0.0.0.0", everywhere.local().port()));
  co_await to_wildcard.send("x");
  came = co_await everywhere.receive();
  co_await everywhere.send_to("y", came.from);
  answer = co_await to_wildcard.receive();
  CHECK(answer.from == to_wildcard.peer());
  co_await to_wildcard.send_to("z", answer.from);

  code = co_await failure_code(server.send("x"));
  CHECK(code == std::errc::destination_address_required);
  CHECK_THROWS_AS(server.peer(), error);
}

CUVEE_TEST_CASE("udp: everything after close is the error closed") {
  udp_socket s = bind_udp(any_port);
  endpoint at = s.local();
  CHECK(s.is_open());
  s.close();
  s.close();
  CHECK_FALSE(s.is_open());
  char room[10];
  datagram_batch batch(1, 1);
  std::vector<std::string> texts(5);
  texts[0] = co_await failure(s.send_to("x", at));
  texts[1] = co_await failure(s.send("x"));
  texts[2] = co_await failure(s.receive_from(room));
  texts[3] = co_await failure(s.receive());
  texts[4] = co_await failure(s.receive_batch(batch));
  for (std::size_t i = 0; i < texts.size(); i++)
    CHECK(texts[i] == (i < 2 ? "send " : "receive ") + at.to_string() + ": closed");
  CHECK_THROWS_AS((void)s.try_send("x"), error);
  CHECK_THROWS_AS((void)s.try_send_to("x", at), error);
  CHECK_THROWS_WITH_AS(s.local(), ("local address " + at.to_string() + ": closed").c_str(), error);
  CHECK_THROWS_AS(s.peer(), error);
  CHECK_THROWS_AS(s.dropped(), error);
  CHECK_THROWS_AS(s.set_broadcast(true), error);
  udp_socket again = bind_udp(at);  // its port is free at once
  CHECK(again.local() == at);
}

CUVEE_TEST_CASE(
    "udp: two sockets share a port with reuse_port, otherwise it is an error that names it") {
  udp_options shared;
  shared.reuse_port = true;
  udp_socket one = bind_udp(any_port, shared);
  udp_socket two = bind_udp(one.local(), shared);
  CHECK(two.local() == one.local());
  std::string expected =
      "bind " + one.local().to_string() + ": address already in use (EADDRINUSE)";
  CHECK_THROWS_WITH_AS(bind_udp(one.local()), expected.c_str(), error);
  auto text = co_await failure(bind_udp("192.0.2.1", 80));
  CHECK(text == "bind 192.0.2.1:80: cannot assign requested address (EADDRNOTAVAIL)");
  udp_options misplaced;
  misplaced.local = any_port;
  CHECK_THROWS_AS(bind_udp(any_port, misplaced), error);

  // Each datagram goes to one of them.
  for (int i = 0; i < 20; i++) {
    udp_socket client = connect_udp(one.local());
    co_await client.send(std::to_string(i));
  }
  std::vector<bool> seen(20);
  for (int i = 0; i < 20; i++) {
    auto [a, b] = co_await any_of(one.receive(), two.receive());
    for (auto* came : {a ? &*a : nullptr, b ? &*b : nullptr}) {
      if (came) seen[std::stoul(came->data)] = true;
    }
    i += a && b;
  }
  CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
}

CUVEE_TEST_CASE("udp: a socket connects from the address it is told to") {
  udp_socket server = bind_udp(any_port);
  udp_options options;
  options.local = endpoint("127.0.0.1", deserted().port());
  udp_socket client = connect_udp(server.local(), options);
  CHECK(client.local() == *options.local);
  co_await client.send("x");
  datagram came = co_await server.receive();
  CHECK(came.from == *options.local);
  options.local = server.local();
  std::string taken =
      "bind " + server.local().to_string() + ": address already in use (EADDRINUSE)";
  CHECK_THROWS_WITH_AS(connect_udp(client.local(), options), taken.c_str(), error);
  options.local = endpoint("::1", 0);
  auto code = co_await failure_code(connect_udp("127.0.0.1", server.local().port(), options));
  CHECK(code == std::errc::invalid_argument);
}

CUVEE_TEST_CASE("udp: names are looked up" * doctest::skip(no_localhost())) {
  udp_socket server = co_await bind_udp("localhost", 0);
  udp_socket client = co_await connect_udp("localhost", server.local().port());
  CHECK(client.peer() == server.local());
  co_await client.send("x");
  datagram came = co_await server.receive();
  CHECK(came.from == client.local());
  auto code = co_await failure_code(bind_udp("localhost", server.local().port()));
  CHECK(code == std::errc::address_in_use);
  auto text = co_await failure(connect_udp("no-such-host.invalid", 80));
  CHECK(text.starts_with("resolve no-such-host.invalid: "));
}

TEST_CASE("udp: sockets for names cancelled at every suspension, nothing is left" *
          doctest::skip(no_localhost())) {
  auto report = testing::torture([]() -> task<> {
    udp_socket server = co_await bind_udp("localhost", 0);
    udp_socket client = co_await connect_udp("localhost", server.local().port());
    CHECK(client.peer() == server.local());
  });
  CHECK(report.suspensions >= 2);
  CHECK(report.cancelled > 0);
  CHECK(report.leaks == "");
}

CUVEE_TEST_CASE("udp: IPv6, and IPv4 with it where v6_only is off" * doctest::skip(!has_ipv6())) {
  udp_socket six = bind_udp(endpoint("::1", 0));
  udp_socket client = connect_udp(six.local());
  co_await client.send("six");
  datagram came = co_await six.receive();
  CHECK(came.from == client.local());
  CHECK(came.from.is_v6());

  udp_socket only_six = bind_udp(endpoint("::", 0));
  udp_socket four = bind_udp(endpoint("0.0.0.0", only_six.local().port()));
  CHECK(four.local().port() == only_six.local().port());

  udp_options both_families;
  both_families.v6_only = false;
  udp_socket both = bind_udp(endpoint("::", 0), both_families);
  endpoint to("127.0.0.1", both.local().port());
  co_await four.send_to("four", to);
  came = co_await both.receive();
  CHECK(came.data == "four");
  CHECK(came.from.address() == "::ffff:127.0.0.1");
  co_await both.send_to("back", came.from);
  came = co_await four.receive();
  CHECK(came.data == "back");
  CHECK(came.from == to);
}

CUVEE_TEST_CASE("udp: a moved socket goes on, one with datagrams in its queue leaves nothing") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  for (int i = 0; i < 3; i++) co_await from.send(std::to_string(i));
  udp_socket moved = std::move(to);
  datagram came = co_await moved.receive();
  CHECK(came.data == "0");
  moved = bind_udp(any_port);
  CHECK(moved.is_open());
}
