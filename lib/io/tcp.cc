// SPDX-License-Identifier: MIT
#include <cuvee/io/tcp.h>

#include "uv_stream_block.h"
#include "uv_error.h"

#include <cuvee/core/as_result.h>
#include <cuvee/core/failures.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace cuvee::inline v0 {

using detail::loop_state;
using detail::turn;
using detail::uv_error;
using detail::uv_stream_block;

endpoint tcp_stream::peer() const { return block_->peer(); }

endpoint tcp_stream::local() const { return block_->local(); }

// ---- connect

struct connect_awaiter::operation : detail::pooled {
  uv_connect_t request;
  waiter* waiter_ = nullptr;
  uv_stream_block* block = nullptr;  // null once handed over
  int status = 0;
};

connect_awaiter::connect_awaiter(const endpoint& to) : to_(to) {}
connect_awaiter::connect_awaiter(connect_awaiter&& other) noexcept
    : to_(other.to_), op_(std::exchange(other.op_, nullptr)) {}

connect_awaiter::~connect_awaiter() {
  if (!op_) return;
  if (op_->block) op_->block->disown();
  delete op_;
}

bool connect_awaiter::await_suspend(waiter& w) {
  try {
    op_ = new operation;
    op_->block = uv_stream_block::make_tcp(loop_state::current());
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  } catch (const error& e) {
    status_ = -e.code().value();
    return false;
  }
  op_->waiter_ = &w;
  op_->request.data = op_;
  sockaddr_storage to;
  to_.store(reinterpret_cast<sockaddr&>(to));
  op_->status =
      detail::uv::tcp_connect(&op_->request, op_->block->tcp(), reinterpret_cast<sockaddr*>(&to),
                              [](uv_connect_t* r, int status) {
                                auto& op = *static_cast<operation*>(r->data);
                                turn t(op.block->home());
                                op.status = status;
                                op.waiter_->complete();
                              });
  return op_->status == 0;
}

bool connect_awaiter::await_cancel(waiter&) {
  op_->block->close();  // the callback follows, with ECANCELED
  return false;
}

bool connect_awaiter::await_must_resume() const noexcept {
  return status_ != 0 || op_->status != UV_ECANCELED;
}

result<tcp_stream> connect_awaiter::await_result() {
  int status = status_ != 0 ? status_ : op_->status;
  if (status == 0) status = detail::uv::tcp_nodelay(op_->block->tcp(), 1);
  if (status != 0) return uv_error(status, "connect", to_.to_string());
  return tcp_stream(std::exchange(op_->block, nullptr));
}

void connect_awaiter::visit(detail::visitor& v) { v.about("tcp " + to_.to_string()); }

tcp_stream connect_awaiter::await_resume() { return await_result().value(); }

task<tcp_stream> connect(std::string host, std::uint16_t port) {
  std::vector<endpoint> addresses = co_await resolve(host, port);
  detail::failure_list failures;
  for (const endpoint& to : addresses) {
    auto attempt = co_await as_result(connect(to));
    if (attempt) co_return std::move(*attempt);
    failures.add(std::make_exception_ptr(attempt.error()));
  }
  std::rethrow_exception(failures.combined());
}

// ---- listen

class tcp_listener::block final : public detail::handle_block {
 public:
  explicit block(loop_state& l) : handle_block(l) {}

