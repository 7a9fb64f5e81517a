// SPDX-License-Identifier: MIT
#include <cuvee/io/fd_watch.h>

#include "core/loop_state.h"
#include "fd_block.h"
#include "uv_error.h"

#include <memory>
#include <string>

namespace cuvee::inline v0 {

namespace detail {

namespace {

constexpr fd_event every_event =
    fd_event::readable | fd_event::writable | fd_event::hang_up | fd_event::priority;
static_assert(static_cast<int>(fd_event::readable) == UV_READABLE &&
              static_cast<int>(fd_event::writable) == UV_WRITABLE &&
              static_cast<int>(fd_event::hang_up) == UV_DISCONNECT &&
              static_cast<int>(fd_event::priority) == UV_PRIORITIZED);

std::string name_of(int fd) { return "descriptor " + std::to_string(fd); }

}  // namespace

error fd_error(int fd, const fd_block::refusal& why) {
  std::string subject = name_of(fd);
  if (why.user) return error(errc::busy, "watch", subject, std::string("in use by a ") + why.user);
  switch (why.status) {
    case UV_EBUSY: return error(errc::busy, "watch", subject, "another task waits for the same");
    case UV_EPERM:
      return error(uv_code(why.status), "watch", subject,
                   "a regular file or a directory is always ready (EPERM)");
    case UV_ECANCELED: return error(errc::closed, "watch", subject);
    default: return uv_error(why.status, "watch", subject);
  }
}

// ---- the descriptor's block

fd_block* fd_block::acquire(loop_state& l, int fd, refusal& why) noexcept {
  if (fd < 0) {
    why.status = UV_EBADF;
    return nullptr;
  }
  fd_block* known = nullptr;
  // A stream that nobody reads from is unknown to libuv's poll, and would be deaf once somebody does.
  l.handles.for_each([&](handle_block& b) {
    if (b.handle_descriptor() != fd) return;
    if (b.kind() == own_kind) known = static_cast<fd_block*>(&b);
    else why.user = b.kind();
  });
  if (why.user) return nullptr;
  if (!known) return make(l, fd, why);
  known->users_++;
  return known;
}

fd_block* fd_block::make(loop_state& l, int fd, refusal& why) noexcept try {
  std::unique_ptr<fd_block> b(new fd_block(l, fd));
  why.status = uv::poll_init_shared(l.uv, &b->native_, fd);
  if (why.status == UV_EEXIST) why.user = "handle of libuv's";
  if (why.status != 0) return nullptr;
  b->opened(uv::as_handle(&b->native_));
  return b.release();
} catch (const std::bad_alloc&) {
  why.status = UV_ENOMEM;
  return nullptr;
}

void fd_block::release() {
  if (--users_ == 0) disown();  // stops polling at once
}

fd_event fd_block::awaited() noexcept {
  fd_event all = fd_event::none;
  waiting_.for_each([&](fd_awaiter& a) { all = all | a.wanted_; });
  return all;
}

int fd_block::poll(fd_event events) noexcept {
  int e = 0;
  if (events != fd_event::none) e = uv::poll_start(&native_, static_cast<int>(events), &on_event);
  if (events == fd_event::none || e != 0) uv_poll_stop(&native_);
  polled_ = e == 0 ? events : fd_event::none;
  return e;
}

int fd_block::join(fd_awaiter& a) noexcept {
  if (closing()) return UV_ECANCELED;
  if (intersects(awaited(), a.wanted_)) return UV_EBUSY;
  waiting_.push_back(a);
  int e = 0;
  if ((polled_ & a.wanted_) != a.wanted_) e = poll(awaited());
  if (e == 0) {
    users_++;
    return 0;
  }
  static_cast<list_node&>(a).unlink();
  if (!waiting_.empty()) happened(every_event, e);
  return e;
}

void fd_block::leave(fd_awaiter& a) noexcept {
  static_cast<list_node&>(a).unlink();
  if (!closing() && waiting_.empty()) poll(fd_event::none);
  release();
}

void fd_block::on_event(uv_poll_t* h, int status, int events) {
  auto& b = of<fd_block>(h);
  turn t(b.home());
  // libuv has forgotten it without telling the kernel.
  if (status < 0) b.poll(fd_event::none);
  b.happened(status < 0 ? every_event : static_cast<fd_event>(events), 0);
}

void fd_block::happened(fd_event events, int status) {
  users_++;
  list<fd_awaiter> served;  // a completion may cancel others
  bool for_nobody = !intersects(events, awaited());
  waiting_.for_each([&](fd_awaiter& a) {
    if (!intersects(a.wanted_, events)) return;
    static_cast<list_node&>(a).unlink();
    served.push_back(a);
  });
  while (fd_awaiter* a = served.pop_front()) {
    a->status_ = status;
    a->happened_ = a->wanted_ & events;
    users_--;
    a->waiter_->complete();
  }
  int e = for_nobody && !closing() ? poll(awaited()) : 0;
  if (e != 0) happened(every_event, e);
  release();
}

void fd_block::on_closing() {
  if (!waiting_.empty()) happened(every_event, UV_ECANCELED);
}

}  // namespace detail

// ---- waiting

fd_awaiter::fd_awaiter(detail::fd_block& watch, fd_event wanted) noexcept
    : block_(&watch), fd_(watch.descriptor()), wanted_(wanted) {}

bool fd_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  detail::fd_block* block = block_;
  if (!block) {
    detail::fd_block::refusal why;
    block = detail::fd_block::acquire(detail::loop_state::current(), fd_, why);
    user_ = why.user;
    status_ = why.status;
    if (!block) return false;
  }
  status_ = block->join(*this);
  if (!block_) block->release();  // the wait has its own share by now
  if (status_ == 0) block_ = block;
  return status_ == 0;
}

bool fd_awaiter::await_cancel(waiter&) noexcept {
  block_->leave(*this);
  return true;
}

result<fd_event> fd_awaiter::await_result() {
  if (user_ || status_ != 0) return detail::fd_error(fd_, {status_, user_});
  return happened_;
}

void fd_awaiter::visit(detail::visitor& v) { v.about(detail::name_of(fd_)); }

fd_watch::~fd_watch() {
  if (block_) block_->release();
}
int fd_watch::descriptor() const noexcept { return block_->descriptor(); }

fd_watch watch(int fd) {
  detail::fd_block::refusal why;
  detail::fd_block* block = detail::fd_block::acquire(detail::loop_state::current(), fd, why);
  if (!block) throw detail::fd_error(fd, why);
  return fd_watch(block);
}

}  // namespace cuvee::inline v0
