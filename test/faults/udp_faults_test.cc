// SPDX-License-Identifier: MIT
// Faults in UDP, and sends for which the system has no room at first.
#include "fault_case.h"

#include "core/uv.h"

#include <cuvee/testing/doctest.h>

#include <string_view>

using namespace cuvee;
using namespace fault_case;
using namespace std::chrono_literals;

namespace {

const endpoint any_port("127.0.0.1", 0);

task<> answer(udp_socket& s) {
  char room[100];
  datagram_info came = co_await s.receive_from(room);
  co_await s.send_to(const_bytes(room, came.size), came.from);
  datagram whole = co_await s.receive();
  co_await s.send_to(whole.data, whole.from);
}
task<> ask(udp_socket& s) {
  datagram_batch batch(4, 100);
  for (const char* text : {"first", "second"}) {
    co_await s.send(text);
    co_await s.receive_batch(batch);
    CHECK(batch.datagrams()[0].data == text);
  }
}

task<> udp_exchange() {
  udp_options options;
  options.broadcast = options.reuse_port = options.peer_errors = true;
  options.receive_buffer_bytes = options.send_buffer_bytes = 100'000;
  udp_socket server = bind_udp(any_port, options);
  udp_socket client = connect_udp(server.local(), options);
  co_await gather(answer(server), ask(client));
}

task<> udp_settings() {
  udp_socket s = bind_udp(endpoint("0.0.0.0", 0));
  s.set_broadcast(true);
  s.set_ttl(3);
  s.set_multicast_ttl(3);
  s.set_multicast_loopback(true);
  s.join_multicast("239.255.77.2", {.interface = "lo"});
  s.leave_multicast("239.255.77.2", {.interface = "lo"});
  bool sent = s.try_send_to("x", endpoint("127.0.0.1", s.local().port()));
  CHECK(sent);
  co_return;
}

/// While there is one, that many sends find the buffer full.
class full_buffer {
 public:
  explicit full_buffer(int sends) {
    left_ = sends;
    detail::uv::decide_fault = [](const char* call) -> int {
      if (std::string_view(call) != "sendto" || left_ == 0) return 0;
      left_--;
      return UV_EAGAIN;
    };
  }
  ~full_buffer() { detail::uv::decide_fault = nullptr; }
  int left() const { return left_; }

 private:
  static inline thread_local int left_ = 0;
};

}  // namespace

TEST_CASE("faults: every call fails in UDP") {
  CHECK(fail_calls(&udp_exchange) > 20);
  CHECK(fail_calls(&udp_settings) > 8);
}

TEST_CASE("faults: every allocation fails in UDP") {
  CHECK(fail_allocations(&udp_exchange) > 5);
  CHECK(fail_allocations(&udp_settings) >= 1);
}

CUVEE_TEST_CASE(
    "udp: a send that finds the buffer full goes out when there is room, others behind it") {
  udp_socket to = bind_udp(any_port);
  udp_socket from = connect_udp(to.local());
  full_buffer full(3);
  auto refuse = [&]() -> task<> {
    CHECK_FALSE(from.try_send("overtakes"));
    co_return;
  };
  co_await gather(from.send("a"), from.send("b"), refuse());
  CHECK(full.left() == 0);
  datagram first = co_await to.receive();
  datagram second = co_await to.receive();
  std::string both = first.data + second.data;
  CHECK((both == "ab" || both == "ba"));
  CHECK(from.try_send("again"));
}

CUVEE_TEST_CASE(
    "udp: with peer_errors a send waits for room although nobody receives what ICMP reports") {
  udp_options options;
  options.peer_errors = true;
  udp_socket from = bind_udp(any_port, options), to = bind_udp(any_port);
  endpoint nobody = bind_udp(any_port).local();
  for (int i = 0; i < 3; i++) co_await from.send_to("x", nobody);
  full_buffer full(5);
  co_await timeout(10s, from.send_to("y", to.local()));
  CHECK(full.left() == 0);
  datagram came = co_await to.receive();
  CHECK(came.data == "y");
}
