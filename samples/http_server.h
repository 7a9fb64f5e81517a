// SPDX-License-Identifier: MIT
// What the HTTP servers among the samples have in common: their options and the line that says where they
// listen.
#pragma once
#include <cuvee/http.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <string>

namespace samples {

class http_server {
 public:
  http_server(std::string program, std::string about)
      : args_(std::move(program), std::move(about)) {
    args_.value("--host HOST", host_, "address or name to listen on (127.0.0.1)")
        .number<std::uint16_t>("--port N", port_, 0, 65535, "port; 0 takes any free one (8080)")
        .number("--workers N", workers_, 1, 256, "threads, each with a loop of its own (1)");
  }

  samples::args& args() { return args_; }
  cuvee::http::limits& limits() { return limits_; }

  /// Parses the command line and serves until Ctrl-C. Returns: what main returns.
  int run(const cuvee::http::app& app, int argc, char** argv) {
    if (auto status = args_.parse(argc, argv)) return *status;
    return cuvee::http::run(app, {.host = host_,
                                  .port = port_,
                                  .workers = workers_,
                                  .limits = limits_,
                                  .on_listening = &say});
  }

 private:
  static void say(const cuvee::endpoint& at) {
    std::printf("listening on http://%s\n", at.to_string().c_str());
    std::fflush(stdout);
  }

  samples::args args_;
  cuvee::http::limits limits_;
  std::string host_ = "127.0.0.1";
  std::uint16_t port_ = 8080;
  int workers_ = 1;
};

}  // namespace samples
