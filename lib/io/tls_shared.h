// SPDX-License-Identifier: MIT
#pragma once
#include "tls_certificate.h"

#include <cuvee/io/tls_context.h>

#include <openssl/ssl.h>

#include <list>
#include <mutex>
#include <unordered_map>

namespace cuvee::inline v0::detail {

using ssl_ptr = tls_ptr<SSL, &SSL_free>;
using ssl_ctx_ptr = tls_ptr<SSL_CTX, &SSL_CTX_free>;
using session_ptr = tls_ptr<SSL_SESSION, &SSL_SESSION_free>;

/// Sessions that a client may resume, by the server they were made with; bounded, the longest unused go first.
/// Threads: any.
class session_cache {
 public:
  static constexpr std::size_t most_servers = 256;
  static constexpr std::size_t most_each = 4;  // a server sends two tickets for each connection

  void put(const std::string& server, session_ptr session);
  /// Null if there is none. A TLS 1.3 session is gone then: its ticket would let others see that two
  /// connections are of one client (RFC 8446 §C.4).
  session_ptr take(const std::string& server);

 private:
  struct entry {
    std::string server;
    std::vector<session_ptr> sessions;  // the newest is the last
  };
  std::mutex mutex_;
  std::list<entry> entries_;  // used last: first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_server_;
};

/// What a context's connections share: OpenSSL's context and how to behave around it. Never changes but for the
/// sessions.
struct tls_shared {
  explicit tls_shared(const tls_client_options& o);
  /// `before`: what this one takes over from; its sessions stay good, unless clients were asked for other certificates.
  tls_shared(const tls_server_options& o, const tls_shared* before);
  tls_shared(const tls_shared&) = delete;
  tls_shared& operator=(const tls_shared&) = delete;

  /// The identities for a host name; none if there are none.
  const std::vector<const tls_identity*>* find(std::string_view host) const;

  ssl_ctx_ptr ctx;
  bool server;
  bool verify = true;  // of a client
  bool resume = true;
  bool known_names_only = false;
  truncated_end truncated;
  duration handshake_timeout, shutdown_timeout;
  tls_server_options::name_callback on_name;
  std::string alpn;  // as on the wire: each name behind its length
  session_cache sessions;

 private:
  template <class Options>
  void configure(const tls_options<Options>& o);
  template <class Options>
  void trust(const tls_options<Options>& o);
  void use(const tls_identity& identity);
  void ask_clients(const tls_server_options& o);
  void keep_ticket_keys(const tls_shared& before);

  std::vector<tls_identity> identities_;
  std::unordered_map<std::string, std::vector<const tls_identity*>> by_name_;
  std::string client_rules_;  // what client certificates are checked by
};

}  // namespace cuvee::inline v0::detail
