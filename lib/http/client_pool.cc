// SPDX-License-Identifier: MIT
#include "client_pool.h"

#include <algorithm>

namespace cuvee::inline v0::http::detail {

// ---- lease

lease::lease(client_state& c, host_pool& h, std::unique_ptr<client_connection> connection) noexcept
    : client_(&c), host_(&h), connection_(std::move(connection)) {
  c.references_++;
}

void lease::give_back() noexcept {
  client_state* c = std::exchange(client_, nullptr);
  if (!c) return;
  c->give_back(*host_, std::move(connection_));
  c->release();
}

void lease_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  client_->enqueue(*this);
}

bool lease_awaiter::await_cancel(waiter&) noexcept {
  client_->dequeue(*this);
  return true;
}

// ---- client_state

host_pool& client_state::host_of(const url& u) {
  const auto found = hosts_.find(origin_view{u.host(), u.port(), u.is_https()});
  if (found != hosts_.end()) [[likely]]
    return **found;
  return **hosts_.insert(std::make_unique<host_pool>(u)).first;
}

void client_state::release() noexcept {
  if (--references_ == 0) delete this;
}

std::unique_ptr<client_connection> client_state::take_idle(client_connection& c) noexcept {
  std::vector<client_connection*>& idle = c.host().idle;
  if (idle.back() == &c) idle.pop_back();
  else idle.erase(std::find(idle.begin(), idle.end(), &c));
  c.unlink();
  c.leave_pool();
  idle_count_--;
  return std::unique_ptr<client_connection>(&c);
}

lease client_state::try_lease(const url& u) {
  if (closed_) return {};
  host_pool& h = host_of(u);
  if (!h.idle.empty()) [[likely]]
    return lease(*this, h, take_idle(*h.idle.back()));
  if (h.leases < options_.max_connections_per_host && make_room()) {
    h.leases++;
    leases_++;
    return lease(*this, h, nullptr);
  }
  if (h.leases == 0 && h.waiting.empty()) hosts_.erase(hosts_.find(h.origin()));
  return {};
}

// Whether one more connection may be made, if need be instead of the one unused for the longest
// time.
bool client_state::make_room() noexcept {
  if (leases_ < options_.max_connections) return true;
  client_connection* oldest = idle_.front();
  if (!oldest) return false;
  host_pool& h = oldest->host();
  take_idle(*oldest).reset();
  // Not free_place: the place is the caller's, not for those who wait.
  h.leases--;
  leases_--;
  if (h.leases == 0 && h.waiting.empty()) hosts_.erase(hosts_.find(h.origin()));
  return true;
}

void client_state::give_back(host_pool& h, std::unique_ptr<client_connection> c) noexcept {
  bool again = !closed_ && c && c->reusable();
  if (body_sender* s = c ? c->sender() : nullptr) {
    c->leave(*s);
    if (!again) {
      c->block().close();
      s->closed = std::move(c);
    }
  }
  if (!again) {
    c.reset();
    return free_place(h);
  }
  if (lease_awaiter* first = h.waiting.front()) return grant(*first, std::move(c));
  // Others wait for a place of any host: better theirs than an idle connection.
  if (starving_.empty()) {
    try {
      return keep(h, std::move(c));
    } catch (const std::bad_alloc&) {  // then it is closed
    }
  }
  c.reset();
  free_place(h);
}

void client_state::keep(host_pool& h, std::unique_ptr<client_connection> c) {
  h.idle.push_back(c.get());
  idle_.push_back(*c);
  idle_count_++;
  c.release()->watch(*this, h);
}

void client_state::evict(client_connection& c) noexcept {
  host_pool& h = c.host();
  take_idle(c).reset();
  free_place(h);
}

void client_state::free_place(host_pool& h) noexcept {
  h.leases--;
  leases_--;
  if (h.leases == 0 && h.waiting.empty()) hosts_.erase(hosts_.find(h.origin()));
  if (!starving_.empty()) serve_waiting();
}

void client_state::grant(lease_awaiter& a, std::unique_ptr<client_connection> c) noexcept {
  host_pool& h = *a.host_;
  static_cast<v0::detail::list_node&>(a).unlink();
  h.unlink();
  if (!h.waiting.empty()) starving_.push_back(h);
  a.granted_ = lease(*this, h, std::move(c));
  a.waiter_->complete();
}

void client_state::serve_waiting() noexcept {
  while (leases_ < options_.max_connections) {
    host_pool* served = nullptr;
    starving_.for_each([&](host_pool& h) {
      if (!served && h.leases < options_.max_connections_per_host) served = &h;
    });
    if (!served) return;
    served->leases++;
    leases_++;
    grant(*served->waiting.front(), nullptr);
  }
}

void client_state::enqueue(lease_awaiter& a) {
  host_pool& h = host_of(*a.url_);
  a.host_ = &h;
  if (h.waiting.empty()) starving_.push_back(h);
  h.waiting.push_back(a);
}

void client_state::dequeue(lease_awaiter& a) noexcept {
  host_pool& h = *a.host_;
  static_cast<v0::detail::list_node&>(a).unlink();
  if (!h.waiting.empty()) return;
  h.unlink();
  if (h.leases == 0) hosts_.erase(hosts_.find(h.origin()));
}

void client_state::close() noexcept {
  closed_ = true;
  while (client_connection* c = idle_.front()) evict(*c);
  while (host_pool* h = starving_.front()) {
    lease_awaiter* a = h->waiting.front();
    dequeue(*a);
    a->waiter_->complete();
  }
  release();
}

}  // namespace cuvee::inline v0::http::detail
