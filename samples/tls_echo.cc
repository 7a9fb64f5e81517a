// SPDX-License-Identifier: MIT
// A TLS server that sends back what it gets. Without --cert and --key there is nothing to serve with:
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost
//     -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem
//   ./tls_echo --cert cert.pem --key key.pem --port 8443 &
//   openssl s_client -quiet -CAfile cert.pem -verify_return_error -connect localhost:8443
#include <cuvee/io.h>

#include "args.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

// The handshake belongs to the connection's task, so a slow client holds up only itself.
cuvee::task<> echo(cuvee::tcp_stream plain, const cuvee::tls_server_context& context) {
  try {
    cuvee::tls_stream client = co_await cuvee::start_tls(std::move(plain), context);
    co_await cuvee::copy(client, client);
    co_await client.close();
  } catch (const cuvee::error& e) {
    std::fprintf(stderr, "tls_echo: %s\n", e.what());  // this client's trouble only
  }
}

cuvee::task<> serve(std::string host, std::uint16_t port, std::string cert, std::string key) {
  cuvee::tls_server_options options;
  options.identity(cuvee::tls_identity::load(cert, key));
  cuvee::tls_server_context context(options);
  cuvee::tcp_listener listener = co_await cuvee::listen(host, port);
  std::printf("listening on %s\n", listener.local().to_string().c_str());
  std::fflush(stdout);
  co_await cuvee::task_group([&](cuvee::group& clients) -> cuvee::task<> {
    for (;;) {
      cuvee::tcp_stream client = co_await listener.accept();
      clients.spawn(echo, std::move(client), std::cref(context));
    }
  });
}

int main(int argc, char** argv) {
  std::string host = "127.0.0.1", cert, key;
  std::uint16_t port = 8443;
  samples::args args("tls_echo", "Sends back what TLS clients send, until Ctrl-C.");
  args.value("--host HOST", host, "address or name to listen on (127.0.0.1)")
      .number<std::uint16_t>("--port N", port, 0, 65535, "port; 0 takes any free one (8443)")
      .value("--cert FILE", cert, "the certificate and those of its issuers, PEM")
      .value("--key FILE", key, "its private key, PEM");
  if (auto status = args.parse(argc, argv)) return *status;
  if (cert.empty() || key.empty()) {
    std::fprintf(stderr, "tls_echo: --cert and --key are needed (see --help)\n");
    return 2;
  }
  return cuvee::run(serve, host, port, cert, key);
}
