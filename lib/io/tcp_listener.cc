// SPDX-License-Identifier: MIT
#include "acceptor.h"
#include "uv_error.h"

#include <cuvee/io/resolve.h>
#include <cuvee/io/tcp.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

namespace cuvee::inline v0 {

using detail::acceptor;
using detail::loop_state;
using detail::uv_error;
namespace sys = detail::sys;

namespace detail {

accept_node::~accept_node() {
  if (linked()) unlink();
  if (accepted_) accepted_->disown();
}

bool accept_node::await_ready() { return acceptor_->take(*this) || acceptor_->closing(); }

void accept_node::await_suspend(waiter& w) {
  waiter_ = &w;
  acceptor_->wait(*this);
}

void accept_node::visit(visitor& v) { v.about(acceptor_->name()); }

result<stream_block*> accept_node::taken() {
  if (accepted_) return std::exchange(accepted_, nullptr);
  if (status_ != 0) return uv_error(status_, "accept", acceptor_->name());
  return error(errc::closed, "accept", acceptor_->name());
}

}  // namespace detail

namespace {

acceptor* listen_on(const endpoint& at, const listen_options& options) {
  auto check = [&](int status) {
    if (status < 0) throw uv_error(status, "listen", at.to_string());
    return status;
  };
  detail::descriptor fd(check(sys::socket(at.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM)));
  auto set = [&](int level, int name, int value) {
    check(sys::set_option(fd.get(), level, name, value));
  };
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set(SOL_SOCKET, SO_REUSEPORT, 1);
  // So that `0.0.0.0` and `::` can be listened on side by side, whatever the system's default.
  if (at.is_v6()) set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only);
  set(IPPROTO_TCP, TCP_NODELAY, 1);  // inherited by what is accepted: a call less for each
  sockaddr_storage storage;
  unsigned size = at.store(reinterpret_cast<sockaddr&>(storage));
  check(sys::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size));
  check(sys::listen(fd.get(), options.backlog));
  auto make = [](loop_state& l) { return detail::uv_stream_block::make_tcp(l); };
  std::string name = "tcp " + detail::local_endpoint(fd.get()).to_string();
  return acceptor::make(loop_state::current(), std::move(fd), make, std::move(name));
}

endpoint local_of(const acceptor& a) {
  if (a.closing()) throw error(errc::closed, "local address", a.name());
  return detail::local_endpoint(a.fd());
}

bool is_not_here(std::error_code code) {
  return code == std::errc::address_not_available ||
         code == std::errc::address_family_not_supported;
}

}  // namespace

result<tcp_stream> accept_awaiter::await_result() {
  result<detail::stream_block*> block = taken();
  if (!block) return block.error();
  return tcp_stream(*block);
}

tcp_listener::~tcp_listener() {
  if (sockets_) sockets_->disown_all();
}

void tcp_listener::close() {
  if (sockets_) sockets_->close_all();
}
event::wait_awaiter tcp_listener::until_closed() { return sockets_->end().wait(); }
bool tcp_listener::is_open() const noexcept { return sockets_ && !sockets_->closing(); }
endpoint tcp_listener::local() const { return local_of(*sockets_); }

std::vector<endpoint> tcp_listener::locals() const {
  std::vector<endpoint> all;
  for (acceptor* a = sockets_; a; a = a->next()) all.push_back(local_of(*a));
  return all;
}

tcp_listener listen(const endpoint& at, listen_options options) {
  return tcp_listener(listen_on(at, options));
}

tcp_listener listen(const std::vector<endpoint>& at, listen_options options) {
  acceptor* first = nullptr;
  std::optional<tcp_listener> all;
  std::exception_ptr failed;
  for (auto i = at.begin(); i != at.end(); ++i) {
    if (std::find(at.begin(), i, *i) != i) continue;  // a hosts file may say it twice
    endpoint e = *i;
    if (all && e.port() == 0) e = endpoint(e.address(), all->local().port());
    try {
      acceptor* a = listen_on(e, options);
      if (first) first->add(*a);
      else all.emplace(first = a);
    } catch (const error& why) {
      if (!is_not_here(why.code())) throw;
      if (!failed) failed = std::current_exception();
    }
  }
  if (all) return std::move(*all);
  if (failed) std::rethrow_exception(failed);
  throw error(std::make_error_code(std::errc::invalid_argument), "listen", "",
              "no address to listen on");
}

task<tcp_listener> listen(std::string host, std::uint16_t port, listen_options options) {
  std::vector<endpoint> addresses = co_await resolve(host, port);
  co_return listen(addresses, options);
}

}  // namespace cuvee::inline v0
