// SPDX-License-Identifier: MIT
#include "udp_case.h"
#include "localhost.h"

#include <cuvee/testing/doctest.h>

#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;
using namespace std::chrono_literals;

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

// Sends until the kernel tells what has become of an earlier datagram; it may limit how often it does.
task<std::error_code> send_until_it_fails(udp_socket& s) {
  for (int i = 0; i < 1000; i++) {
    auto sent = co_await as_result(s.send("ping"));
    if (!sent) co_return sent.error().code();
    co_await sleep(1ms);
  }
  co_return std::error_code();
}

// Whatever has become of earlier ones.
task<> send_at_last(udp_socket& s, const char* text) {
  for (;;) {
    auto sent = co_await as_result(s.send(text));
    if (sent) co_return;
  }
}

task<> keep_sending(udp_socket& s) {
  for (;;) {
    [[maybe_unused]] auto sent = co_await as_result(s.send("ping"));
    co_await sleep(20ms);
  }
}

/// What `receive` fails with while datagrams are sent in vain.
template <class A>
task<std::string> failure_meanwhile(udp_socket& s, A receive) {
  auto [text, none] = co_await any_of(failure(std::move(receive)), keep_sending(s));
  co_return text.value_or("");
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

CUVEE_TEST_CASE(
    "udp: a connected socket fails once with a refusal, stays open and works when there is a "
    "server") {
  endpoint at = deserted();
  udp_socket client = connect_udp(at);
  for (int i = 0; i < 2; i++) {
    auto text = co_await failure_meanwhile(client, client.receive());
    CHECK(text == "receive " + at.to_string() + ": connection refused (ECONNREFUSED)");
  }
  auto code = co_await send_until_it_fails(client);
  CHECK(code == std::errc::connection_refused);
  CHECK(client.is_open());
  udp_socket server = bind_udp(at);
  co_await send_at_last(client, "hello");
  datagram came = co_await server.receive();
  CHECK(came.data == "hello");
  co_await server.send_to("hi", came.from);
  datagram answer = co_await client.receive();
  CHECK(answer.data == "hi");
}

CUVEE_TEST_CASE("udp: a refusal wakes whoever waits to receive, in whatever way") {
  udp_socket client = connect_udp(deserted());
  char room[10];
  datagram_batch batch(4, 100);
  std::vector<std::string> texts(3);
  texts[0] = co_await failure_meanwhile(client, client.receive_from(room));
  texts[1] = co_await failure_meanwhile(client, client.receive());
  texts[2] = co_await failure_meanwhile(client, client.receive_batch(batch));
  std::string refused =
      "receive " + client.peer().to_string() + ": connection refused (ECONNREFUSED)";
  for (const std::string& text : texts) CHECK(text == refused);
}

CUVEE_TEST_CASE(
    "udp: with peer_errors a socket open to all learns whom it has not reached, sending goes on") {
  udp_options options;
  options.peer_errors = true;
  udp_socket s = bind_udp(any_port, options);
  udp_socket other = bind_udp(any_port);
  endpoint nobody = deserted(), nobody_else = deserted();
  co_await s.send_to("x", nobody);
  auto text = co_await failure(s.receive());
  CHECK(text == "send " + nobody.to_string() + ": connection refused (ECONNREFUSED)");
  co_await s.send_to("x", nobody);
  co_await s.send_to("x", nobody_else);
  for (int i = 0; i < 10; i++) {  // none of them fails for what others have met
    co_await s.send_to("y", other.local());
    datagram came = co_await other.receive();
    CHECK(came.data == "y");
  }
  co_await other.send_to("z", s.local());
  int errors = 0, datagrams = 0;
  while (errors + datagrams < 3) {
    auto came = co_await as_result(s.receive());
    (came ? datagrams : errors)++;
  }
  CHECK(errors == 2);
  CHECK(datagrams == 1);

  udp_socket plain = bind_udp(any_port);
  co_await plain.send_to("x", nobody);
  co_await other.send_to("for you", plain.local());
  datagram only = co_await plain.receive();
  CHECK(only.data == "for you");
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
}

CUVEE_TEST_CASE("udp: names are looked up" * doctest::skip(no_localhost())) {
  udp_socket server = co_await bind_udp("localhost", 0);
  udp_socket client = co_await connect_udp("localhost", server.local().port());
  CHECK(client.peer() == server.local());
  co_await client.send("x");
  datagram came = co_await server.receive();
  CHECK(came.from == client.local());
  auto text = co_await failure(connect_udp("no-such-host.invalid", 80));
  CHECK(text.starts_with("resolve no-such-host.invalid: "));
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
