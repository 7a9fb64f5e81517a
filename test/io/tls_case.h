// SPDX-License-Identifier: MIT
// What the tests of TLS streams share.
#pragma once
#include "io_case.h"
#include "test_ca.h"

#include <cuvee/io/tls.h>

namespace tls_case {

using namespace io_case;

inline const cuvee::tls_server_context& server_context() {
  static const cuvee::tls_server_context made(test_ca::server_options());
  return made;
}
inline const cuvee::tls_client_context& client_context() {
  static const cuvee::tls_client_context made(test_ca::client_options());
  return made;
}

/// Two ends of a TLS connection.
struct tls_connection {
  cuvee::tls_stream client;
  cuvee::tls_stream server;
};

inline cuvee::task<tls_connection> secured(cuvee::stream client, cuvee::stream server,
                                           const cuvee::tls_client_context& c = client_context(),
                                           const cuvee::tls_server_context& s = server_context()) {
  auto [a, b] = co_await cuvee::gather(cuvee::start_tls(std::move(client), c, "localhost"),
                                       cuvee::start_tls(std::move(server), s));
  co_return tls_connection{std::move(a), std::move(b)};
}

inline cuvee::task<tls_connection> tls_connected(
    const cuvee::tls_client_context& c = client_context(),
    const cuvee::tls_server_context& s = server_context()) {
  connection plain = co_await connected();
  co_return co_await secured(std::move(plain.client), std::move(plain.server), c, s);
}

/// `size` bytes each way between the two ends, and an orderly end of both.
inline cuvee::task<bool> exchange(cuvee::stream& a, cuvee::stream& b, std::size_t size) {
  const std::string to_b = pattern(size), to_a = pattern(size + 1);
  auto [none1, none2, at_a, at_b] =
      co_await cuvee::gather(send_all(a, to_b), send_all(b, to_a), read_all(a), read_all(b));
  co_return at_a == to_a&& at_b == to_b;
}

}  // namespace tls_case
