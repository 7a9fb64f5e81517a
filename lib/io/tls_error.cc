// SPDX-License-Identifier: MIT
#include "tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace cuvee::inline v0 {

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    switch (static_cast<tls_errc>(value)) {
      case tls_errc::handshake_failed: return "the handshake failed";
      case tls_errc::certificate_rejected: return "the certificate is not trusted";
      case tls_errc::certificate_expired: return "the certificate has expired";
      case tls_errc::certificate_not_yet_valid: return "the certificate is not valid yet";
      case tls_errc::certificate_wrong_host: return "the certificate is for another host";
      case tls_errc::certificate_self_signed: return "the certificate is self-signed";
      case tls_errc::certificate_unknown_issuer: return "the certificate's issuer is not trusted";
      case tls_errc::certificate_revoked: return "the certificate was revoked";
      case tls_errc::certificate_missing: return "the peer has shown no certificate";
      case tls_errc::refused_by_peer: return "refused by the peer";
      case tls_errc::protocol: return "TLS protocol error";
      case tls_errc::truncated: return "the connection ended without the end of the TLS stream";
      case tls_errc::bad_configuration: return "unusable TLS configuration";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& tls_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(tls_errc e) noexcept {
  return {static_cast<int>(e), tls_category()};
}

namespace detail {

void tls_forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

// The oldest entry is the cause, those after it are what it led to.
tls_reason tls_reason::take() {
  tls_reason r;
  unsigned long e = ERR_get_error();
  ERR_clear_error();
  if (e == 0) return r;
  const int reason = ERR_GET_REASON(e);
  r.no_memory = reason == ERR_R_MALLOC_FAILURE;
  if (ERR_GET_LIB(e) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
    r.alert = reason - SSL_AD_REASON_OFFSET;
    // OpenSSL 3.0 has no words for that one.
    r.text = r.alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
                                                    : SSL_alert_desc_string_long(r.alert);
  } else if (const char* text = ERR_reason_error_string(e)) {
    r.text = text;
  } else {
    r.text = "error " + std::to_string(reason) + " of library " + std::to_string(ERR_GET_LIB(e));
  }
  return r;
}

error tls_bad_configuration(std::string_view subject, std::string_view what) {
  tls_reason why = tls_reason::take();
  std::string text(what);
  if (!why.text.empty()) text.append(": ").append(why.text);
  return error(tls_errc::bad_configuration, "tls", subject, text);
}

tls_errc tls_certificate_errc(int verdict) noexcept {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return tls_errc::certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return tls_errc::certificate_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return tls_errc::certificate_wrong_host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return tls_errc::certificate_self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return tls_errc::certificate_unknown_issuer;
    case X509_V_ERR_CERT_REVOKED: return tls_errc::certificate_revoked;
    default: return tls_errc::certificate_rejected;
  }
}

std::string tls_certificate_words(int verdict) {
  const tls_errc code = tls_certificate_errc(verdict);
  if (code == tls_errc::certificate_rejected) return X509_verify_cert_error_string(verdict);
  return make_error_code(code).message();
}

}  // namespace detail
}  // namespace cuvee::inline v0
