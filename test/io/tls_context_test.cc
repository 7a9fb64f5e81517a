// SPDX-License-Identifier: MIT
#include "tls_engine_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace tls_case;
using namespace test_ca;

namespace {

std::string subject_for(const tls_server_context& s, const std::string& host) {
  tls_client_context c(tls_client_options().insecure());
  pair p(c, s, host);
  p.shake();
  if (!p.established()) return p.server_error();
  return p.client.info().peer->subject;
}

leaf one(const std::string& name, const std::string& names) {
  return test_ca::shared().issue(name, {.names = names});
}

std::string failure_of(auto make) {
  try {
    make();
  } catch (const error& e) {
    CHECK(queue_is_empty());
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("tls context: of several certificates the client gets the one for its name") {
  tls_server_context s(tls_server_options()
                           .identity(one("first", "DNS:first.test").identity())
                           .identity(one("second", "DNS:Second.test,DNS:other.test").identity())
                           .identity(one("wild", "DNS:*.wild.test").identity()));
  CHECK(subject_for(s, "first.test") == "CN=first");
  CHECK(subject_for(s, "second.test") == "CN=second");
  CHECK(subject_for(s, "OTHER.test") == "CN=second");
  CHECK(subject_for(s, "a.wild.test") == "CN=wild");
  CHECK(subject_for(s, "a.b.wild.test") == "CN=first");
  CHECK(subject_for(s, "wild.test") == "CN=first");
  CHECK(subject_for(s, "127.0.0.1") == "CN=first");
}

TEST_CASE("tls context: an RSA and an ECDSA certificate for one name" *
          doctest::test_suite("slow")) {  // making RSA keys takes its time
  leaf rsa = test_ca::shared().issue("rsa", {.names = "DNS:both.test", .key_type = "rsa:2048"});
  tls_server_context s(tls_server_options()
                           .identity(one("unrelated", "DNS:unrelated.test").identity())
                           .identity(rsa.identity())
                           .identity(one("ecdsa", "DNS:both.test").identity()));
  tls_client_context c(tls_client_options().insecure().max_version(tls_version::v1_2));
  pair p(c, s, "both.test");
  p.shake();
  REQUIRE(p.established());
  CHECK(p.client.info().cipher.find("ECDSA") != std::string::npos);
}

TEST_CASE("tls context: a callback finds certificates by name") {
  leaf late = one("late", "DNS:late.test");
  int calls = 0;
  auto find = [&](std::string_view name) -> std::optional<tls_identity> {
    calls++;
    if (name == "broken.test") throw std::runtime_error("no such tenant");
    if (name == "late.test") return late.identity();
    return std::nullopt;
  };
  tls_server_context s(server_options().on_server_name(find));
  CHECK(subject_for(s, "localhost") == "CN=server");
  CHECK(calls == 0);
  CHECK(subject_for(s, "late.test") == "CN=late");
  CHECK(subject_for(s, "nobody.test") == "CN=server");
  CHECK(subject_for(s, "broken.test") ==
        "tls handshake peer: choosing a certificate: no such tenant");
  CHECK(calls == 3);
}

TEST_CASE("tls context: a server may know its names only") {
  tls_server_context s(server_options().known_names_only());
  CHECK(subject_for(s, "localhost") == "CN=server");
  tls_client_context c(tls_client_options().insecure());
  pair p(c, s, "nobody.test");
  p.shake();
  CHECK(p.client_error() == "tls handshake peer: the peer refused: unrecognized name");
  CHECK(p.server_error() == "tls handshake peer: no certificate is for nobody.test");
}

TEST_CASE("tls context: a host name with a NUL in it is not checked as what is in front of that") {
  tls_client_context c(client_options());
  tls_server_context s(server_options());
  const std::string host("localhost\0.example.test", 23);
  CHECK_THROWS_AS(pair(c, s, host), error);
}

TEST_CASE("tls context: application protocols by the server's preference") {
  tls_server_context s(server_options().alpn("b", "a"));
  auto agreed = [&](const tls_client_options& o) {
    tls_client_context c(o);
    pair p(c, s);
    p.shake();
    if (!p.established()) return p.client_error();
    CHECK(p.client.info().alpn == p.server.info().alpn);
    return p.client.info().alpn;
  };
  CHECK(agreed(client_options().alpn("a", "b")) == "b");
  CHECK(agreed(client_options().alpn("a")) == "a");
  CHECK(agreed(client_options()) == "");
  CHECK(agreed(client_options().alpn("c")) ==
        "tls handshake peer: the peer refused: no application protocol");
  CHECK_THROWS_AS(tls_client_context(client_options().alpn("")), error);
}

TEST_CASE("tls context: client certificates, asked for or required") {
  leaf own = one("alice", "email:alice@example.test");
  const authority stranger;
  auto meet = [&](client_certificates asked, const tls_client_options& o) {
    tls_server_context s(server_options().ca_file(test_ca::shared().file()).ask_clients(asked));
    tls_client_context c(o);
    pair p(c, s);
    p.shake();
    p.from_server();  // with TLS 1.3 the client learns of a refusal behind its handshake
    if (p.server_step != step::done) return p.server_error();
    auto peer = p.server.info().peer;
    return peer ? peer->subject : "nobody";
  };
  auto with = [](const leaf& l) { return client_options().identity(l.identity()); };
  CHECK(meet(client_certificates::none, with(own)) == "nobody");
  CHECK(meet(client_certificates::optional, client_options()) == "nobody");
  CHECK(meet(client_certificates::optional, with(own)) == "CN=alice");
  CHECK(meet(client_certificates::required, with(own)) == "CN=alice");
  CHECK(meet(client_certificates::required, client_options()) ==
        "tls handshake peer: the peer has shown no certificate");
  CHECK(meet(client_certificates::required, with(stranger.issue("mallory"))) ==
        "tls handshake peer: the certificate's issuer is not trusted (CN=mallory)");
  CHECK(failure_of([] {
          tls_server_context s(server_options().ask_clients(client_certificates::required));
        }) == "tls: client certificates need ca_file or ca_pem");
}

TEST_CASE("tls context: a client resumes its sessions, in either version") {
  tls_server_context s(server_options());
  for (tls_version v : {tls_version::v1_2, tls_version::v1_3}) {
    tls_client_context c(client_options().max_version(v));
    auto resumed = [&](const char* host) {
      pair p(c, s, host);
      p.shake();
      REQUIRE(p.established());
      p.server.write_all("x");
      CHECK(p.from_server() == "x");  // the tickets come with it
      CHECK(p.client.info().peer);
      return p.client.info().resumed;
    };
    CHECK_FALSE(resumed("localhost"));
    CHECK(resumed("localhost"));
    CHECK(resumed("localhost"));
    CHECK_FALSE(resumed("example.test"));  // another host, another session
    CHECK(resumed("example.test"));
  }
  tls_client_context without(client_options().no_resumption());
  for (int i = 0; i < 2; i++) {
    pair p(without, s);
    p.shake();
    p.server.write_all("x");
    p.from_server();
    CHECK_FALSE(p.client.info().resumed);
  }
}

TEST_CASE("tls context: new certificates for new connections, sessions go on") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  auto subject = [&](bool& resumed) {
    pair p(c, s);
    p.shake();
    p.server.write_all("x");
    p.from_server();
    resumed = p.server.info().resumed;
    return p.client.info().peer->subject;
  };
  bool resumed = false;
  CHECK(subject(resumed) == "CN=server");
  pair old(c, s);
  s.reload(tls_server_options().identity(one("renewed", "DNS:localhost").identity()));
  old.shake();  // began before
  CHECK(old.client.info().peer->subject == "CN=server");
  subject(resumed);
  CHECK(resumed);
  tls_client_context fresh(client_options());
  pair p(fresh, s);
  p.shake();
  CHECK(p.client.info().peer->subject == "CN=renewed");
  CHECK_THROWS_AS(s.reload(tls_server_options()), error);
  pair after(c, s);
  after.shake();
  CHECK(after.established());  // nothing has changed
}

TEST_CASE("tls context: sessions do not survive a change of who may come in") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  auto meet = [&] {
    pair p(c, s);
    p.shake();
    p.server.write_all("x");
    p.from_server();
    return p.server_step;
  };
  CHECK(meet() == step::done);
  s.reload(server_options()
               .ca_file(test_ca::shared().file())
               .ask_clients(client_certificates::required));
  CHECK(meet() == step::failed);
}

TEST_CASE("tls context: bad certificates and keys are told apart") {
  const leaf& good = server_leaf();
  const std::string other_key = one("elsewhere", "DNS:x.test").key;
  const std::string folder = test_ca::shared().folder(), none = folder + "/none.pem";
  CHECK(failure_of([&] { tls_identity::load(none, good.key); }) ==
        "read " + none + ": no such file or directory (ENOENT)");
  CHECK(failure_of([&] { tls_identity::load(good.key, good.key); }) ==
        "tls " + good.key + ": no certificate in it");
  CHECK(failure_of([&] {
          tls_identity::load(good.certificate, other_key);
        }).starts_with("tls " + other_key + ": the key is not that of the certificate"));
  CHECK(failure_of([&] {
          tls_identity(content_of(good.certificate), "nonsense");
        }).starts_with("tls private key: no private key that can be read"));
  std::string broken = content_of(good.certificate);
  broken[100] = broken[100] == 'A' ? 'B' : 'A';
  CHECK(failure_of([&] {
          tls_identity(broken.substr(0, 200), "");
        }).starts_with("tls certificate: "));
  CHECK(failure_of([&] { tls_client_context c(tls_client_options().ca_pem("nothing")); }) ==
        "tls certificates to trust: no certificate in it");
  std::system(("openssl ec -aes128 -passout pass:x -in '" + good.key + "' -out '" + folder +
               "/locked.key' 2>/dev/null")
                  .c_str());
  CHECK(failure_of([&] {
          tls_identity::load(good.certificate, folder + "/locked.key");
        }).starts_with("tls " + folder + "/locked.key: no private key that can be read"));
}

TEST_CASE("tls context: keys are logged in debug mode only") {
  const std::string log = test_ca::shared().folder() + "/keys";
  auto lines = [&](const char* debug) {
    if (debug) setenv("CUVEE_DEBUG", debug, 1);
    else unsetenv("CUVEE_DEBUG");
    setenv("SSLKEYLOGFILE", log.c_str(), 1);
    tls_server_context s(server_options());
    tls_client_context c(client_options());
    pair p(c, s);
    p.shake();
    std::string text = content_of(log);
    return std::count(text.begin(), text.end(), '\n');
  };
  const char* was = std::getenv("CUVEE_DEBUG");
  const std::string before = was ? was : "";
  CHECK(lines(nullptr) == 0);
  CHECK(lines("0") == 0);
  CHECK(lines("1") >= 8);
  CHECK(content_of(log).starts_with("SERVER_HANDSHAKE_TRAFFIC_SECRET "));
  unsetenv("SSLKEYLOGFILE");
  if (was) setenv("CUVEE_DEBUG", before.c_str(), 1);
  else unsetenv("CUVEE_DEBUG");
}
