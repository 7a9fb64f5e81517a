// SPDX-License-Identifier: MIT
#include "foreign_block.h"

#include <cerrno>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

constexpr std::size_t terminal_piece_bytes = 4096;  // the pool's others wait meanwhile

}  // namespace

foreign_block* foreign_block::make(loop_state& l, detail::descriptor& fd, shared_kind kind) {
  std::unique_ptr<foreign_block> block(new foreign_block(l, kind));
  fd_block::refusal why;
  block->watch_ = fd_block::acquire(l, fd.get(), why);
  if (!block->watch_ && why.status == UV_EPERM) return nullptr;
  if (!block->watch_) throw fd_error(fd.get(), why);
  block->fd_ = std::move(fd);
  block->opened();
  return block.release();
}

// ---- waiting

int foreign_block::side::wait(fd_block& watch) noexcept {
  if (wait_) return 0;
  wait_.emplace(watch, what_);
  if (wait_->await_suspend(*this)) return 0;
  int e = wait_->status();
  wait_.reset();
  return e;
}

void foreign_block::side::stop() noexcept {
  if (wait_) wait_->await_cancel(*this);
  wait_.reset();
}

void foreign_block::side::on_event(waiter* w) {
  auto& self = *static_cast<side*>(w);
  int status = self.wait_->status();
  self.wait_.reset();
  self.of_.ready(self.what_, status);
}

int foreign_block::update_watch() noexcept {
  if (!watch_) return 0;
  if (!reads_) to_read_.stop();
  int e = reads_ ? to_read_.wait(*watch_) : 0;
  bool writes = keeps_output() && !pool_.running();
  if (!writes) to_write_.stop();
  if (e == 0 && writes) e = to_write_.wait(*watch_);
  return e;
}

void foreign_block::work() {
  push_kept();
  if (int e = update_watch(); e != 0) fail_kept(e);
}

void foreign_block::ready(fd_event what, int status) {
  if (!watch_) return;
  if (status != 0) {
    fail_read(status);
    return fail_kept(status);
  }
  if (what == fd_event::readable) receive();
  if (!closing()) work();
}

// ---- reading

int foreign_block::start_reading() {
  reads_ = true;
  return update_watch();
}

void foreign_block::pause_reading() noexcept {
  reads_ = false;
  update_watch();
}

void foreign_block::receive() {
  if (!has_reader()) return disarm();  // a read was cancelled: what has come stays for others
  uv_buf_t to = where_to_read(home().read_slab.get());
  if (to.len == 0) return ended(UV_ENOMEM);
  ssize_t n = read_ready(fd_.get(), shared_, to.base, to.len);
  if (n == -EAGAIN || n == -EINTR) return;
  bool hung_up = n == -EIO && shared_ == shared_kind::terminal && !in_background(fd_.get());
  if (n == 0 || hung_up) return ended(UV_EOF);
  if (n < 0) return ended(static_cast<int>(n));
  home().reads++;
  home().read_bytes += static_cast<std::uint64_t>(n);
  arrived(static_cast<std::size_t>(n), to);
  if (!has_reader()) disarm();
}

// ---- writing

ssize_t foreign_block::write_now(const uv_buf_t* buffers, unsigned n) {
  if (shared_ == shared_kind::terminal) {
    if (pool_.idle() && !takes_bytes(fd_.get())) return 0;
    return pool_.write_now(fd_.get(), buffers, n, terminal_piece_bytes);
  }
  iovec from[1 + stream_writer::most_spans];
  for (unsigned i = 0; i < n; i++) from[i] = {buffers[i].base, buffers[i].len};
  ssize_t written = write_ready(fd_.get(), shared_, from, static_cast<int>(n));
  if (written == -EAGAIN || written == -EINTR) return 0;
  if (written < 0) return written;
  home().writes++;
  home().written_bytes += static_cast<std::uint64_t>(written);
  return written;
}

void foreign_block::was_written(stream_block& owner, ssize_t n) {
  auto& self = static_cast<foreign_block&>(owner);
  if (!self.closing()) {
    if (n > 0) self.pool_.written(n), self.work();
    else self.fail_kept(static_cast<int>(n));
  }
  if (self.closed()) detail::descriptor closed = std::move(self.fd_);
  self.free_if_unused();
}

void foreign_block::finish_output() {
  bool half = shared_ == shared_kind::socket && ::shutdown(fd_.get(), SHUT_WR) == 0;
  if (!half) close();  // half of what has one direction is all of it
  shutdown_done();
}

void foreign_block::on_closing() {
  stream_block::on_closing();
  pool_.withdraw();
  to_read_.stop();
  to_write_.stop();
  std::exchange(watch_, nullptr)->release();
}

void foreign_block::on_closed() {
  if (!pool_.running()) detail::descriptor closed = std::move(fd_);
  stream_block::on_closed();
}

}  // namespace cuvee::inline v0::detail
