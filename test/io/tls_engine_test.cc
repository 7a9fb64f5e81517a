// SPDX-License-Identifier: MIT
#include "tls_engine_case.h"

#include <cuvee/testing/doctest.h>

using namespace cuvee;
using namespace tls_case;
using namespace test_ca;

namespace {

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

void check_refused(const tls_server_options& so, const tls_client_options& co,
                   const std::string& host, tls_errc code, const std::string& words) {
  CAPTURE(words);
  tls_server_context s(so);
  tls_client_context c(co);
  pair p(c, s, host);
  p.shake();
  REQUIRE(p.client_step == step::failed);
  error e = p.client.failure("tls handshake", host);
  CHECK(e.code() == code);
  CHECK_MESSAGE(std::string(e.what()).find(words) != std::string::npos, e.what());
  CHECK(p.server_step == step::failed);
  CHECK(p.server.failure("tls handshake", "x").code() == tls_errc::refused_by_peer);
  CHECK(queue_is_empty());
}

}  // namespace

TEST_CASE("tls engine: a handshake through memory, bytes both ways, an end") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  pair p(c, s);
  p.shake();
  REQUIRE(p.established());
  const std::string big = text_of(100'000);
  CHECK(p.client.write_all(big) == step::done);
  CHECK(p.from_client() == big);
  CHECK(p.server.write_all("hello") == step::done);
  CHECK(p.from_server() == "hello");
  p.client.end();
  p.client.end();
  step last{};
  CHECK(p.from_client(&last) == "");
  CHECK(last == step::ended);
  CHECK(p.server.ended_by_peer());
  CHECK(p.server.write_all("still") == step::done);  // the other direction goes on
  CHECK(p.from_server() == "still");
  CHECK(queue_is_empty());
}

TEST_CASE("tls engine: a write takes what there is room for") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  pair p(c, s);
  p.shake();
  const std::string big = text_of(1 << 20);
  const_bytes rest = big;
  std::string got;
  int rounds = 0;
  for (step now = step::need_input; now == step::need_input; rounds++) {
    now = p.client.write(rest);
    CHECK(p.client.output().size() <= detail::tls_output::block_bytes);
    got += p.from_client();
  }
  CHECK(got == big);
  CHECK(rounds == 16);
}

TEST_CASE("tls engine: ciphertext byte by byte") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  pair p(c, s);
  p.shake();
  p.client.write_all("one");
  p.client.write_all("two");
  std::string bytes, got;
  pair::carry(p.client, bytes);
  for (char b : bytes) {
    std::string one(1, b);
    got += pair::read(p.server, one);
  }
  CHECK(got == "onetwo");
}

TEST_CASE("tls engine: a changed byte is a protocol error") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  pair p(c, s);
  p.shake();
  p.client.write_all("some text");
  pair::carry(p.client, p.to_server);
  p.to_server.back() ^= 1;
  step last{};
  CHECK(p.from_client(&last) == "");
  CHECK(last == step::failed);
  CHECK(p.server.failure("read", "x").code() == tls_errc::protocol);
  std::size_t n = 0;
  char byte;
  CHECK(p.server.read(mutable_bytes(&byte, 1), n) == step::failed);  // for good
  CHECK(p.server.write_all("x") == step::failed);
  CHECK(queue_is_empty());
}

TEST_CASE("tls engine: a peer that speaks no TLS fails the handshake") {
  tls_client_context c(client_options());
  detail::tls_engine e(c.native(), "localhost", "localhost:1");
  CHECK(e.handshake() == step::need_input);
  e.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(e.handshake() == step::failed);
  error why = e.failure("tls handshake", "localhost:1");
  CHECK(why.code() == tls_errc::handshake_failed);
  CHECK(std::string(why.what()) == "tls handshake localhost:1: wrong version number");
  CHECK(queue_is_empty());
}

