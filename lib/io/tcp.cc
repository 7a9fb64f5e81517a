// SPDX-License-Identifier: MIT
#include <cuvee/io/tcp.h>

#include "connect_order.h"
#include "uv_error.h"
#include "uv_stream_block.h"

#include <cuvee/core/staggered_race.h>
#include <cuvee/io/resolve.h>
#include <cuvee/io/resolver.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace cuvee::inline v0 {

using detail::loop_state;
using detail::turn;
using detail::uv_error;
using detail::uv_stream_block;

namespace {

// 0, which the system refuses, for less than one.
unsigned whole_seconds(duration d) noexcept {
  constexpr auto most = std::chrono::seconds(32767);
  auto s = std::chrono::duration_cast<std::chrono::seconds>(d);
  return static_cast<unsigned>(std::clamp(s, std::chrono::seconds(0), most).count());
}

uv_tcp_t* open_tcp(detail::stream_block& b, const char* operation) {
  if (b.closing()) throw uv_error(UV_ENOTCONN, operation, "tcp stream");
  return static_cast<uv_stream_block&>(b).tcp();
}

}  // namespace

void tcp_stream::set_nodelay(bool on) {
  int e = detail::uv::tcp_nodelay(open_tcp(*block_, "set nodelay"), on);
  if (e < 0) throw uv_error(e, "set nodelay", block_->name());
}

void tcp_stream::set_keepalive(std::optional<duration> idle) {
  int e = detail::uv::tcp_keepalive(open_tcp(*block_, "set keepalive"), idle.has_value(),
                                    idle ? whole_seconds(*idle) : 0);
  if (e < 0) throw uv_error(e, "set keepalive", block_->name());
}

endpoint tcp_stream::peer() const { return block_->peer(); }

endpoint tcp_stream::local() const { return block_->local(); }

// ---- connect

struct connect_awaiter::operation : detail::pooled {
  uv_connect_t request;
  waiter* waiter_ = nullptr;
  uv_stream_block* block = nullptr;  // null once handed over
  int status = 0;
  int refused = 0;  // it cannot be watched
};

connect_awaiter::connect_awaiter(const endpoint& to, const connect_options& options)
    : to_(to), options_(options) {}
connect_awaiter::connect_awaiter(connect_awaiter&& other) noexcept
    : to_(other.to_), options_(other.options_), op_(std::exchange(other.op_, nullptr)) {}

connect_awaiter::~connect_awaiter() {
  if (!op_) return;
  if (op_->block) op_->block->disown();
  delete op_;
}

bool connect_awaiter::await_suspend(waiter& w) {
  try {
    op_ = new operation;
    op_->block = uv_stream_block::make_tcp(loop_state::current());
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  } catch (const error& e) {
    status_ = -e.code().value();
    return false;
  }
  op_->waiter_ = &w;
  op_->request.data = op_;
  sockaddr_storage to;
  if (options_.local) {
    options_.local->store(reinterpret_cast<sockaddr&>(to));
    op_->status = detail::uv::tcp_bind(op_->block->tcp(), reinterpret_cast<sockaddr*>(&to), 0);
    if (op_->status != 0) return false;
  }
  to_.store(reinterpret_cast<sockaddr&>(to));
  op_->status =
      detail::uv::tcp_connect(&op_->request, op_->block->tcp(), reinterpret_cast<sockaddr*>(&to),
                              [](uv_connect_t* r, int status) {
                                auto& op = *static_cast<operation*>(r->data);
                                turn t(op.block->home());
                                op.status = op.refused != 0 ? op.refused : status;
                                op.waiter_->complete();
                              });
  if (op_->status != 0) return false;
  op_->refused = detail::uv::watch(op_->block->tcp()->loop, op_->block->tcp()->io_watcher);
  if (op_->refused != 0) op_->block->close();  // the callback follows
  return true;
}

bool connect_awaiter::await_cancel(waiter&) {
  op_->block->close();  // the callback follows, with ECANCELED
  return false;
}

bool connect_awaiter::await_must_resume() const noexcept {
  return status_ != 0 || op_->status != UV_ECANCELED;
}

int connect_awaiter::set_options() noexcept {
  uv_tcp_t* tcp = op_->block->tcp();
  int e = options_.nodelay ? detail::uv::tcp_nodelay(tcp, 1) : 0;
  if (e != 0 || !options_.keepalive) return e;
  return detail::uv::tcp_keepalive(tcp, 1, whole_seconds(*options_.keepalive));
}

result<tcp_stream> connect_awaiter::await_result() {
  int status = status_ != 0 ? status_ : op_->status;
  if (status == 0) status = set_options();
  if (status != 0) return uv_error(status, "connect", to_.to_string());
  op_->block->remember_peer();
  return tcp_stream(std::exchange(op_->block, nullptr));
}

void connect_awaiter::visit(detail::visitor& v) { v.about("tcp " + to_.to_string()); }

tcp_stream connect_awaiter::await_resume() { return await_result().value(); }

namespace detail {

std::vector<endpoint> attempt_order(const std::vector<endpoint>& addresses,
                                    const std::optional<endpoint>& local) {
  std::vector<endpoint> first, other, order;
  for (const endpoint& a : addresses) {
    if (local && a.is_v6() != local->is_v6()) continue;
    bool of_first = first.empty() || a.is_v6() == first[0].is_v6();
    (of_first ? first : other).push_back(a);
  }
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); i++) {
    if (i < first.size()) order.push_back(first[i]);
    if (i < other.size()) order.push_back(other[i]);
  }
  return order;
}

}  // namespace detail

task<tcp_stream> connect(std::vector<endpoint> addresses, connect_options options) {
  std::vector<endpoint> order = detail::attempt_order(addresses, options.local);
  if (order.empty())
    throw error(std::make_error_code(std::errc::invalid_argument), "connect",
                options.local ? "from " + options.local->to_string() : "",
                addresses.empty() ? "no address to connect to" : "no address of its family");
  if (order.size() == 1) co_return co_await connect(order[0], options);
  std::vector<connect_awaiter> attempts;
  for (const endpoint& to : order) attempts.push_back(connect(to, options));
  race_result<tcp_stream> won = co_await staggered_race(options.stagger, std::move(attempts));
  co_return std::move(won.value);
}

task<tcp_stream> connect(std::string host, std::uint16_t port, connect_options options) {
  std::vector<endpoint> addresses;
  if (options.names) addresses = co_await options.names->resolve(host, port);
  else addresses = co_await resolve(host, port);
  co_return co_await connect(std::move(addresses), options);
}

}  // namespace cuvee::inline v0
