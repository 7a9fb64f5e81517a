// SPDX-License-Identifier: MIT
#include "memory_block.h"

#include <cuvee/base/error.h>

#include <cstring>
#include <memory>

namespace cuvee::inline v0 {

namespace detail {

memory_block::memory_block(loop_state& l, memory_stream_options options)
    : soft_stream_block(l), options_(options) {
  waiting_.reserve(std::min<std::size_t>(options_.capacity_bytes, 4096));
  set_name("memory stream");
}

std::pair<stream, stream> memory_block::make_pair(loop_state& l, memory_stream_options options) {
  auto a = std::make_unique<memory_block>(l, options);
  auto b = std::make_unique<memory_block>(l, options);
  a->peer_ = b.get();
  b->peer_ = a.get();
  a->opened();
  b->opened();
  return {stream(a.release()), stream(b.release())};
}

// ---- reading

int memory_block::start_reading() {
  work_soon();
  return 0;
}

void memory_block::work() {
  if (wants_bytes()) pull();
  push_kept();
  if (waiting_.empty() && read_end_ != 0 && !finished()) ended(read_end_);
}

// Only a reader that waits gets bytes, so that no more than the capacity is ever kept here.
void memory_block::pull() {
  while (has_reader() && wants_bytes()) {
    if (waiting_.empty() && peer_) {
      std::size_t wanted = reader()->into.size();
      asked_ = wanted != 0 ? wanted : window_limit;
      peer_->push_kept();
      asked_ = 0;
    }
    if (waiting_.empty()) return;  // stays armed: the next write comes back here
    deliver();
  }
  disarm();
  if (peer_ && peer_->keeps_output()) peer_->work_soon();
}

void memory_block::deliver() {
  uv_buf_t to = where_to_read(home().read_slab.get());
  std::size_t n = std::min({waiting_.size() - read_, std::size_t{to.len}, options_.piece_bytes});
  if (n == 0) return ended(UV_ENOMEM);
  std::memcpy(to.base, waiting_.data() + read_, n);
  read_ += n;
  if (read_ == waiting_.size()) {
    waiting_.clear();
    read_ = 0;
  }
  arrived(n, to);
}

// ---- writing

std::size_t memory_block::room() const noexcept {
  std::size_t held = waiting_.size() - read_;
  std::size_t most = std::max(options_.capacity_bytes, asked_);
  return held < most ? most - held : 0;
}

void memory_block::take(const uv_buf_t& from, std::size_t n) {
  if (read_ >= waiting_.size() / 2) {  // or it would grow for ever where it is never empty
    waiting_.erase(0, read_);
    read_ = 0;
  }
  waiting_.append(from.base, n);
}

ssize_t memory_block::write_now(const uv_buf_t* buffers, unsigned n) {
  if (write_end_ != 0) return write_end_;
  std::size_t taken = 0;
  try {
    for (unsigned i = 0; i < n; i++) {
      std::size_t some = std::min<std::size_t>(buffers[i].len, peer_->room());
      peer_->take(buffers[i], some);
      taken += some;
    }
  } catch (const std::bad_alloc&) {
    if (taken == 0) return UV_ENOMEM;
  }
  if (peer_->wants_bytes()) peer_->work_soon();
  return static_cast<ssize_t>(taken);
}

void memory_block::finish_output() {
  if (write_end_ == 0) write_end_ = UV_EPIPE;
  if (peer_) peer_->peer_ended(UV_EOF);
  shutdown_done();
}

// ---- the end

void memory_block::peer_ended(int status) {
  if (read_end_ == 0) read_end_ = status;
  work_soon();
}

void memory_block::part(int status) {
  if (write_end_ == 0) write_end_ = UV_ECANCELED;
  memory_block* other = std::exchange(peer_, nullptr);
  if (!other) return;
  other->peer_ = nullptr;
  other->write_end_ = status == UV_EOF ? UV_EPIPE : status;
  other->peer_ended(status);
}

void memory_block::abort() {
  part(UV_ECONNRESET);
  close();
}

void memory_block::on_closing() {
  stream_block::on_closing();
  part(UV_EOF);
}

}  // namespace detail

std::pair<stream, stream> memory_stream_pair(memory_stream_options options) {
  if (options.piece_bytes == 0)
    throw error(std::make_error_code(std::errc::invalid_argument), "make", "memory stream",
                "pieces of 0 bytes");
  return detail::memory_block::make_pair(detail::loop_state::current(), options);
}

}  // namespace cuvee::inline v0
