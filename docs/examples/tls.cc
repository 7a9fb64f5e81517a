// SPDX-License-Identifier: MIT
#include <cuvee/io.h>

#include <cstdio>

using namespace cuvee;

struct key_and_certificate {
  std::string key, certificate;  // files
};

// For a test a certificate that signs itself will do.
task<key_and_certificate> make_certificate(std::string folder) {
  key_and_certificate made{folder + "/key.pem", folder + "/certificate.pem"};
  command openssl("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext",
                  "subjectAltName=DNS:localhost", "-keyout", made.key, "-out", made.certificate);
  process_result done = co_await run_process(openssl, capture::all);
  done.check();
  co_return made;
}

task<> serve_one(tcp_listener& listener, const tls_server_context& context) {
  tcp_stream plain = co_await listener.accept();
  tls_stream client = co_await start_tls(std::move(plain), context);
  co_await copy(client, client);
  co_await client.close();
}

task<> say_hello(endpoint server, const tls_client_context& context) {
  tcp_stream plain = co_await connect(server);
  tls_stream s = co_await start_tls(std::move(plain), context, "localhost");
  co_await s.write("hello\n");
  buffered_reader reader(s);
  auto line = co_await reader.read_line();
  std::printf("%s over %s\n", line->c_str(), s.info().protocol.c_str());
  co_await s.close();  // tells the server, and waits for its answer
}

task<> amain() {
  temp_path folder = co_await make_temp_directory();
  key_and_certificate files = co_await make_certificate(folder.path());
  tls_server_options ours;
  ours.identity(tls_identity::load(files.certificate, files.key));
  tls_server_context server(ours);
  tls_client_options theirs;
  theirs.ca_file(files.certificate);  // in place of the system's roots
  tls_client_context client(theirs);

  tcp_listener listener = co_await listen("127.0.0.1", 0);
  co_await gather(serve_one(listener, server), say_hello(listener.local(), client));

  auto stranger = [&]() -> task<> {
    tcp_stream plain = co_await connect(listener.local());
    tls_stream s = co_await start_tls(std::move(plain), client, "example.com");
  };
  task<> misled = stranger();
  auto [served, met] = co_await gather_settled(serve_one(listener, server), std::move(misled));
  if (met.error().code() == tls_errc::certificate_wrong_host) std::printf("not example.com\n");
  co_await folder.remove();
}

int main() { return cuvee::run(amain); }
