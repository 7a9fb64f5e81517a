// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/time.h>
#include <cuvee/io/lookup.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {
class address_cache;
class cached_name;
struct cached_answer;
}  // namespace detail

struct resolver_options {
  duration ttl =
      std::chrono::seconds(30);  ///< so long are addresses kept; libc does not tell theirs
  duration failure_ttl{};  ///< so long is kept that there is no such name; other failures never
  std::size_t max_names = 256;  ///< kept at once; beyond, the one unused for longest is forgotten
};
static_assert(std::is_trivially_destructible_v<resolver_options>);

class CUVEE_API cached_resolve_awaiter : public detail::wait_node {
 public:
  cached_resolve_awaiter(std::shared_ptr<detail::address_cache> cache, std::string host,
                         std::uint16_t port, const resolve_options& options);
  cached_resolve_awaiter(cached_resolve_awaiter&& other) noexcept;  // before it starts
  ~cached_resolve_awaiter();

  bool await_ready();
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  std::vector<endpoint> await_resume() { return await_result().value(); }
  result<std::vector<endpoint>> await_result();
  void visit(detail::visitor& v);

 private:
  friend detail::cached_name;
  std::shared_ptr<detail::address_cache> cache_;
  detail::address_lookup question_;
  std::shared_ptr<const detail::cached_answer> answer_;
  detail::cached_name* name_ = nullptr;  // while it waits
  int status_ = 0;
  bool numeric_ = false;
};

/// Looks names up as `resolve` does and keeps the answers for a while; those who ask for the same name at once
/// share one lookup. Give it to `connect_options::names`, which `tls_connect` takes, too, or to
/// `http::client_options::names`. Move-only.
/// Lifetime: it may go while lookups are in flight. Threads: of one loop.
class CUVEE_API resolver {
 public:
  struct statistics_snapshot {
    std::size_t names;   ///< kept
    std::size_t asked;   ///< questions that were not about a numeric address
    std::size_t kept;    ///< of them, answered from what was kept
    std::size_t shared;  ///< of them, joined a lookup that was in flight
  };

  explicit resolver(const resolver_options& options = {});
  resolver(resolver&&) noexcept;
  resolver& operator=(resolver&&) noexcept;
  ~resolver();

  /// As the function of this name. Errors: as there. Cancel: safe, at once; others who wait for the same name go on.
  [[nodiscard]] cached_resolve_awaiter resolve(std::string host, std::uint16_t port,
                                               const resolve_options& options = {}) {
    return {cache_, std::move(host), port, options};
  }

  /// Forgets all answers.
  void clear() noexcept;
  statistics_snapshot statistics() const noexcept;

 private:
  std::shared_ptr<detail::address_cache> cache_;
};

}  // namespace cuvee::inline v0
