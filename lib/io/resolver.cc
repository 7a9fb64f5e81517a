// SPDX-License-Identifier: MIT
#include <cuvee/io/resolver.h>

#include "core/loop_state.h"
#include "uv_error.h"

#include <optional>
#include <unordered_map>

namespace cuvee::inline v0 {

namespace detail {

struct cached_answer {
  std::vector<endpoint> found;  // without ports
  int status = 0;
};

namespace {

// Whatever changes the answer. DNS takes upper and lower case for the same.
std::string key_of(const address_lookup& question) {
  std::string key;
  for (char c : *question.host()) key += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const resolve_options& o = question.options();
  key += '\0';
  key += static_cast<char>(o.family);
  key += static_cast<char>((o.v4_mapped ? 1 : 0) | (o.configured_only ? 2 : 0));
  return key;
}

bool says_no_such_name(int status) noexcept {
  return status == UV_EAI_NONAME || status == UV_EAI_NODATA;
}

}  // namespace

/// A name in the cache: first its lookup and those who wait for it, then the answer. In the line of its cache, by
/// last use, once it has that.
class cached_name : waiter, public list_node {
 public:
  cached_name(address_cache& cache, const address_lookup& question)
      : waiter(&on_answer),
        cache_(&cache),
        lookup_(std::in_place, question.host(), std::uint16_t{0}, question.options()) {}
  cached_name(const cached_name&) = delete;

  /// Returns: whether it suspended; if not, the answer is there.
  bool start() { return !lookup_->await_ready() && lookup_->await_suspend(*this); }
  void finish() { answer_ready(); }
  void join(cached_resolve_awaiter& a, waiter& w) noexcept {
    a.name_ = this;
    asking_.add(a, w);
  }
  void leave(cached_resolve_awaiter& a) noexcept;
  const std::shared_ptr<cached_answer>& answer() const noexcept { return answer_; }
  bool in_flight() const noexcept { return lookup_.has_value(); }
  bool fresh(std::uint64_t now) const noexcept { return now < expires_; }
  const std::string& key() const noexcept { return *key_; }

 private:
  friend address_cache;
  static void on_answer(waiter* w) { static_cast<cached_name*>(w)->answer_ready(); }
  void answer_ready() noexcept;

  address_cache* cache_;
  const std::string* key_ = nullptr;
  std::optional<address_lookup> lookup_;  // while in flight
  wait_list<cached_resolve_awaiter> asking_;
  // Made beforehand: a callback of libuv's cannot fail.
  std::shared_ptr<cached_answer> answer_ = std::make_shared<cached_answer>();
  std::uint64_t expires_ = 0;
};

/// Shared by its resolver and those who wait, so that there is no lookup in flight when it goes.
class address_cache {
 public:
  explicit address_cache(const resolver_options& o) noexcept : options_(o) {}

  /// Null if there is none that still holds.
  cached_name* find(const address_lookup& question);
  cached_name& add(const address_lookup& question);
  std::shared_ptr<cached_name> answered(cached_name& n) noexcept;
  void forget(cached_name& n) noexcept;
  void clear() noexcept;
  void used(cached_name& n) noexcept {
    n.unlink();
    by_use_.push_back(n);
  }

  resolver::statistics_snapshot counts{};