  void open(const endpoint& at, const listen_options& options) {
    auto check = [&](int status) {
      if (status < 0) throw uv_error(status, "listen", at.to_string());
    };
    check(detail::uv::tcp_init(home().uv, &handle_));
    opened(detail::uv::as_handle(&handle_));
    sockaddr_storage storage;
    at.store(reinterpret_cast<sockaddr&>(storage));
    if (options.reuse_port) check(share_port(at));
    // So that `0.0.0.0` and `::` can be listened on side by side, whatever the system's default.
    unsigned flags = at.is_v6() ? static_cast<unsigned>(UV_TCP_IPV6ONLY) : 0u;
    check(detail::uv::tcp_bind(&handle_, reinterpret_cast<sockaddr*>(&storage), flags));
    check(detail::uv::listen(stream(), options.backlog, [](uv_stream_t* s, int status) {
      auto& b = of<block>(s);
      turn t(b.home());
      // An error here concerns a connection that is gone already; the listener lives on.
      if (status == 0) b.arrived();
    }));
  }
  // libuv 1.44 has no flag for it, and makes the socket only when it binds.
  int share_port(const endpoint& at) {
    int fd =
        ::socket(at.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      int e = -errno;
      ::close(fd);
      return e;
    }
    int e = detail::uv::tcp_open(&handle_, fd);
    if (e < 0) ::close(fd);
    return e;
  }
  uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(&handle_); }
  uv_tcp_t* tcp() noexcept { return &handle_; }

  // libuv holds one accepted connection and stops polling until it is taken: pull for free.
  void arrived() {
    waiting_ = true;
    if (accept_awaiter* a = waiters.front()) {
      if (!take(*a)) return;
      static_cast<detail::list_node*>(a)->unlink();
      a->waiter_->complete();
    }
  }
  /// Returns: whether `a` has its connection or its error. After an error the connection waits on.
  bool take(accept_awaiter& a) noexcept {
    if (!waiting_) return false;
    uv_stream_block* s = nullptr;
    a.status_ = make(s);
    if (a.status_ == 0) a.status_ = detail::uv::accept(stream(), s->stream());
    waiting_ = a.status_ != 0 && a.status_ != UV_EAGAIN;
    if (a.status_ == 0 && detail::uv::tcp_nodelay(s->tcp(), 1) == 0) {
      a.accepted_ = s;
      return true;
    }
    if (s) s->disown();
    if (!waiting_) a.status_ = 0;  // that one is gone already
    return waiting_;
  }

  detail::list<accept_awaiter> waiters;

 private:
  int make(uv_stream_block*& s) noexcept {
    try {
      s = uv_stream_block::make_tcp(home());
      return 0;
    } catch (const error& e) {
      return -e.code().value();
    } catch (const std::bad_alloc&) {
      return UV_ENOMEM;
    }
  }
  void on_closing() override {
    while (accept_awaiter* a = waiters.pop_front()) a->waiter_->complete();
  }
  uv_tcp_t handle_{};
  bool waiting_ = false;
};

tcp_listener::tcp_listener(const endpoint& at, const listen_options& options)
    : block_(new block(loop_state::current())) {
  try {
    block_->open(at, options);
  } catch (...) {
    block_->disown();
    throw;
  }
}
tcp_listener::tcp_listener(tcp_listener&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)) {}
tcp_listener& tcp_listener::operator=(tcp_listener&& other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}
tcp_listener::~tcp_listener() {
  if (block_) block_->disown();
}

void tcp_listener::close() { block_->close(); }

endpoint tcp_listener::local() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  int e = block_->closing() ? static_cast<int>(UV_EBADF)
                            : detail::uv::tcp_getsockname(
                                  block_->tcp(), reinterpret_cast<sockaddr*>(&storage), &size);
  if (e < 0) throw uv_error(e, "local address", "tcp listener");
  return endpoint(reinterpret_cast<sockaddr&>(storage));
}

bool accept_awaiter::await_ready() {
  return listener_->block_->take(*this) || listener_->block_->closing();
}

void accept_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  listener_->block_->waiters.push_back(*this);
}

bool accept_awaiter::await_cancel(waiter&) noexcept {
  unlink();
  return true;
}

tcp_stream accept_awaiter::await_resume() {
  if (!accepted_ && status_ != 0) throw uv_error(status_, "accept", "tcp listener");
  if (!accepted_) throw error(errc::closed, "accept", "tcp listener");
  return tcp_stream(std::exchange(accepted_, nullptr));
}

void accept_awaiter::visit(detail::visitor& v) {
  try {
    v.about("tcp " + listener_->local().to_string());
  } catch (const error&) {
    v.about("tcp");
  }
}

tcp_listener listen(const endpoint& at, listen_options options) {
  return tcp_listener(at, options);
}

task<tcp_listener> listen(std::string host, std::uint16_t port, listen_options options) {
  std::vector<endpoint> addresses = co_await resolve(host, port);
  co_return tcp_listener(addresses.front(), options);
}

}  // namespace cuvee::inline v0
