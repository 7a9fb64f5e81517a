// SPDX-License-Identifier: MIT
#include <cuvee/io/stream.h>

#include "stream_block.h"
#include "uv_error.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0 {

bool read_awaiter::await_ready() {
  detail::stream_block& b = *block_;
  if (b.has_reader()) {
    status_ = UV_EBUSY;
    return true;
  }
  if (into.empty()) return true;
  std::string_view window = b.window();
  if (!window.empty()) {
    size = std::min(into.size(), window.size());
    std::memcpy(into.data(), window.data(), size);
    b.consume(size);
    return true;
  }
  return b.finished();
}

void read_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  block_->await_bytes(*this);
}

bool read_awaiter::await_cancel(waiter&) noexcept {
  block_->forget_reader();
  return true;
}

result<std::size_t> read_awaiter::await_result() {
  if (size != 0 || into.empty()) return size;
  if (status_ == 0 && !block_->at_eof())
    status_ = block_->read_error() != 0 ? block_->read_error() : UV_ECANCELED;
  if (status_ != 0) return block_->error_of(status_, "read");
  return std::size_t{0};
}

std::size_t read_awaiter::await_resume() {
  if (size != 0) [[likely]]
    return size;
  return await_result().value();
}

bool fill_awaiter::await_ready() noexcept {
  before_ = block_->window().size();
  if (block_->has_reader()) status_ = UV_EBUSY;
  else if (before_ == detail::stream_block::window_limit) status_ = UV_ENOBUFS;
  return status_ != 0 || block_->finished();
}

void fill_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  block_->await_bytes(*this);
}

bool fill_awaiter::await_cancel(waiter&) noexcept {
  block_->forget_reader();
  return true;
}

result<bool> fill_awaiter::await_result() {
  if (status_ == UV_ENOBUFS) return error(errc::limit_exceeded, "read", block_->name());
  if (status_ == 0 && block_->window().size() > before_) return true;
  if (status_ == 0 && !block_->at_eof())
    status_ = block_->read_error() != 0 ? block_->read_error() : UV_ECANCELED;
  if (status_ != 0) return block_->error_of(status_, "read");
  return false;
}

bool write_awaiter::await_ready() {
  if (block_->has_writer()) {
    status = UV_EBUSY;
    return true;
  }
  return block_->try_write(*this);
}

bool write_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  return block_->start_write(*this);
}

bool write_awaiter::await_cancel(waiter&) {
  // libuv may have taken a part and cannot give the rest back.
  block_->break_off();
  return false;
}

result<void> write_awaiter::await_result() {
  if (status != 0) return block_->error_of(status, "write");
  return {};
}

void write_awaiter::await_resume() {
  if (status != 0) [[unlikely]]
    throw block_->error_of(status, "write");
}

bool shutdown_awaiter::await_ready() {
  return block_->shut() || block_->closing() || block_->write_error() != 0;
}

bool shutdown_awaiter::await_suspend(waiter& w) { return block_->start_shutdown(w) == 0; }

bool shutdown_awaiter::await_cancel(waiter&) noexcept {
  block_->forget_shutdown();
  return true;
}

bool close_awaiter::await_ready() const noexcept { return !block_ || block_->closed(); }

void close_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  block_->await_closed(*this);
  block_->close();
}

void read_awaiter::visit(detail::visitor& v) { v.about(block_->label()); }
void write_awaiter::visit(detail::visitor& v) { v.about(block_->label()); }
void shutdown_awaiter::visit(detail::visitor& v) { v.about(block_->label()); }
void close_awaiter::visit(detail::visitor& v) { v.about(block_->label()); }

stream::~stream() {
  if (block_) block_->disown();
}

std::string_view stream::window() const noexcept { return block_->window(); }
void stream::consume(std::size_t n) { block_->consume(n); }
void stream::abort() {
  if (block_) block_->abort();
}
bool stream::is_open() const noexcept { return block_ && !block_->closing() && !block_->closed(); }

}  // namespace cuvee::inline v0
