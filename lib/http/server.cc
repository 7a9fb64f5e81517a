// SPDX-License-Identifier: MIT
#include <cuvee/http/server.h>

#include "connection.h"
#include "core/on_cancel.h"
#include "io/tls_start.h"

#include <cuvee/core/any_of.h>
#include <cuvee/core/as_result.h>
#include <cuvee/core/shield.h>
#include <cuvee/core/sleep.h>
#include <cuvee/core/timeout.h>

namespace cuvee::inline v0::http {

namespace {

using detail::connection;
using detail::server_state;

task<> serve_one(stream s, server_state* server) {
  connection c(std::move(s), *server);
  co_await c.run();
}

// A client that fails to shake hands, or is at it when the server stops, has asked for nothing yet.
task<> serve_one_securely(stream s, server_state* server) {
  auto handshake = v0::detail::start_tls_for("http/1.1", std::move(s), *server->options.tls);
  auto [secured, stopped] =
      co_await any_of(as_result(std::move(handshake)), server->stopping.wait());
  (void)stopped;
  if (!secured || !*secured) co_return;
  connection c(std::move(**secured), *server);
  co_await c.run();
}

task<> accept_all(group& g, tcp_listener& l, server_state& server) {
  for (;;) {
    tcp_stream s = co_await l.accept();
    g.spawn(server.options.tls ? &serve_one_securely : &serve_one, std::move(s), &server);
  }
}

// Connections are children of a group, so this ends with the last of them: when the server stops, the idle
// ones are closed at once, the others after their answer.
task<> serve_until_stopped(tcp_listener& l, server_state& server) {
  co_await task_group([&](group& g) -> task<> {
    co_await any_of(accept_all(g, l, server), server.stopping.wait());
    l.close();
    while (connection* c = server.idle.pop_front()) c->close_if_idle();
  });
}

task<> drain_limit(event& stopping, duration limit) {
  co_await stopping.wait();
  co_await v0::sleep(limit);
}

}  // namespace

task<> serve(const app& a, tcp_listener listener, serve_options options) {
  server_state server(a.routes(), options);
  // The limit on draining cancels what is left of the group; a cancel from outside only sets the event.
  co_await any_of(v0::detail::on_cancel([&] { server.stopping.set(); }),
                  shield(any_of(serve_until_stopped(listener, server),
                                drain_limit(server.stopping, options.shutdown_timeout))));
}

task<> serve(const app& a, serve_options options) {
  tcp_listener l = co_await listen(std::string(options.host), options.port);
  if (options.on_listening) options.on_listening(l.local());
  co_await serve(a, std::move(l), options);
}

task<> serve_ready(started<endpoint> ready, const app& a, serve_options options) {
  tcp_listener l = co_await listen(std::string(options.host), options.port);
  if (options.on_listening) options.on_listening(l.local());
  ready(l.local());
  co_await serve(a, std::move(l), options);
}

}  // namespace cuvee::inline v0::http
