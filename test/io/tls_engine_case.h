// SPDX-License-Identifier: MIT
// Two engines that talk to each other through memory.
#pragma once
#include "io/tls_engine.h"
#include "test_ca.h"

#include <string>

namespace tls_case {

using cuvee::detail::tls_engine;
using step = tls_engine::step;

struct pair {
  pair(const cuvee::tls_client_context& c, const cuvee::tls_server_context& s,
       std::string host = "localhost")
      : client(c.native(), host, host + ":1"), server(s.native(), "", "") {}

  /// Carries what one has put out to the other, which reads at most `piece` bytes at once.
  static void carry(tls_engine& from, std::string& to) {
    cuvee::const_bytes spans[4];
    while (!from.output().empty()) {
      std::size_t n = from.output().spans(spans, 4), size = 0;
      for (std::size_t i = 0; i < n; i++) {
        to.append(spans[i].text());
        size += spans[i].size();
      }
      from.output().sent(size);
    }
  }
  static step feed(tls_engine& e, std::string& in, auto act) {
    e.feed(in);
    step s = act(e);
    in.erase(0, in.size() - e.input().size());
    return s;
  }
  /// Until neither goes on.
  void shake() {
    auto act = [](tls_engine& e) { return e.handshake(); };
    for (int i = 0; i < 10; i++) {
      client_step = feed(client, to_client, act);
      carry(client, to_server);
      server_step = feed(server, to_server, act);
      carry(server, to_client);
    }
  }
  bool established() const { return client_step == step::done && server_step == step::done; }
  std::string client_error() const { return client.failure("tls handshake", "peer").what(); }
  std::string server_error() const { return server.failure("tls handshake", "peer").what(); }

  /// What `e` reads of all that has come for it.
  static std::string read(tls_engine& e, std::string& in, step* last = nullptr) {
    std::string all, piece(5000, '\0');
    for (;;) {
      std::size_t n = 0;
      step s = feed(e, in, [&](tls_engine& to) { return to.read(piece, n); });
      if (last) *last = s;
      if (s != step::done) return all;
      all.append(piece, 0, n);
    }
  }
  std::string from_client(step* last = nullptr) {
    carry(client, to_server);
    return read(server, to_server, last);
  }
  std::string from_server(step* last = nullptr) {
    carry(server, to_client);
    return read(client, to_client, last);
  }

  tls_engine client, server;
  std::string to_client, to_server;
  step client_step = step::need_input, server_step = step::need_input;
};

inline bool queue_is_empty() { return cuvee::detail::tls_reason::take().text.empty(); }

}  // namespace tls_case
