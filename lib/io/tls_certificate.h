// SPDX-License-Identifier: MIT
#pragma once
#include "tls_error.h"

#include <cuvee/io/tls_info.h>

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace cuvee::inline v0::detail {

using x509_ptr = tls_ptr<X509, &X509_free>;
using pkey_ptr = tls_ptr<EVP_PKEY, &EVP_PKEY_free>;

inline void free_chain(STACK_OF(X509) * chain) noexcept { sk_X509_pop_free(chain, &X509_free); }
using x509_chain = tls_ptr<STACK_OF(X509), &free_chain>;

struct tls_key_pair {
  x509_ptr leaf;
  x509_chain chain;  // without the leaf
  pkey_ptr key;
  std::vector<std::string> names;
};

/// All certificates of a PEM text. Errors: bad_configuration if there is none, or one is broken.
x509_chain parse_certificates(std::string_view pem, std::string_view subject);
/// A file's content. Errors: of the system, naming the file.
std::string read_pem_file(const std::string& path);

std::string subject_of(const X509& certificate);
std::vector<std::string> alternative_names(const X509& certificate);
tls_certificate describe_certificate(X509& certificate);

}  // namespace cuvee::inline v0::detail
