// SPDX-License-Identifier: MIT
// What ICMP reports of datagrams sent before.
#include "udp_case.h"

#include <cuvee/testing/doctest.h>

#include <string>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;
using namespace std::chrono_literals;

namespace {

// Sends until the kernel tells of an earlier datagram; it may limit how often it does.
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

CUVEE_TEST_CASE("udp: with peer_errors a socket open to all learns whom it has not reached") {
  std::vector<endpoint> hosts = {any_port};
  if (has_ipv6()) hosts.emplace_back("::1", std::uint16_t{0});
  udp_options options;
  options.peer_errors = true;
  for (const endpoint& host : hosts) {
    udp_socket s = bind_udp(host, options), other = bind_udp(host);
    endpoint nobody = deserted(host), nobody_else = deserted(host);
    co_await s.send_to("x", nobody);
    auto text = co_await timeout(10s, failure(s.receive()));
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
      auto came = co_await timeout(10s, as_result(s.receive()));
      (came ? datagrams : errors)++;
    }
    CHECK(errors == 2);
    CHECK(datagrams == 1);
  }
}

CUVEE_TEST_CASE("udp: with peer_errors an IPv6 socket also learns of IPv4" *
                doctest::skip(!has_ipv6())) {
  udp_options options;
  options.peer_errors = true;
  options.v6_only = false;
  udp_socket s = bind_udp(endpoint("::", 0), options);
  endpoint nobody("::ffff:127.0.0.1", deserted().port());
  co_await s.send_to("x", nobody);
  auto text = co_await timeout(10s, failure(s.receive()));
  CHECK(text == "send " + nobody.to_string() + ": connection refused (ECONNREFUSED)");
}

CUVEE_TEST_CASE("udp: without peer_errors a socket open to all is not disturbed by ICMP") {
  udp_socket s = bind_udp(any_port), other = bind_udp(any_port);
  co_await s.send_to("x", deserted());
  co_await other.send_to("for you", s.local());
  datagram came = co_await s.receive();
  CHECK(came.data == "for you");
  co_await s.send_to("answer", came.from);
  came = co_await other.receive();
  CHECK(came.data == "answer");
}
