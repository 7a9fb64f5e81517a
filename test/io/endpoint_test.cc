// SPDX-License-Identifier: MIT
#include <cuvee/io/endpoint.h>

#include <cuvee/base/error.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

using namespace cuvee;

TEST_CASE("endpoint: numeric addresses are read and written back") {
  CHECK(endpoint().to_string() == "0.0.0.0:0");
  CHECK(endpoint("127.0.0.1", 80).to_string() == "127.0.0.1:80");
  CHECK(endpoint("::1", 8080).to_string() == "[::1]:8080");
  CHECK(endpoint("::1", 8080).address() == "::1");
  CHECK(endpoint("::ffff:1.2.3.4", 1).is_v6());
  CHECK_FALSE(endpoint("1.2.3.4", 1).is_v6());
  CHECK(endpoint("1.2.3.4", 65535).port() == 65535);
  CHECK(endpoint("fe80::1%2", 1).to_string() == "[fe80::1%2]:1");
}

TEST_CASE("endpoint: what libc does not take for numeric is refused, naming it") {
  CHECK_THROWS_WITH_AS(endpoint("localhost", 80),
                       "parse address localhost: not a numeric IP address", error);
  for (std::string_view bad : {"", "1.2.3.4.5", "256.1.1.1", "::1::", "[::1]", "127.0.0.1:80"})
    CHECK_THROWS_AS(endpoint(bad, 80), error);
  CHECK_THROWS_AS(endpoint(std::string_view("127.0.0.1\0.evil", 15), 80), error);
}

TEST_CASE("endpoint: the native form round-trips") {
  for (const endpoint& e : {endpoint("10.1.2.3", 4567), endpoint("fe80::1%2", 80)}) {
    sockaddr_in6 storage{};
    unsigned size = e.store(reinterpret_cast<sockaddr&>(storage));
    CHECK(size == (e.is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)));
    CHECK(endpoint(reinterpret_cast<sockaddr&>(storage)) == e);
  }
  CHECK(endpoint("1.2.3.4", 1) != endpoint("1.2.3.4", 2));
}
