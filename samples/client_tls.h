// SPDX-License-Identifier: MIT
// What the HTTP clients among the samples have in common: whom they trust.
#pragma once
#include <cuvee/io/tls.h>

#include "args.h"

#include <optional>
#include <string>

namespace samples {

class client_tls {
 public:
  explicit client_tls(samples::args& args) {
    args.value("--cacert FILE", ca_file_, "trust these certificates, PEM (the system's)")
        .flag("--insecure", insecure_, "trust every certificate");
  }

  /// Errors: those of reading the file.
  const cuvee::tls_client_context* context() {
    if (ca_file_.empty() && !insecure_) return nullptr;
    cuvee::tls_client_options options;
    if (!ca_file_.empty()) options.ca_file(ca_file_);
    if (insecure_) options.insecure();
    context_.emplace(options);
    return &*context_;
  }

 private:
  std::string ca_file_;
  bool insecure_ = false;
  std::optional<cuvee::tls_client_context> context_;
};

}  // namespace samples
