// SPDX-License-Identifier: MIT
#include <cuvee/io/endpoint.h>

#include <cuvee/base/error.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>

namespace cuvee::inline v0 {

endpoint::endpoint(std::string_view address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  // libc decides what is numeric, so that this agrees with a lookup (scopes, short and octal forms).
  if (address.empty() || address.find('\0') != address.npos ||
      getaddrinfo(std::string(address).c_str(), nullptr, &hints, &found) != 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "parse address", address,
                "not a numeric IP address");
  *this = endpoint(*found->ai_addr);
  freeaddrinfo(found);
  port_ = port;
}

endpoint::endpoint(const sockaddr& native) noexcept {
  if (native.sa_family == AF_INET6) {
    sockaddr_in6 a;
    std::memcpy(&a, &native, sizeof a);
    std::memcpy(bytes_.data(), &a.sin6_addr, 16);
    scope_ = a.sin6_scope_id;
    port_ = ntohs(a.sin6_port);
    v6_ = true;
  } else if (native.sa_family == AF_INET) {
    sockaddr_in a;
    std::memcpy(&a, &native, sizeof a);
    std::memcpy(bytes_.data(), &a.sin_addr, 4);
    port_ = ntohs(a.sin_port);
  }
}

unsigned endpoint::store(sockaddr& storage) const noexcept {
  if (v6_) {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(port_);
    a.sin6_scope_id = scope_;
    std::memcpy(&a.sin6_addr, bytes_.data(), 16);
    std::memcpy(&storage, &a, sizeof a);
    return sizeof a;
  }
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port_);
  std::memcpy(&a.sin_addr, bytes_.data(), 4);
  std::memcpy(&storage, &a, sizeof a);
  return sizeof a;
}

std::string endpoint::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
  std::string result(text);
  if (scope_ != 0) result += '%' + std::to_string(scope_);
  return result;
}

std::string endpoint::to_string() const {
  std::string host = address();
  if (v6_) host = '[' + host + ']';
  return host + ':' + std::to_string(port_);
}

}  // namespace cuvee::inline v0
