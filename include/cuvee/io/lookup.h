// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/wait_list.h>
#include <cuvee/io/endpoint.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

struct addrinfo;

namespace cuvee::inline v0 {

enum class address_family : std::uint8_t { any, v4, v6 };
/// What sockets a service is looked up for.
enum class socket_kind : std::uint8_t { stream, datagram };

/// For `resolve`.
struct resolve_options {
  address_family family = address_family::any;
  socket_kind kind = socket_kind::stream;
  bool passive = false;  ///< without a host: the addresses to listen at, not the loopback's
  bool v4_mapped =
      false;  ///< with `address_family::v6`: a host without any gets `::ffff:192.0.2.1`
  /// A name gets no addresses of a family that this machine has none of, the loopback's not counted.
  bool configured_only = true;
};
static_assert(std::is_trivially_destructible_v<resolve_options>);

namespace detail {

struct loop_state;

/// What libc has answered.
struct lookup_answer {
  const addrinfo* addresses = nullptr;
  const char* host = nullptr;
  const char* service = nullptr;
};

/// A question to libc, which may block and therefore runs in libuv's pool. A loop has as many there at once as
/// the pool runs of them; the others wait in line, so that those of other loops get their turn.
class CUVEE_API lookup : public wait_node {
 public:
  virtual ~lookup();

  bool await_suspend(waiter& w);
  /// One that runs cannot be stopped: it is left to itself, and keeps its place until it ends.
  bool await_cancel(waiter&) noexcept;

 protected:
  struct request;

  lookup() noexcept = default;
  lookup(const lookup&) noexcept {}  // before it starts
  /// Hands it to libuv. Returns: a status.
  virtual int submit(request& r) noexcept = 0;
  /// Keeps what it needs of an answer.
  virtual void keep(const lookup_answer& a) = 0;
  int status() const noexcept { return status_; }
  void fail(int status) noexcept { status_ = status; }

 private:
  void begin(loop_state& l) noexcept;
  void arrived(int status, const lookup_answer& a) noexcept;
  static void admit(loop_state& l) noexcept;

  request* request_ = nullptr;
  int status_ = 0;
};

/// getaddrinfo.
class CUVEE_API address_lookup : public lookup {
 public:
  address_lookup(std::optional<std::string> host, std::uint16_t port, const resolve_options& o);
  address_lookup(std::optional<std::string> host, std::string service, const resolve_options& o);

  /// True: the answer is there already, as nothing had to be looked up.
  bool await_ready();
  void visit(visitor& v);
  /// 0, or why there are no addresses.
  using lookup::status;
  std::vector<endpoint>& found() noexcept { return found_; }
  const std::optional<std::string>& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  const resolve_options& options() const noexcept { return options_; }

 protected:
  void want_canonical_name() noexcept { wants_name_ = true; }
  std::string& canonical_name() noexcept { return canonical_name_; }
  std::string subject() const;

 private:
  addrinfo hints() const noexcept;
  int submit(request& r) noexcept override;
  void keep(const lookup_answer& a) override;

  std::optional<std::string> host_;
  std::string service_;  // empty: `port_`
  std::vector<endpoint> found_;
  std::string canonical_name_;
  std::uint16_t port_ = 0;
  resolve_options options_;
  bool wants_name_ = false;
};

}  // namespace detail
}  // namespace cuvee::inline v0
