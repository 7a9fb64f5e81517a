// SPDX-License-Identifier: MIT
#pragma once
#include "client_connection.h"

#include <cuvee/base/list.h>
#include <cuvee/http/client.h>

#include <memory>
#include <unordered_set>
#include <vector>

namespace cuvee::inline v0::http::detail {

class client_state;
class lease_awaiter;

struct origin_view {
  std::string_view host;
  std::uint16_t port;
  bool https;
};

/// What a client has for one origin. In the client's list of hosts while somebody waits.
struct host_pool : v0::detail::list_node {
  explicit host_pool(const url& u)
      : name(u.host()), authority(u.authority()), port(u.port()), https(u.is_https()) {}
  origin_view origin() const noexcept { return {name, port, https}; }

  std::string name, authority;
  std::uint16_t port;
  bool https;
  std::size_t leases = 0;                // places taken, idle connections included
  std::vector<client_connection*> idle;  // owned; the last one was used last
  v0::detail::list<lease_awaiter> waiting;
};

/// A place in the pool, with or without a connection. Given back by its destructor; what is not
/// reusable then is closed.
class lease {
 public:
  lease() noexcept = default;
  lease(client_state& c, host_pool& h, std::unique_ptr<client_connection> connection) noexcept;
  lease(lease&& other) noexcept
      : client_(std::exchange(other.client_, nullptr)),
        host_(other.host_),
        connection_(std::move(other.connection_)) {}
  lease& operator=(lease&& other) noexcept {
    std::swap(client_, other.client_);
    std::swap(host_, other.host_);
    connection_.swap(other.connection_);
    return *this;
  }
  ~lease() { give_back(); }

  explicit operator bool() const noexcept { return client_ != nullptr; }
  void give_back() noexcept;
  const host_pool& host() const noexcept { return *host_; }
  /// Null until connected.
  client_connection* connection() const noexcept { return connection_.get(); }
  client_connection* operator->() const noexcept { return connection_.get(); }
  void connected(std::unique_ptr<client_connection> c) noexcept { connection_ = std::move(c); }
  void disconnect() noexcept { connection_.reset(); }

 private:
  client_state* client_ = nullptr;
  host_pool* host_ = nullptr;
  std::unique_ptr<client_connection> connection_;
};

/// Waits for a place, in order of arrival per host; hosts take turns.
class lease_awaiter : v0::detail::list_node {
 public:
  lease_awaiter(client_state& c, const url& u) noexcept : client_(&c), url_(&u) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  /// Without a place: the client was closed.
  lease await_resume() noexcept { return std::move(granted_); }

 private:
  friend class client_state;
  friend v0::detail::list<lease_awaiter>;
  client_state* client_;
  const url* url_;
  host_pool* host_ = nullptr;
  waiter* waiter_ = nullptr;
  lease granted_;
};

/// A client's private side: its options and its connections. Lives as long as the client or a
/// lease.
class client_state : public v0::detail::pooled {
 public:
  explicit client_state(const client_options& o) : options_(o) {}
  client_state(const client_state&) = delete;
  client_state& operator=(const client_state&) = delete;

  const client_options& options() const noexcept { return options_; }
  std::size_t idle_count() const noexcept { return idle_count_; }
  std::size_t leases() const noexcept { return leases_; }

  /// A place if there is one: with the connection used last, or with leave to make one.
  lease try_lease(const url& u);
  /// The client is gone: no connection waits for it any more.
  void close() noexcept;
  /// An idle connection has ended, or was sent something nobody asked for.
  void evict(client_connection& c) noexcept;

 private:
  friend class lease;
  friend class lease_awaiter;
  struct origin_hash {
    using is_transparent = void;
    std::size_t operator()(const origin_view& o) const noexcept {
      return std::hash<std::string_view>()(o.host) + o.port;
    }
    std::size_t operator()(const std::unique_ptr<host_pool>& h) const noexcept {
      return (*this)(view(h));
    }
  };
  struct origin_equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept {
      return view(a).port == view(b).port && view(a).https == view(b).https &&
             view(a).host == view(b).host;
    }
  };
  static origin_view view(const origin_view& o) noexcept { return o; }
  static origin_view view(const std::unique_ptr<host_pool>& h) noexcept { return h->origin(); }
  ~client_state() = default;

  host_pool& host_of(const url& u);
  std::unique_ptr<client_connection> take_idle(client_connection& c) noexcept;
  bool make_room() noexcept;
  void give_back(host_pool& h, std::unique_ptr<client_connection> c) noexcept;
  void keep(host_pool& h, std::unique_ptr<client_connection> c);
  void free_place(host_pool& h) noexcept;
  void grant(lease_awaiter& a, std::unique_ptr<client_connection> c) noexcept;
  void serve_waiting() noexcept;
  void enqueue(lease_awaiter& a);
  void dequeue(lease_awaiter& a) noexcept;
  void release() noexcept;

  client_options options_;
  std::unordered_set<std::unique_ptr<host_pool>, origin_hash, origin_equal> hosts_;
  v0::detail::list<client_connection> idle_;  // of all hosts, the longest unused first
  v0::detail::list<host_pool> starving_;      // somebody waits; served in turns
  std::size_t idle_count_ = 0;
  std::size_t leases_ = 0;
  std::size_t references_ = 1;
  bool closed_ = false;
};

}  // namespace cuvee::inline v0::http::detail
