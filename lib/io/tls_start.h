// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/tls.h>

#include <string_view>

namespace cuvee::inline v0::detail {

/// `start_tls` for a protocol: offers, or accepts, just that one (ALPN), whatever the context says.
task<tls_stream> start_tls_for(std::string_view protocol, stream s,
                               const tls_client_context& context, std::string host);
task<tls_stream> start_tls_for(std::string_view protocol, stream s,
                               const tls_server_context& context);

/// What an error about TLS says behind its operation and object.
std::string tls_words(const error& e);

}  // namespace cuvee::inline v0::detail
