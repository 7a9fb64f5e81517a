// SPDX-License-Identifier: MIT
// On the loopback interface: machines need no route for it.
#include "udp_case.h"

#include <cuvee/testing/doctest.h>

#include <net/if.h>
#include <netinet/in.h>

#include <string>
#include <vector>

using namespace cuvee;
using namespace io_case;
using namespace udp_case;
using namespace std::chrono_literals;

namespace {

#if defined(__linux__)
constexpr const char* loopback = "lo";
#else
constexpr const char* loopback = "lo0";
#endif
constexpr const char* group_v4 = "239.255.77.1";
constexpr const char* group_v6 = "ff01::7701";  // stays on this machine on every interface
const endpoint any_v4("0.0.0.0", 0);

udp_socket multicaster(const endpoint& at, const std::string& interface = loopback) {
  udp_socket s = bind_udp(at);
  s.set_multicast_interface(interface);
  return s;
}

/// Why no datagram can be sent to `group` through `interface`; empty if one can.
std::string obstacle(const char* group, const std::string& interface) {
  std::string why;
  loop l;
  l.run([&]() -> task<> {
    try {
      endpoint to(group, deserted().port());
      udp_socket s = multicaster(endpoint(to.is_v6() ? "::" : "0.0.0.0", 0), interface);
      (void)s.try_send_to("x", to);
    } catch (const error& e) {
      why = e.what();
    }
    co_return;
  });
  return why;
}

bool no_v4() {
  static const std::string why = obstacle(group_v4, loopback);
  static const bool told = why.empty() || std::printf("skipped: multicasts: %s\n", why.c_str()) > 0;
  return told && !why.empty();
}

/// The loopback, or another interface where that has no route for multicasts; empty if none has.
const std::string& interface_v6() {
  static const std::string found = [] {
    std::vector<std::string> names = {loopback};
    if (auto* all = if_nameindex()) {
      for (auto* i = all; i->if_index != 0; i++) names.emplace_back(i->if_name);
      if_freenameindex(all);
    }
    for (const std::string& name : names)
      if (has_ipv6() && obstacle(group_v6, name).empty()) return name;
    std::printf("skipped: multicasts by IPv6: no interface has a route for them\n");
    return std::string();
  }();
  return found;
}

task<> check_comes(udp_socket& from, const char* group, udp_socket& to) {
  co_await from.send_to("multicast", endpoint(group, to.local().port()));
  datagram came = co_await to.receive();
  CHECK(came.data == "multicast");
}

task<> check_stays_away(udp_socket& from, const char* group, udp_socket& to) {
  endpoint own = to.local();
  co_await from.send_to("multicast", endpoint(group, own.port()));
  co_await from.send_to("direct", endpoint(own.is_v6() ? "::1" : "127.0.0.1", own.port()));
  datagram came = co_await to.receive();
  CHECK(came.data == "direct");
}

}  // namespace

CUVEE_TEST_CASE("multicast: a member receives what is sent to its group until it leaves" *
                doctest::skip(no_v4())) {
  udp_socket member = bind_udp(any_v4), from = multicaster(any_v4);
  co_await check_stays_away(from, group_v4, member);
  member.join_multicast(group_v4, {.interface = loopback});
  co_await check_comes(from, group_v4, member);
  member.leave_multicast(group_v4, {.interface = loopback});
  co_await check_stays_away(from, group_v4, member);
}

CUVEE_TEST_CASE("multicast: what others on this machine have joined is not received" *
                doctest::skip(no_v4())) {
  udp_options shared;
  shared.reuse_port = true;
  udp_socket member = bind_udp(any_v4, shared), from = multicaster(any_v4);
  udp_socket other = bind_udp(member.local(), shared);
  member.join_multicast(group_v4, {.interface = loopback});
  endpoint to(group_v4, member.local().port());
  co_await from.send_to("multicast", to);
  datagram came = co_await member.receive();
  CHECK(came.data == "multicast");
  auto none = co_await move_on_after(1ms, other.receive());
  CHECK_FALSE(none);

  other.join_multicast(group_v4, {.interface = loopback});
  co_await from.send_to("to both", to);
  auto [one, two] = co_await gather(member.receive(), other.receive());
  CHECK(one.data == "to both");
  CHECK(two.data == "to both");
}

