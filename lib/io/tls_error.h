// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/tls_context.h>

#include <memory>
#include <string>
#include <string_view>

namespace cuvee::inline v0::detail {

/// Frees an object of OpenSSL's.
template <auto Free>
struct tls_free {
  void operator()(auto* object) const noexcept { Free(object); }
};
template <class T, auto Free>
using tls_ptr = std::unique_ptr<T, tls_free<Free>>;

/// Why something failed, as OpenSSL's queue of this thread tells. Such queues are left empty, always: what lies there
/// would be taken for the cause of the next failure, be it another library's.
struct tls_reason {
  static tls_reason take();

  std::string text;  // `wrong version number`; empty if the queue was
  int alert = -1;    // what the peer's alert said, if that was the cause
  bool no_memory = false;
};
void tls_forget_errors() noexcept;

/// An error about certificates, keys or options, with OpenSSL's reason behind `what` if it has one.
error tls_bad_configuration(std::string_view subject, std::string_view what);

/// The code and the words for a result of certificate verification (X509_V_ERR_…).
tls_errc tls_certificate_errc(int verdict) noexcept;
std::string tls_certificate_words(int verdict);

}  // namespace cuvee::inline v0::detail
