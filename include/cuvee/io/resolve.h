// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/waiter.h>
#include <cuvee/io/endpoint.h>

#include <string>
#include <vector>

struct addrinfo;

namespace cuvee::inline v0 {

class CUVEE_API resolve_awaiter {
 public:
  resolve_awaiter(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
  resolve_awaiter(resolve_awaiter&& other) noexcept
      : host_(std::move(other.host_)), port_(other.port_) {}

  bool await_ready();
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  std::vector<endpoint> await_resume() { return await_result().value(); }
  result<std::vector<endpoint>> await_result();
  void visit(detail::visitor& v);

 private:
  struct request;
  void arrived(int status, const addrinfo* found);
  std::string host_;
  std::uint16_t port_;
  std::vector<endpoint> found_;
  waiter* waiter_ = nullptr;
  request* request_ = nullptr;
  int status_ = 0;
};

/// The addresses of a host name, in the system's order of preference; a numeric address costs no lookup.
/// Errors: those of getaddrinfo, `unknown node or service (EAI_NONAME)` say. Cancel: safe, at once.
[[nodiscard]] inline resolve_awaiter resolve(std::string host, std::uint16_t port) {
  return {std::move(host), port};
}

}  // namespace cuvee::inline v0