CUVEE_TEST_CASE("multicast: a member of a source only hears that source" * doctest::skip(no_v4())) {
  udp_socket member = bind_udp(any_v4);
  udp_socket near = multicaster(endpoint("127.0.0.1", 0));
  udp_socket far = multicaster(endpoint("127.0.0.2", 0));
  multicast_options from_far{.interface = loopback, .source = "127.0.0.2"};
  member.join_multicast(group_v4, from_far);
  co_await check_stays_away(near, group_v4, member);
  co_await check_comes(far, group_v4, member);
  member.leave_multicast(group_v4, from_far);
  co_await check_stays_away(far, group_v4, member);
}

CUVEE_TEST_CASE("multicast: with IPv6" * doctest::skip(interface_v6().empty())) {
  endpoint any("::", 0);
  udp_socket member = bind_udp(any), from = multicaster(any, interface_v6());
  member.join_multicast(group_v6, {.interface = interface_v6()});
  co_await check_comes(from, group_v6, member);
  member.leave_multicast(group_v6, {.interface = interface_v6()});
  co_await check_stays_away(from, group_v6, member);
}

CUVEE_TEST_CASE("multicast: settings reach the socket, those out of range are refused") {
  udp_socket s = bind_udp(any_v4);
  CHECK(option(s, IPPROTO_IP, IP_MULTICAST_TTL) == 1);
  s.set_multicast_ttl(7);
  CHECK(option(s, IPPROTO_IP, IP_MULTICAST_TTL) == 7);
  s.set_multicast_loopback(false);
  CHECK(option(s, IPPROTO_IP, IP_MULTICAST_LOOP) == 0);
  for (int wrong : {-1, 256}) CHECK_THROWS_AS(s.set_multicast_ttl(wrong), error);
  if (has_ipv6()) {
    udp_socket six = bind_udp(endpoint("::", 0));
    six.set_multicast_ttl(7);
    CHECK(option(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS) == 7);
    six.set_multicast_loopback(false);
    CHECK(option(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP) == 0);
    six.set_ttl(9);
    CHECK(option(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 9);
  }
  co_return;
}

CUVEE_TEST_CASE(
    "multicast: what cannot be joined or left is an error that names group and interface") {
  udp_socket s = bind_udp(any_v4);
  const char* text = "join 239.255.77.1 on no-such0: no such device (ENODEV)";
  CHECK_THROWS_WITH_AS(s.join_multicast(group_v4, {.interface = "no-such0"}), text, error);
  text = "leave 239.255.77.1 on lo: cannot assign requested address (EADDRNOTAVAIL)";
  CHECK_THROWS_WITH_AS(s.leave_multicast(group_v4, {.interface = loopback}), text, error);
  CHECK_THROWS_AS(s.join_multicast("127.0.0.1", {.interface = loopback}), error);
  CHECK_THROWS_AS(s.join_multicast("no address"), error);
  CHECK_THROWS_AS(s.set_multicast_interface("no-such0"), error);
  s.join_multicast(group_v4, {.interface = loopback});
  try {
    s.join_multicast(group_v4, {.interface = loopback});
    CHECK(false);
  } catch (const error& e) {
    CHECK(e.code() == std::errc::address_in_use);
  }
  s.close();
  CHECK_THROWS_AS(s.join_multicast(group_v4), error);
  CHECK_THROWS_AS(s.set_multicast_interface(loopback), error);
  co_return;
}

CUVEE_TEST_CASE(
    "broadcast: is refused until it is enabled, then everyone on the port receives it") {
  udp_socket to = bind_udp(any_v4), from = bind_udp(any_v4);
  endpoint all("127.255.255.255", to.local().port());
  auto text = co_await failure(from.send_to("x", all));
  CHECK(text == "send " + all.to_string() + ": permission denied (EACCES)");
  from.set_broadcast(true);
  auto sent = co_await as_result(from.send_to("to all", all));
  if (!sent && sent.error().code() == std::errc::network_unreachable) {
    std::printf("skipped: broadcasts on the loopback: %s\n", sent.error().what());
    co_return;
  }
  CHECK(sent);
  datagram came = co_await to.receive();
  CHECK(came.data == "to all");
  from.set_broadcast(false);
  auto code = co_await failure_code(from.send_to("x", all));
  CHECK(code == std::errc::permission_denied);

  udp_options options;
  options.broadcast = true;
  udp_socket connected = connect_udp(all, options);
  co_await connected.send("again");
  came = co_await to.receive();
  CHECK(came.data == "again");
}
