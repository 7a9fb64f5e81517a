// SPDX-License-Identifier: MIT
// What the HTTP servers among the samples have in common: their options and the line that says where they
// listen.
#pragma once
#include <cuvee/http.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace samples {

class http_server {
 public:
  http_server(std::string program, std::string about)
      : args_(std::move(program), std::move(about)) {
    args_.value("--host HOST", host_, "address or name to listen on (127.0.0.1)")
        .number<std::uint16_t>("--port N", port_, 0, 65535, "port; 0 takes any free one (8080)")
        .number("--workers N", workers_, 1, 256, "threads, each with a loop of its own (1)")
        .value("--cert FILE", cert_, "serve https: the certificate and its issuers', PEM")
        .value("--key FILE", key_, "its private key, PEM");
  }

  samples::args& args() { return args_; }
  cuvee::http::limits& limits() { return limits_; }

  /// Parses the command line and serves until Ctrl-C. Returns: what main returns.
  int run(const cuvee::http::app& app, int argc, char** argv) {
    if (auto status = args_.parse(argc, argv)) return *status;
    if (cert_.empty() != key_.empty()) return args_.refuse("--cert and --key go together");
    std::optional<cuvee::tls_server_context> tls;
    try {
      if (!cert_.empty())
        tls.emplace(cuvee::tls_server_options().identity(cuvee::tls_identity::load(cert_, key_)));
    } catch (const cuvee::error& e) {
      std::fprintf(stderr, "%s: error: %s\n", args_.program().c_str(), e.what());
      return 1;
    }
    auto say = [&tls](const cuvee::endpoint& at) {
      std::printf("listening on %s://%s\n", tls ? "https" : "http", at.to_string().c_str());
      std::fflush(stdout);
    };
    return cuvee::http::run(app, {.host = host_,
                                  .port = port_,
                                  .tls = tls ? &*tls : nullptr,
                                  .workers = workers_,
                                  .limits = limits_,
                                  .on_listening = say});
  }

 private:
  samples::args args_;
  cuvee::http::limits limits_;
  std::string host_ = "127.0.0.1", cert_, key_;
  std::uint16_t port_ = 8080;
  int workers_ = 1;
};

}  // namespace samples
