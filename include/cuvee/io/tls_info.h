// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <optional>
#include <string>
#include <vector>

namespace cuvee::inline v0 {

/// What a certificate says.
struct tls_certificate {
  std::string subject;             ///< `CN=www.example.com,O=Example`, as in RFC 2253
  std::string issuer;              ///< likewise
  std::vector<std::string> names;  ///< subject alternative names: host names and numeric addresses
  std::string not_before;          ///< `2026-01-31T00:00:00Z`
  std::string not_after;
  std::string sha256;  ///< the fingerprint, 64 hexadecimal digits
  std::string der;     ///< all of it, as bytes
  std::string pem;     ///< all of it, as text
};

/// What a handshake has agreed on.
struct tls_info {
  std::string protocol;                 ///< `TLSv1.3`
  std::string cipher;                   ///< `TLS_AES_256_GCM_SHA384`
  std::string alpn;                     ///< the application protocol; empty if none was chosen
  std::string server_name;              ///< what the client asked for; empty if it named none
  bool resumed = false;                 ///< an earlier session went on
  std::optional<tls_certificate> peer;  ///< the peer's certificate, if it has shown one
};

}  // namespace cuvee::inline v0
