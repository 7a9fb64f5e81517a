// SPDX-License-Identifier: MIT
#include <cuvee/io/lookup.h>

#include "core/job_gate.h"
#include "core/loop_state.h"
#include "lookup_request.h"
#include "uv_error.h"

#include <netdb.h>

#include <memory>

namespace cuvee::inline v0::detail {

namespace {

// libuv runs so many of its slow requests at once.
int most_lookups() noexcept {
  static const int most = (libuv_pool_size() + 1) / 2;
  return most;
}

bool has_nul(const std::string& text) noexcept { return text.find('\0') != text.npos; }

}  // namespace

// ---- the line

lookup::~lookup() = default;

bool lookup::await_suspend(waiter& w) {
  loop_state& l = loop_state::current();
  waiting = &w;
  if (l.lookups < most_lookups()) {
    begin(l);
    return status_ == 0;
  }
  l.lookup_line.add(*this, w);
  return true;
}

void lookup::begin(loop_state& l) noexcept {
  std::unique_ptr<request> r;
  try {
    r = std::make_unique<request>();
  } catch (const std::bad_alloc&) {
    return fail(UV_ENOMEM);
  }
  r->native.any.data = r.get();
  r->home = &l;
  r->asker = this;
  status_ = submit(*r);
  if (status_ != 0) return;
  request_ = r.release();
  l.pool_requests++;
  l.lookups++;
}

void lookup::admit(loop_state& l) noexcept {
  while (l.lookups < most_lookups()) {
    auto* next = static_cast<lookup*>(l.lookup_line.take());
    if (!next) return;
    next->begin(l);
    if (next->status_ != 0) next->waiting->complete();
  }
}

bool lookup::await_cancel(waiter&) noexcept {
  if (linked()) {
    unlink();
    return true;
  }
  request_->asker = nullptr;
  uv_cancel(&request_->native.any);  // refused if it runs already
  return true;
}

void lookup::arrived(int status, const lookup_answer& a) noexcept {
  request_ = nullptr;
  status_ = status;
  try {
    if (status == 0) keep(a);
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
  }
  waiting->complete();
}

void lookup::request::ended(request* r, int status, const lookup_answer& a) {
  std::unique_ptr<request> self(r);
  loop_state& l = *r->home;
  {
    turn t(l);
    l.pool_requests--;
    l.lookups--;
    if (r->asker) r->asker->arrived(status, a);
    admit(l);
  }
  l.free_if_closed();  // a borrowed loop may have waited for this one
}

void lookup::request::on_addresses(uv_getaddrinfo_t* r, int status, addrinfo* found) {
  struct answer_memory {
    addrinfo* list;
    ~answer_memory() { uv_freeaddrinfo(list); }
  } freed{found};
  ended(static_cast<request*>(r->data), status, {found, nullptr, nullptr});
}

void lookup::request::on_name(uv_getnameinfo_t* r, int status, const char* host,
                              const char* service) {
  ended(static_cast<request*>(r->data), status, {nullptr, host, service});
}

// ---- addresses

address_lookup::address_lookup(std::optional<std::string> host, std::uint16_t port,
                               const resolve_options& o)
    : host_(std::move(host)), port_(port), options_(o) {}
address_lookup::address_lookup(std::optional<std::string> host, std::string service,
                               const resolve_options& o)
    : host_(std::move(host)), service_(std::move(service)), options_(o) {}

addrinfo address_lookup::hints() const noexcept {
  addrinfo h{};
  h.ai_socktype = options_.kind == socket_kind::stream ? SOCK_STREAM : SOCK_DGRAM;
  h.ai_family = options_.family == address_family::any  ? AF_UNSPEC
                : options_.family == address_family::v4 ? AF_INET
                                                        : AF_INET6;
  if (options_.passive) h.ai_flags |= AI_PASSIVE;
  if (options_.v4_mapped) h.ai_flags |= AI_V4MAPPED;
  if (wants_name_) h.ai_flags |= AI_CANONNAME;
  return h;
}

// libc decides what is numeric and what that means, so this agrees with a lookup.
bool address_lookup::await_ready() {
  if (!service_.empty() || (host_ && (host_->empty() || has_nul(*host_)))) return false;
  addrinfo h = hints();
  h.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  std::string port = std::to_string(port_);
  if (getaddrinfo(host_ ? host_->c_str() : nullptr, port.c_str(), &h, &list) != 0) return false;
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(list, &freeaddrinfo);
  try {
    keep({list, nullptr, nullptr});
  } catch (const std::bad_alloc&) {
    fail(UV_ENOMEM);
  }
  return true;
}

int address_lookup::submit(request& r) noexcept try {
  // libc would see the part before it; libuv calls an empty name an invalid argument.
  if (host_ && (host_->empty() || has_nul(*host_))) return UV_EAI_NONAME;
  if (has_nul(service_)) return UV_EAI_SERVICE;
  addrinfo h = hints();
  if (host_ && options_.configured_only) h.ai_flags |= AI_ADDRCONFIG;
  std::string service = service_.empty() ? std::to_string(port_) : service_;
  return uv::getaddrinfo(r.home->uv, &r.native.addresses, &request::on_addresses,
                         host_ ? host_->c_str() : nullptr, service.c_str(), &h);
} catch (const std::bad_alloc&) {
  return UV_ENOMEM;
}

void address_lookup::keep(const lookup_answer& a) {
  for (const addrinfo* i = a.addresses; i; i = i->ai_next) found_.emplace_back(*i->ai_addr);
  if (wants_name_ && a.addresses && a.addresses->ai_canonname)
    canonical_name_ = a.addresses->ai_canonname;
}

std::string address_lookup::subject() const {
  std::string text = host_.value_or("");
  if (!service_.empty()) text += ':' + service_;
  else if (!host_) text += ':' + std::to_string(port_);
  return text;
}

void address_lookup::visit(visitor& v) { v.about(subject()); }

}  // namespace cuvee::inline v0::detail