 private:
  resolver_options options_;
  std::unordered_map<std::string, std::shared_ptr<cached_name>> names_;
  list<cached_name> by_use_;
};

void cached_name::leave(cached_resolve_awaiter& a) noexcept {
  a.unlink();
  if (!in_flight() || !asking_.empty()) return;
  lookup_->await_cancel(*this);
  cache_->forget(*this);
}

void cached_name::answer_ready() noexcept {
  answer_->status = lookup_->status();
  answer_->found = std::move(lookup_->found());
  lookup_.reset();
  // What a completion makes others ask may put this name out of the cache.
  std::shared_ptr<cached_name> self = cache_->answered(*this);
  asking_.serve_all([this](cached_resolve_awaiter& a) {
    a.answer_ = answer_;
    a.waiting->complete();
  });
}

cached_name* address_cache::find(const address_lookup& question) {
  auto found = names_.find(key_of(question));
  if (found == names_.end()) return nullptr;
  cached_name& n = *found->second;
  if (n.in_flight() || n.fresh(loop_state::current().now())) return &n;
  forget(n);
  return nullptr;
}

cached_name& address_cache::add(const address_lookup& question) {
  auto made = std::make_shared<cached_name>(*this, question);
  auto place = names_.emplace(key_of(question), std::move(made)).first;
  place->second->key_ = &place->first;
  return *place->second;
}

std::shared_ptr<cached_name> address_cache::answered(cached_name& n) noexcept {
  std::shared_ptr<cached_name> self = names_.find(n.key())->second;
  int status = n.answer()->status;
  duration kept = status == 0                 ? options_.ttl
                  : says_no_such_name(status) ? options_.failure_ttl
                                              : duration::zero();
  if (kept <= duration::zero() || options_.max_names == 0) {
    forget(n);
    return self;
  }
  if (counts.names == options_.max_names) forget(*by_use_.front());
  n.expires_ = loop_state::current().now() + static_cast<std::uint64_t>(kept.count());
  by_use_.push_back(n);
  counts.names++;
  return self;
}

void address_cache::forget(cached_name& n) noexcept {
  if (n.linked()) {
    n.unlink();
    counts.names--;
  }
  names_.erase(names_.find(n.key()));
}

void address_cache::clear() noexcept {
  while (cached_name* n = by_use_.front()) forget(*n);
}

}  // namespace detail

// ---- who asks

cached_resolve_awaiter::cached_resolve_awaiter(std::shared_ptr<detail::address_cache> cache,
                                               std::string host, std::uint16_t port,
                                               const resolve_options& options)
    : cache_(std::move(cache)), question_(std::move(host), port, options) {}
cached_resolve_awaiter::cached_resolve_awaiter(cached_resolve_awaiter&& other) noexcept
    : cache_(std::move(other.cache_)), question_(std::move(other.question_)) {}
cached_resolve_awaiter::~cached_resolve_awaiter() = default;

bool cached_resolve_awaiter::await_ready() {
  numeric_ = question_.await_ready();
  if (numeric_) return true;
  cache_->counts.asked++;
  try {
    detail::cached_name* n = cache_->find(question_);
    if (!n || n->in_flight()) return false;
    cache_->used(*n);
    cache_->counts.kept++;
    answer_ = n->answer();
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
  }
  return true;
}

bool cached_resolve_awaiter::await_suspend(waiter& w) {
  detail::cached_name* n = nullptr;
  try {
    n = cache_->find(question_);
    if (n) {
      cache_->counts.shared++;
      n->join(*this, w);
      return true;
    }
    n = &cache_->add(question_);
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  }
  n->join(*this, w);
  if (n->start()) return true;
  // As if it had been answered before: nobody else knows it yet.
  unlink();
  answer_ = n->answer();
  n->finish();
  return false;
}

bool cached_resolve_awaiter::await_cancel(waiter&) noexcept {
  name_->leave(*this);
  return true;
}

result<std::vector<endpoint>> cached_resolve_awaiter::await_result() {
  int status = status_;
  if (status == 0) status = numeric_ ? question_.status() : answer_->status;
  if (status != 0) return detail::uv_error(status, "resolve", *question_.host());
  if (numeric_) return std::move(question_.found());
  std::vector<endpoint> found;
  found.reserve(answer_->found.size());
  for (const endpoint& e : answer_->found) found.push_back(e.with_port(question_.port()));
  return found;
}

void cached_resolve_awaiter::visit(detail::visitor& v) { question_.visit(v); }

// ---- resolver

resolver::resolver(const resolver_options& options)
    : cache_(std::make_shared<detail::address_cache>(options)) {}
resolver::resolver(resolver&&) noexcept = default;
resolver& resolver::operator=(resolver&&) noexcept = default;
resolver::~resolver() = default;

void resolver::clear() noexcept { cache_->clear(); }
resolver::statistics_snapshot resolver::statistics() const noexcept { return cache_->counts; }

}  // namespace cuvee::inline v0
