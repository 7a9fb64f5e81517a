// SPDX-License-Identifier: MIT
// TLS with the `openssl` program on the other side.
#include "tls_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace tls_case;
using namespace std::chrono_literals;

namespace {

command s_client(std::uint16_t port) {
  command c("openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port), "-CAfile",
            test_ca::shared().file(), "-verify_return_error", "-servername", "localhost",
            "-verify_hostname", "localhost");
  c.in(stdio::pipe).out(stdio::pipe).err(stdio::pipe);
  return c;
}

// The server that sends back each line the other way round.
task<peers::peer> s_server(std::vector<std::string> more = {}) {
  peers::temporary_folder folder;
  std::uint16_t port = peers::free_port();
  const test_ca::leaf& own = test_ca::server_leaf();
  command c("openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port), "-cert",
            own.certificate, "-key", own.key, "-rev", "-quiet");
  for (const std::string& word : more) c.arg(word);
  c.in(stdio::null).out(stdio::null).err(stdio::null);
  process child = spawn(c);
  co_await peers::until_listening(port);
  co_return peers::peer{std::move(folder), std::move(child), port};
}

task<std::string> reversed(tls_stream& s, std::string line) {
  co_await s.write(line + "\n");
  co_return co_await read_exact(s, line.size() + 1);
}

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("tls with openssl s_client: lines and back, then an end in order") {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    tcp_listener l = listen(endpoint("127.0.0.1", 0));
    process client =
        spawn(s_client(l.local().port()).arg("-quiet").arg("-no_ign_eof").arg(version));
    tcp_stream plain = co_await l.accept();
    tls_stream s = co_await start_tls(std::move(plain), server_context());
    tls_info i = s.info();
    CHECK(i.protocol == (version[6] == '2' ? "TLSv1.2" : "TLSv1.3"));
    CHECK(i.server_name == "localhost");
    co_await client.in().write("from there\n");
    std::string got = co_await read_exact(s, 11);
    CHECK(got == "from there\n");
    co_await s.write("from here\n");
    std::string out = co_await read_exact(client.out(), 10);
    CHECK(out == "from here\n");
    co_await client.in().close();
    std::string rest = co_await read_all(s);  // not cut short: s_client says goodbye
    CHECK(rest.empty());
    co_await s.close();
    exit_status status = co_await client.wait();
    CHECK(status.success());
  }
}

CUVEE_TEST_CASE("tls with openssl s_client: a renegotiation is refused") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  process client = spawn(s_client(l.local().port()).arg("-tls1_2"));
  tcp_stream plain = co_await l.accept();
  tls_stream s = co_await start_tls(std::move(plain), server_context());
  co_await client.in().write("R\n");
  char byte;
  auto end = co_await failure_code(s.read_some(mutable_bytes(&byte, 1)));
  (void)end;  // the client gives up in its own way
  std::string said = co_await read_all(client.err());
  CHECK(said.find("no renegotiation") != std::string::npos);
  co_await client.wait();
}

CUVEE_TEST_CASE("tls with openssl s_client: client certificates are seen") {
  tcp_listener l = listen(endpoint("127.0.0.1", 0));
  tls_server_context context(test_ca::server_options()
                                 .ca_file(test_ca::shared().file())
                                 .ask_clients(client_certificates::required));
  test_ca::leaf own = test_ca::shared().issue("bob");
  process client = spawn(s_client(l.local().port())
                             .arg("-quiet")
                             .arg("-no_ign_eof")
                             .arg("-cert")
                             .arg(own.certificate)
                             .arg("-key")
                             .arg(own.key));
  tcp_stream plain = co_await l.accept();
  tls_stream s = co_await start_tls(std::move(plain), context);
  tls_info i = s.info();
  REQUIRE(i.peer);
  CHECK(i.peer->subject == "CN=bob");
  co_await client.in().close();
  co_await s.close();
  co_await client.wait();
}

CUVEE_TEST_CASE("tls with openssl s_server: lines and back, new keys, a resumed session") {
  peers::peer server = co_await s_server();
  tls_client_context context(test_ca::client_options());
  for (int i = 0; i < 3; i++) {
    tls_stream s = co_await tls_connect("127.0.0.1", server.port, context);
    std::string back = co_await reversed(s, "hello");
    CHECK(back == "olleh\n");
    s.update_keys();
    back = co_await reversed(s, "again");
    CHECK(back == "niaga\n");
    CHECK(s.info().resumed == (i > 0));
    s.abort();
  }
  co_await server.stop();
}

CUVEE_TEST_CASE("tls with openssl s_server: what it shows and what it wants is checked") {
  std::vector<std::string> asking = {"-alpn",
                                     "one,two",
                                     "-Verify",
                                     "1",
                                     "-verify_return_error",
                                     "-CAfile",
                                     test_ca::shared().file()};
  peers::peer server = co_await s_server(asking);
  test_ca::leaf own = test_ca::shared().issue("carol");
  tls_client_context context(
      test_ca::client_options().alpn("three", "two").identity(own.identity()));
  tls_stream s = co_await tls_connect("127.0.0.1", server.port, context);
  CHECK(s.info().alpn == "two");
  std::string back = co_await reversed(s, "hello");
  CHECK(back == "olleh\n");
  s.abort();
  std::string why = co_await failure(tls_connect("127.0.0.1", server.port));
  CHECK_MESSAGE(why.find("issuer is not trusted") != std::string::npos, why);
  co_await server.stop();
}

TEST_SUITE_END();
