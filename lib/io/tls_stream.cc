// SPDX-License-Identifier: MIT
#include <cuvee/io/tls.h>

#include "tls_block.h"
#include "tls_start.h"

#include <cuvee/core/timeout.h>

namespace cuvee::inline v0 {

using detail::loop_state;
using detail::tls_block;

namespace {

const char default_client_key = 0;

struct own_client final : detail::loop_local {
  own_client() : loop_local(&default_client_key) {}
  tls_client_context instance;
};

tls_block& tls(detail::stream_block& b) noexcept { return static_cast<tls_block&>(b); }

task<tls_stream> shake_hands(stream s, std::shared_ptr<detail::tls_shared> shared, std::string host,
                             std::string name, std::string_view protocol) {
  const duration limit = shared->handshake_timeout;
  tls_block* block =
      tls_block::make(loop_state::current(), std::move(s), std::move(shared), host, name, protocol);
  tls_stream made(block);
  const bool done =
      (co_await move_on_after(limit, detail::tls_handshake_awaiter(*block))).has_value();
  if (!done) throw timeout_error("tls handshake", name);
  co_return made;
}

}  // namespace

void tls_close_awaiter::await_suspend(waiter& w) {
  tls(*block_).await_answer();
  close_awaiter::await_suspend(w);
}

void tls_close_awaiter::await_resume() {
  if (block_ && tls(*block_).close_timed_out())
    throw timeout_error("close", block_->name(), "shutdown timed out");
}

void tls_shutdown_awaiter::await_resume() {
  if (tls(*block_).end_timed_out())
    throw timeout_error("shut down", block_->name(), "shutdown timed out");
}

tls_info tls_stream::info() const { return tls(*block_).engine().info(); }
endpoint tls_stream::peer() const { return block_->peer(); }
endpoint tls_stream::local() const { return block_->local(); }
void tls_stream::update_keys() { tls(*block_).update_keys(); }

task<tls_stream> detail::start_tls_for(std::string_view protocol, stream s,
                                       const tls_client_context& context, std::string host) {
  std::string name = host;
  try {
    const std::uint16_t port = s.native().peer().port();
    name = (host.find(':') == host.npos ? host : '[' + host + ']') + ':' + std::to_string(port);
  } catch (const error&) {  // without addresses, the host alone
  }
  return shake_hands(std::move(s), context.native(), std::move(host), std::move(name), protocol);
}

task<tls_stream> detail::start_tls_for(std::string_view protocol, stream s,
                                       const tls_server_context& context) {
  std::string name = s.native().name();
  return shake_hands(std::move(s), context.native(), {}, std::move(name), protocol);
}

std::string detail::tls_words(const error& e) {
  const std::string text = e.what(), head = e.operation() + ' ' + e.subject() + ": ";
  return text.starts_with(head) ? text.substr(head.size()) : text;
}

task<tls_stream> start_tls(stream s, const tls_client_context& context, std::string host) {
  return detail::start_tls_for({}, std::move(s), context, std::move(host));
}

task<tls_stream> start_tls(stream s, const tls_server_context& context) {
  return detail::start_tls_for({}, std::move(s), context);
}

task<tls_stream> tls_connect(std::string host, std::uint16_t port,
                             const tls_client_context& context, connect_options options) {
  tcp_stream s = co_await connect(host, port, options);
  co_return co_await start_tls(std::move(s), context, std::move(host));
}

task<tls_stream> tls_connect(std::string host, std::uint16_t port, connect_options options) {
  tcp_stream s = co_await connect(host, port, options);
  co_return co_await start_tls(std::move(s), default_tls_client(), std::move(host));
}

tls_client_context& default_tls_client() {
  loop_state& l = loop_state::current();
  own_client* mine = nullptr;
  l.locals.for_each([&](detail::loop_local& o) {
    if (o.key == &default_client_key) mine = static_cast<own_client*>(&o);
  });
  if (!mine) l.locals.push_back(*(mine = new own_client));
  return mine->instance;
}

}  // namespace cuvee::inline v0
