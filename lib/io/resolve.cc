// SPDX-License-Identifier: MIT
#include <cuvee/io/resolve.h>

#include "core/loop_state.h"
#include "lookup_request.h"
#include "uv_error.h"

#include <netdb.h>

namespace cuvee::inline v0 {

result<std::vector<endpoint>> resolve_awaiter::await_result() {
  if (status() != 0) return detail::uv_error(status(), "resolve", subject());
  return std::move(found());
}

result<std::string> canonical_name_awaiter::await_result() {
  if (status() != 0) return detail::uv_error(status(), "resolve", subject());
  if (canonical_name().empty()) return *host();
  return std::move(canonical_name());
}

int reverse_awaiter::flags() const noexcept {
  int f = 0;
  if (options_.require_name) f |= NI_NAMEREQD;
  if (options_.numeric_host) f |= NI_NUMERICHOST;
  if (options_.numeric_service) f |= NI_NUMERICSERV;
  if (options_.kind == socket_kind::datagram) f |= NI_DGRAM;
  return f;
}

bool reverse_awaiter::await_ready() noexcept {
  if (!options_.numeric_host || !options_.numeric_service) return false;
  sockaddr_storage address;
  auto& native = reinterpret_cast<sockaddr&>(address);
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (getnameinfo(&native, of_.store(native), host, sizeof host, service, sizeof service,
                  flags()) != 0)
    return false;
  try {
    keep({nullptr, host, service});
  } catch (const std::bad_alloc&) {
    fail(UV_ENOMEM);
  }
  return true;
}

int reverse_awaiter::submit(request& r) noexcept {
  sockaddr_storage address;
  auto& native = reinterpret_cast<sockaddr&>(address);
  of_.store(native);
  return detail::uv::getnameinfo(r.home->uv, &r.native.name, &request::on_name, &native, flags());
}

void reverse_awaiter::keep(const detail::lookup_answer& a) {
  name_.host = a.host;
  name_.service = a.service;
}

result<endpoint_name> reverse_awaiter::await_result() {
  if (status() != 0) return detail::uv_error(status(), "reverse lookup", of_.to_string());
  return std::move(name_);
}

void reverse_awaiter::visit(detail::visitor& v) { v.about(of_.to_string()); }

}  // namespace cuvee::inline v0