TEST_CASE("tls engine: what is wrong with a certificate is told") {
  const authority& ca = test_ca::shared();
  check_refused(server_options(), client_options(), "other.test", tls_errc::certificate_wrong_host,
                "is for another host (it is for localhost, example.test, 127.0.0.1, ::1)");
  check_refused(server_options(), client_options(), "127.0.0.2", tls_errc::certificate_wrong_host,
                "is for another host");
  check_refused(tls_server_options().identity(ca.issue("old", {.expired = true}).identity()),
                client_options(), "localhost", tls_errc::certificate_expired,
                "has expired (CN=old)");
  check_refused(tls_server_options().identity(ca.self_signed("alone").identity()), client_options(),
                "localhost", tls_errc::certificate_self_signed, "is self-signed (CN=alone)");
  const authority other;
  check_refused(tls_server_options().identity(other.issue("stranger").identity()), client_options(),
                "localhost", tls_errc::certificate_unknown_issuer, "issuer is not trusted");
  check_refused(server_options(), tls_client_options(), "localhost",
                tls_errc::certificate_unknown_issuer, "issuer is not trusted");
}

TEST_CASE("tls engine: without verification any certificate will do") {
  tls_server_context s(
      tls_server_options().identity(test_ca::shared().self_signed("alone2").identity()));
  tls_client_context c(tls_client_options().insecure());
  pair p(c, s, "whatever.test");
  p.shake();
  CHECK(p.established());
  pair nameless(c, s, "");
  nameless.shake();
  CHECK(nameless.established());
  tls_client_context strict;
  CHECK_THROWS_AS(detail::tls_engine(strict.native(), "", ""), error);
}

TEST_CASE("tls engine: numeric hosts are checked, a trailing dot is not part of the name") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  for (const char* host : {"127.0.0.1", "::1", "localhost.", "example.test"}) {
    CAPTURE(host);
    pair p(c, s, host);
    p.shake();
    CHECK(p.established());
  }
}

TEST_CASE("tls engine: versions that do not meet") {
  tls_server_context s(server_options().max_version(tls_version::v1_2));
  tls_client_context c(client_options().min_version(tls_version::v1_3));
  pair p(c, s);
  p.shake();
  CHECK(p.client_step == step::failed);
  CHECK(p.server_error() == "tls handshake peer: unsupported protocol");
  CHECK(p.client_error() == "tls handshake peer: the peer refused: protocol version");
  CHECK_THROWS_AS(
      tls_client_context(
          client_options().min_version(tls_version::v1_3).max_version(tls_version::v1_2)),
      error);
}

TEST_CASE("tls engine: both versions, each with what was agreed on") {
  tls_server_context s(server_options());
  for (tls_version v : {tls_version::v1_2, tls_version::v1_3}) {
    tls_client_context c(client_options().max_version(v));
    pair p(c, s);
    p.shake();
    REQUIRE(p.established());
    tls_info i = p.client.info();
    CHECK(i.protocol == (v == tls_version::v1_2 ? "TLSv1.2" : "TLSv1.3"));
    CHECK_FALSE(i.cipher.empty());
    CHECK(i.server_name == "localhost");
    CHECK(p.server.info().server_name == "localhost");
    CHECK_FALSE(p.server.info().peer);
    REQUIRE(i.peer);
    CHECK(i.peer->subject == "CN=server");
    CHECK(i.peer->issuer == "CN=cuvee test CA");
    CHECK(i.peer->names ==
          std::vector<std::string>{"localhost", "example.test", "127.0.0.1", "::1"});
    CHECK(i.peer->sha256.size() == 64);
    CHECK(content_of(server_leaf().certificate) == i.peer->pem);
    CHECK(i.peer->not_after.size() == 20);
    CHECK(i.peer->not_before < i.peer->not_after);
    CHECK_FALSE(i.peer->der.empty());
  }
}

TEST_CASE("tls engine: new keys in the middle of a stream") {
  tls_server_context s(server_options());
  tls_client_context c(client_options());
  pair p(c, s);
  p.shake();
  for (int i = 0; i < 5; i++) {
    p.client.update_keys();
    p.client.write_all("ping");
    CHECK(p.from_client() == "ping");
    p.server.write_all("pong");
    CHECK(p.from_server() == "pong");
  }
}
