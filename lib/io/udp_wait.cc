// SPDX-License-Identifier: MIT
#include <cuvee/io/udp_wait.h>

#include "big_blocks.h"
#include "udp_block.h"

#include <string>

namespace cuvee::inline v0 {

using detail::udp_reader;

namespace {

// The largest there is, without jumbograms.
constexpr std::size_t largest_datagram_bytes = 64 * 1024;
using datagram_rooms = detail::big_blocks<largest_datagram_bytes>;

}  // namespace

namespace detail {

bool udp_reader::await_ready() noexcept {
  if (block_->closing()) status_ = UV_ECANCELED;
  else if (block_->has_reader()) status_ = UV_EBUSY;
  else status_ = take_(*this);
  return status_ != UV_EAGAIN;
}

bool udp_reader::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  status_ = block_->start_reader(*this);
  return status_ == 0;
}

bool udp_reader::await_cancel(waiter&) noexcept {
  block_->forget_reader();
  return true;
}

error udp_reader::failure() const {
  if (about_sender_) return block_->failure(status_, "send", got_.from.to_string());
  return block_->failure(status_, "receive", block_->name());
}

void udp_reader::visit(visitor& v) { v.about(block_->name()); }

}  // namespace detail

int udp_receive_from_awaiter::take(udp_reader& r) noexcept {
  auto& self = static_cast<udp_receive_from_awaiter&>(r);
  return self.block().take(r, self.into_);
}

result<datagram_info> udp_receive_from_awaiter::await_result() {
  if (failed()) return failure();
  return got_;
}

udp_receive_awaiter::~udp_receive_awaiter() {
  if (room_) datagram_rooms::put(room_);
}

int udp_receive_awaiter::take(udp_reader& r) noexcept {
  auto& self = static_cast<udp_receive_awaiter&>(r);
  char* room = nullptr;
  try {
    room = datagram_rooms::get();
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
  int status = self.block().take(r, mutable_bytes(room, largest_datagram_bytes));
  if (status == 0) self.room_ = room;
  else datagram_rooms::put(room);
  return status;
}

result<datagram> udp_receive_awaiter::await_result() {
  if (failed()) return failure();
  return datagram(std::string(room_, got_.size), got_.from);
}

int udp_receive_batch_awaiter::take(udp_reader& r) noexcept {
  auto& self = static_cast<udp_receive_batch_awaiter&>(r);
  return self.block().take(r, *self.into_);
}

result<std::size_t> udp_receive_batch_awaiter::await_result() {
  if (failed()) return failure();
  return into_->filled;
}

// ---- sending

bool udp_send_awaiter::await_ready() noexcept {
  status_ = block_->has_line() ? static_cast<int>(UV_EAGAIN) : block_->send(data_, to());
  return status_ != UV_EAGAIN;
}

bool udp_send_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  status_ = block_->start_sender(*this);
  return status_ == 0;
}

error udp_send_awaiter::failure() const {
  return block_->failure(status_, "send", addressed_ ? to_.to_string() : block_->name());
}

result<void> udp_send_awaiter::await_result() {
  if (status_ != 0) return failure();
  return {};
}

void udp_send_awaiter::visit(detail::visitor& v) {
  v.about(addressed_ ? to_.to_string() : block_->name());
}

}  // namespace cuvee::inline v0
