// SPDX-License-Identifier: MIT
#include "uv_error.h"
#include "uv_stream_block.h"

#include <cuvee/io/unix.h>

namespace cuvee::inline v0 {

using detail::turn;
using detail::uv_stream_block;

namespace {

bool can_be_passed(const detail::stream_block& b) noexcept {
  return b.type() == UV_TCP || b.type() == UV_NAMED_PIPE;
}

const char* why_not(const detail::stream_block& handle, const_bytes with) noexcept {
  if (with.empty()) return "it needs a byte to go with";
  if (!can_be_passed(handle)) return "only TCP and unix streams can be passed";
  return "the stream was made without pass_handles";
}

}  // namespace

struct send_handle_awaiter::request : detail::pooled {
  uv_write_t native;
  send_handle_awaiter* awaiter;
};

bool send_handle_awaiter::await_ready() noexcept {
  if (over_->closing() || handle_->closing()) status_ = UV_ECANCELED;
  else if (with_.empty() || !can_be_passed(*handle_)) status_ = UV_EINVAL;
  else status_ = over_->write_error();
  return status_ != 0;
}

bool send_handle_awaiter::await_suspend(waiter& w) noexcept {
  auto& over = static_cast<uv_stream_block&>(*over_);
  over.flush();
  if (status_ = over.write_error(); status_ != 0) return false;
  request* r = nullptr;
  try {
    r = new request;
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  }
  waiter_ = &w;
  r->awaiter = this;
  r->native.data = r;
  uv_buf_t bytes =
      uv_buf_init(const_cast<char*>(with_.data()), static_cast<unsigned>(with_.size()));
  uv_stream_t* passed = static_cast<uv_stream_block*>(handle_)->stream();
  status_ = detail::uv::write2(&r->native, over.stream(), &bytes, 1, passed,
                               [](uv_write_t* native, int status) {
                                 auto* done = static_cast<request*>(native->data);
                                 send_handle_awaiter& self = *done->awaiter;
                                 delete done;
                                 turn t(self.over_->home());
                                 auto& over = static_cast<uv_stream_block&>(*self.over_);
                                 self.status_ = over.outcome(status);
                                 self.waiter_->complete();
                               });
  if (status_ != 0) {
    delete r;
    return false;
  }
  over.watch_output();
  return true;
}

bool send_handle_awaiter::await_cancel(waiter&) {
  over_->break_off();  // libuv may have sent a part; its callback follows
  return false;
}

result<void> send_handle_awaiter::await_result() {
  if (status_ == UV_ECANCELED) return error(errc::closed, "send a handle", over_->name());
  if (status_ == UV_EINVAL)
    return error(std::make_error_code(std::errc::invalid_argument), "send a handle", over_->name(),
                 why_not(*handle_, with_));
  if (status_ != 0) return detail::uv_error(status_, "send a handle", over_->name());
  return {};
}

std::optional<received_handle> unix_stream::take_handle() {
  uv_stream_block* taken = static_cast<uv_stream_block*>(block_)->take_passed();
  if (!taken) return std::nullopt;
  if (taken->type() == UV_TCP) return received_handle(tcp_stream(taken));
  taken->set_name("unix stream");
  return received_handle(unix_stream(taken));
}

}  // namespace cuvee::inline v0
