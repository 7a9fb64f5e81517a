// SPDX-License-Identifier: MIT
#include <cuvee/io/resolve.h>

#include "core/loop_state.h"
#include "uv_error.h"

#include <netdb.h>

#include <memory>

namespace cuvee::inline v0 {

/// Outlives its awaiter: a lookup that runs cannot be stopped, only abandoned.
struct resolve_awaiter::request : detail::pooled {
  uv_getaddrinfo_t native;
  detail::loop_state* home;
  resolve_awaiter* awaiter;  // null: abandoned

  static void done(uv_getaddrinfo_t* r, int status, addrinfo* found) {
    std::unique_ptr<request> self(static_cast<request*>(r->data));
    detail::loop_state& l = *self->home;
    {
      detail::turn t(l);
      l.pool_requests--;
      if (self->awaiter) self->awaiter->arrived(status, found);
    }
    uv_freeaddrinfo(found);
    l.free_if_closed();  // a borrowed loop may have waited for this one
  }
};

void resolve_awaiter::arrived(int status, const addrinfo* found) {
  request_ = nullptr;
  status_ = status;
  try {
    for (const addrinfo* i = found; i; i = i->ai_next) found_.emplace_back(*i->ai_addr);
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
  }
  waiter_->complete();
}

bool resolve_awaiter::await_ready() {
  if (host_.empty()) return false;
  try {
    found_.emplace_back(host_, port_);
    return true;
  } catch (const error&) {
    return false;
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return true;
  }
}

bool resolve_awaiter::await_suspend(waiter& w) {
  if (host_.find('\0') != std::string::npos) {  // libc would see the part before it
    status_ = UV_EAI_NONAME;
    return false;
  }
  waiter_ = &w;
  request* r = nullptr;
  try {
    r = new request;
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  }
  r->native.data = r;
  r->home = &detail::loop_state::current();
  r->awaiter = this;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  std::string service = std::to_string(port_);
  status_ = detail::uv::getaddrinfo(r->home->uv, &r->native, &request::done, host_.c_str(),
                                    service.c_str(), &hints);
  if (status_ != 0) {
    delete r;
    return false;
  }
  request_ = r;
  r->home->pool_requests++;
  return true;
}

bool resolve_awaiter::await_cancel(waiter&) noexcept {
  request_->awaiter = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_->native));  // refused if it runs: then abandoned
  return true;
}

void resolve_awaiter::visit(detail::visitor& v) { v.about(host_); }

result<std::vector<endpoint>> resolve_awaiter::await_result() {
  if (status_ != 0) return detail::uv_error(status_, "resolve", host_);
  return std::move(found_);
}

}  // namespace cuvee::inline v0
