// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/udp_wait.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0 {

/// For `bind_udp` and `connect_udp`.
struct udp_options {
  std::optional<endpoint> local =
      {};  ///< `connect_udp`: address to send from; port 0: the system chooses
  bool reuse_port =
      false;               ///< several sockets share the port, the kernel spreads senders over them
  bool v6_only = true;     ///< off: an IPv6 socket takes IPv4 datagrams, too
  bool broadcast = false;  ///< as `set_broadcast`
  bool peer_errors = false;  ///< receiving also fails with what ICMP says of any address sent to
  std::optional<std::size_t> receive_buffer_bytes = {};  ///< by default as the system is set
  std::optional<std::size_t> send_buffer_bytes = {};
};
static_assert(std::is_trivially_destructible_v<udp_options>);

/// For `join_multicast` and `leave_multicast`.
struct multicast_options {
  std::optional<std::string_view> interface = {};  ///< its name, `eth0`; by default as routes say
  std::optional<std::string_view> source = {};     ///< only what this address sends to the group
};
static_assert(std::is_trivially_destructible_v<multicast_options>);

/// A UDP socket, connected to one peer or open to all. Move-only; the destructor closes.
///
/// What has come and was not asked for stays in the kernel's receive buffer, which has a bound:
/// what does not fit is dropped, and counted in `dropped`. An ICMP error never closes the socket.
/// On a connected one the next operation fails with it, `connection_refused` say: a `send` that
/// does so has sent nothing and can be repeated.
class CUVEE_API udp_socket {
 public:
  /// Use `bind_udp` or `connect_udp`.
  explicit udp_socket(detail::udp_block* block) noexcept : block_(block) {}
  udp_socket(udp_socket&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  udp_socket& operator=(udp_socket&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~udp_socket();

  /// Receives one datagram; what does not fit into `into` is lost. An empty one has size 0.
  /// Errors: `connection_refused` and the like, of a datagram sent before; closed; busy if another
  /// task receives.
  /// Cancel: safe, no datagram is lost.
  [[nodiscard]] udp_receive_from_awaiter receive_from(mutable_bytes into) noexcept {
    return {*block_, into};
  }
  /// Receives one datagram whole, whatever its size. Errors, Cancel: as `receive_from`.
  [[nodiscard]] udp_receive_awaiter receive() noexcept { return udp_receive_awaiter(*block_); }
  /// Waits for a datagram and receives those that are there, with one system call.
  /// Returns: how many.
  /// Errors, Cancel: as `receive_from`. Lifetime: `into` stays where its datagrams are read.
  [[nodiscard]] udp_receive_batch_awaiter receive_batch(datagram_batch& into) noexcept {
    return {*block_, into};
  }

  /// Sends one datagram to the peer of a connected socket, waiting for room in the send buffer.
  /// Several tasks may wait, they are served in order. It may get lost on the way nevertheless.
  /// Errors: message_size, if it is larger than a datagram can be; destination_address_required
  /// without a peer; `connection_refused` and the like, of a datagram sent before; closed.
  /// Cancel: safe, nothing is sent.
  [[nodiscard]] udp_send_awaiter send(const_bytes data) noexcept { return {*block_, data}; }
  /// The same to `to`; a name is for `resolve` first.
  /// Errors: already_connected, if the socket is connected to another address; `permission_denied`
  /// for a broadcast address unless `set_broadcast`. Cancel: safe, nothing is sent.
  [[nodiscard]] udp_send_awaiter send_to(const_bytes data, const endpoint& to) noexcept {
    return {*block_, data, to};
  }
  /// Sends at once, if the send buffer has room and nobody waits for it. Returns: whether.
  /// Errors: as `send`.
  [[nodiscard]] bool try_send(const_bytes data);
  [[nodiscard]] bool try_send_to(const_bytes data, const endpoint& to);

  /// Closes at once; waiting tasks get the error closed, and nothing of theirs is sent.
  void close();
  bool is_open() const noexcept;

  // All of these fail with closed once the socket is.

  /// The address it is bound to, with the port that the system chose.
  endpoint local() const;
  /// Errors: not_connected.
  endpoint peer() const;
  /// Datagrams for this socket that the kernel dropped, mostly for want of room in the receive
  /// buffer; a 32-bit counter. Errors: not_supported where the system does not count (Linux does).
  std::uint32_t dropped() const;
  /// What the system uses: Linux doubles what was asked for, and counts its own expense for each
  /// datagram.
  std::size_t receive_buffer_bytes() const;
  std::size_t send_buffer_bytes() const;

  /// Whether datagrams can be sent to broadcast addresses.
  void set_broadcast(bool on);
  /// How many routers a datagram passes at most, 1 to 255. Errors: invalid_argument.
  void set_ttl(int hops);

  /// Receives what is sent to `group`, a numeric multicast address. Only groups joined by this
  /// socket are received, not those that others on this machine have joined.
  /// Errors: invalid_argument; `no_such_device` for an unknown interface; `address_in_use` for one
  /// joined already.
  void join_multicast(std::string_view group, multicast_options options = {});
  /// Takes back a `join_multicast` with the same arguments.
  /// Errors: `address_not_available` without one.
  void leave_multicast(std::string_view group, multicast_options options = {});
  /// The interface by which multicasts are sent; by default as routes say.
  void set_multicast_interface(std::string_view name);
  /// How many routers a multicast passes at most, 0 to 255; 1 by default. Errors: invalid_argument.
  void set_multicast_ttl(int hops);
  /// Whether members on this machine receive what this socket sends; on by default.
  void set_multicast_loopback(bool on);

  /// What it is made of, for this library's own use.
  detail::udp_block& native() noexcept { return *block_; }

 private:
  detail::udp_block* block_;
};

/// A socket that receives what is sent to `at`, and can send to anyone. Port 0: the system chooses.
/// Errors: `address_in_use`, `permission_denied`, … naming the address.
CUVEE_API udp_socket bind_udp(const endpoint& at = {}, udp_options options = {});
/// The same on the first address of a name that this machine has. Errors: those of the lookup as
/// well. Cancel: safe.
CUVEE_API task<udp_socket> bind_udp(std::string host, std::uint16_t port, udp_options options = {});

/// A socket that sends to `to` and receives only from there. Nothing is sent yet, so it says
/// nothing about whether anyone is there. Errors: `network_unreachable`, … naming the address.
CUVEE_API udp_socket connect_udp(const endpoint& to, udp_options options = {});
/// The same with the first address of a name that there is a route to.
/// Errors: those of the lookup as well; invalid_argument if none is of the family of
/// `options.local`. Cancel: safe.
CUVEE_API task<udp_socket> connect_udp(std::string host, std::uint16_t port,
                                       udp_options options = {});

}  // namespace cuvee::inline v0
