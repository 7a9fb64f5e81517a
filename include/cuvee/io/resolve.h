// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/io/lookup.h>

#include <string>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

class CUVEE_API resolve_awaiter : public detail::address_lookup {
 public:
  using address_lookup::address_lookup;
  std::vector<endpoint> await_resume() { return await_result().value(); }
  result<std::vector<endpoint>> await_result();
};

class CUVEE_API canonical_name_awaiter : public detail::address_lookup {
 public:
  canonical_name_awaiter(std::string host, const resolve_options& options)
      : address_lookup(std::move(host), 0, options) {
    want_canonical_name();
  }
  bool await_ready() const noexcept { return false; }
  std::string await_resume() { return await_result().value(); }
  result<std::string> await_result();
};

/// The addresses of a host name, in the system's order of preference. What libc takes for a numeric address (`::1`,
/// but `127.1` and `0x7f000001` as well) costs no lookup. `std::nullopt` for a host: those of this machine.
/// Errors: those of getaddrinfo, `unknown node or service (EAI_NONAME)` say. Cancel: safe, at once.
/// Lifetime: the end of the loop waits for lookups that libc is busy with.
[[nodiscard]] inline resolve_awaiter resolve(std::optional<std::string> host, std::uint16_t port,
                                             const resolve_options& options = {}) {
  return {std::move(host), port, options};
}
/// The same with the port of a service, `http` say, as /etc/services or its like has it.
/// Errors: `service not available for socket type (EAI_SERVICE)` as well. Cancel: safe, at once.
[[nodiscard]] inline resolve_awaiter resolve(std::optional<std::string> host, std::string service,
                                             const resolve_options& options = {}) {
  return {std::move(host), std::move(service), options};
}

/// The name that `host` is an alias of, or `host` itself. Errors: those of `resolve`. Cancel: safe, at once.
[[nodiscard]] inline canonical_name_awaiter canonical_name(std::string host,
                                                           const resolve_options& options = {}) {
  return {std::move(host), options};
}

/// For `reverse_lookup`.
struct reverse_options {
  bool require_name = false;     ///< an address without a name is an error, not its own text
  bool numeric_host = false;     ///< do not look up the host
  bool numeric_service = false;  ///< do not look up the service
  socket_kind kind = socket_kind::stream;
};
static_assert(std::is_trivially_destructible_v<reverse_options>);

/// Who an endpoint is.
struct endpoint_name {
  std::string host;     ///< `localhost`; the address where it has no name
  std::string service;  ///< `http`; the number where it has no name
};

class CUVEE_API reverse_awaiter : public detail::lookup {
 public:
  reverse_awaiter(const endpoint& of, const reverse_options& options) noexcept
      : of_(of), options_(options) {}

  bool await_ready() noexcept;
  void visit(detail::visitor& v);
  endpoint_name await_resume() { return await_result().value(); }
  result<endpoint_name> await_result();

 private:
  int flags() const noexcept;
  int submit(request& r) noexcept override;
  void keep(const detail::lookup_answer& a) override;

  endpoint of_;
  reverse_options options_;
  endpoint_name name_;
};

/// The names of an address and its port. If neither is to be looked up, this is done at once.
/// Errors: those of getnameinfo, `unknown node or service (EAI_NONAME)` say. Cancel: safe, at once.
/// Lifetime: as of `resolve`.
[[nodiscard]] inline reverse_awaiter reverse_lookup(const endpoint& of,
                                                    const reverse_options& options = {}) {
  return {of, options};
}

}  // namespace cuvee::inline v0
