// SPDX-License-Identifier: MIT
#include <cuvee/io/udp.h>

#include "connect_order.h"
#include "udp_block.h"
#include "uv_error.h"

#include <cuvee/io/resolve.h>

#include <netinet/in.h>

#include <algorithm>
#include <climits>
#include <vector>

namespace cuvee::inline v0 {

using detail::descriptor;
using detail::loop_state;
using detail::udp_block;
using detail::uv_error;
namespace sys = detail::sys;

bool udp_socket::try_send(const_bytes data) {
  if (block_->has_line()) return false;
  int e = block_->send(data, nullptr);
  if (e < 0 && e != UV_EAGAIN) throw block_->failure(e, "send", block_->name());
  return e == 0;
}

bool udp_socket::try_send_to(const_bytes data, const endpoint& to) {
  if (block_->has_line()) return false;
  int e = block_->send(data, &to);
  if (e < 0 && e != UV_EAGAIN) throw block_->failure(e, "send", to.to_string());
  return e == 0;
}

// ---- the socket

udp_socket::~udp_socket() {
  if (block_) block_->disown();
}

void udp_socket::close() {
  if (block_) block_->close();
}
bool udp_socket::is_open() const noexcept { return block_ && !block_->closing(); }

namespace {

/// A socket in the making. Errors name the operation and its address.
class maker {
 public:
  maker(const char* operation, const endpoint& of, const udp_options& options)
      : operation_(operation), subject_(of), options_(options) {
    fd_ = descriptor(check(sys::socket(of.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM)));
    if (options.reuse_port) set(SOL_SOCKET, SO_REUSEPORT, 1);
    if (options.broadcast) set(SOL_SOCKET, SO_BROADCAST, 1);
    set_buffer(SO_RCVBUF, options.receive_buffer_bytes);
    set_buffer(SO_SNDBUF, options.send_buffer_bytes);
    if (options.peer_errors) check(sys::keep_peer_errors(fd_.get(), of.is_v6()));
    sys::refuse_foreign_groups(fd_.get(), of.is_v6());
  }

  int check(int status) const {
    if (status < 0) throw uv_error(status, operation_, subject_.to_string());
    return status;
  }
  void set(int level, int name, int value) const {
    check(sys::set_option(fd_.get(), level, name, value));
  }
  void bind(const endpoint& at) const {
    sockaddr_storage storage;
    unsigned size = at.store(reinterpret_cast<sockaddr&>(storage));
    int e = sys::bind(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size);
    if (e < 0) throw uv_error(e, "bind", at.to_string());
  }
  /// Returns: the peer, which the system chooses if `to` is a wildcard.
  endpoint connect(const endpoint& to) const {
    sockaddr_storage storage;
    unsigned size = to.store(reinterpret_cast<sockaddr&>(storage));
    check(sys::connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size));
    endpoint peer;
    check(sys::peer_address(fd_.get(), peer));
    return peer;
  }
  endpoint local() const {
    sockaddr_storage own{};
    socklen_t size;
    check(sys::address(fd_.get(), own, size));
    return endpoint(reinterpret_cast<sockaddr&>(own));
  }
  udp_socket finish(std::string name, std::optional<endpoint> peer) {
    udp_block::identity who{std::move(name), peer, subject_.is_v6(), options_.peer_errors};
    return udp_socket(udp_block::make(loop_state::current(), std::move(fd_), std::move(who)));
  }

 private:
  void set_buffer(int name, std::optional<std::size_t> bytes) const {
    if (bytes) set(SOL_SOCKET, name, static_cast<int>(std::min<std::size_t>(*bytes, INT_MAX)));
  }

  const char* operation_;
  endpoint subject_;
  udp_options options_;
  descriptor fd_;
};

bool is_out_of_reach(std::error_code code) {
  for (std::errc e : {std::errc::address_not_available, std::errc::address_family_not_supported,
                      std::errc::network_unreachable, std::errc::host_unreachable})
    if (code == e) return true;
  return false;
}

/// The first that `make` makes of `addresses` which are not out of reach; if all are, the first error.
template <class F>
udp_socket first_of(const std::vector<endpoint>& addresses, F make) {
  std::exception_ptr failed;
  for (const endpoint& a : addresses) {
    try {
      return make(a);
    } catch (const error& e) {
      if (!is_out_of_reach(e.code())) throw;
      if (!failed) failed = std::current_exception();
    }
  }
  std::rethrow_exception(failed);
}

}  // namespace

udp_socket bind_udp(const endpoint& at, udp_options options) {
  if (options.local) throw uv_error(UV_EINVAL, "bind", at.to_string());
  maker m("bind", at, options);
  if (at.is_v6()) m.set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only);
  m.bind(at);
  return m.finish(m.local().to_string(), std::nullopt);
}

task<udp_socket> bind_udp(std::string host, std::uint16_t port, udp_options options) {
  std::vector<endpoint> addresses = co_await resolve(host, port);
  co_return first_of(addresses, [&](const endpoint& at) { return bind_udp(at, options); });
}

udp_socket connect_udp(const endpoint& to, udp_options options) {
  maker m("connect", to, options);
  if (options.local) m.bind(*options.local);
  endpoint peer = m.connect(to);
  return m.finish(peer.to_string(), peer);
}

task<udp_socket> connect_udp(std::string host, std::uint16_t port, udp_options options) {
  std::vector<endpoint> found = co_await resolve(host, port);
  std::vector<endpoint> addresses = detail::attempt_order(found, options.local);
  if (addresses.empty())
    throw error(std::make_error_code(std::errc::invalid_argument), "connect", host,
                "no address of the local one's family");
  co_return first_of(addresses, [&](const endpoint& to) { return connect_udp(to, options); });
}

}  // namespace cuvee::inline v0
