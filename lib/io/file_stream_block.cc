// SPDX-License-Identifier: MIT
#include "file_stream_block.h"

#include <cstring>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

using blocks = big_blocks<stream_block::window_limit>;
constexpr std::int64_t shared_position = -1;

}  // namespace

file_stream_block* file_stream_block::make(loop_state& l, detail::descriptor fd) {
  std::unique_ptr<file_stream_block> block(new file_stream_block(l, std::move(fd)));
  block->opened();
  return block.release();
}

file_stream_block::~file_stream_block() {
  if (read_data_) blocks::put(read_data_);
}

void file_stream_block::work() {
  if (wants_bytes()) deliver();
  push_kept();
}

// ---- reading

int file_stream_block::start_reading() {
  if (read_size_ != 0) work_soon();
  else if (!read_running_) return submit_read();
  return 0;
}

// No more than is asked for: the position is also that of others.
int file_stream_block::submit_read() noexcept {
  try {
    if (!read_data_) read_data_ = blocks::get();
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
  std::size_t asked = reader()->into.size();
  std::size_t size = asked == 0 ? window_limit : std::min(asked, window_limit);
  uv_buf_t room = uv_buf_init(read_data_, static_cast<unsigned>(size));
  read_request_.data = this;
  int e = uv::fs_read(home().uv, &read_request_, fd_.get(), &room, 1, shared_position, &on_read);
  if (e < 0) return e;
  read_running_ = true;
  home().pool_requests++;
  return 0;
}

void file_stream_block::on_read(uv_fs_t* r) {
  auto& self = *static_cast<file_stream_block*>(r->data);
  loop_state& home = self.home();
  {
    turn t(home);
    ssize_t result = r->result;
    uv_fs_req_cleanup(r);
    home.pool_requests--;
    self.read_running_ = false;
    if (!self.closing()) self.was_read(result);
    self.call_ended();
  }
  home.free_if_closed();
}

void file_stream_block::was_read(ssize_t n) {
  if (n <= 0) return ended(n == 0 ? static_cast<int>(UV_EOF) : static_cast<int>(n));
  home().reads++;
  home().read_bytes += static_cast<std::uint64_t>(n);
  read_at_ = 0;
  read_size_ = static_cast<std::size_t>(n);
  deliver();
}

// What nobody waits for any more stays for the next reader.
void file_stream_block::deliver() {
  while (has_reader() && wants_bytes() && read_size_ != 0) {
    uv_buf_t to = where_to_read(home().read_slab.get());
    std::size_t n = std::min(read_size_, std::size_t{to.len});
    if (n == 0) return ended(UV_ENOMEM);
    std::memcpy(to.base, read_data_ + read_at_, n);
    read_at_ += n;
    read_size_ -= n;
    arrived(n, to);
  }
  if (!has_reader()) {
    if (read_size_ == 0 && !read_running_)
      if (char* unused = std::exchange(read_data_, nullptr)) blocks::put(unused);
    return disarm();
  }
  int e = read_running_ || !wants_bytes() ? 0 : submit_read();
  if (e < 0) ended(e);
}

// ---- writing

void file_stream_block::was_written(stream_block& owner, ssize_t n) {
  auto& self = static_cast<file_stream_block&>(owner);
  if (!self.closing()) {
    if (n > 0) self.pool_.written(n), self.push_kept();
    else self.fail_kept(static_cast<int>(n));
  }
  self.call_ended();
}

void file_stream_block::finish_output() {
  close();
  shutdown_done();
}

// ---- the end

// What the pool has begun it finishes, with buffers and a descriptor that stay until then.
void file_stream_block::on_closing() {
  stream_block::on_closing();
  pool_.withdraw();
  if (read_running_) uv_cancel(reinterpret_cast<uv_req_t*>(&read_request_));
}

void file_stream_block::on_closed() {
  if (!read_running_ && !pool_.running()) detail::descriptor closed = std::move(fd_);
  stream_block::on_closed();
}

void file_stream_block::call_ended() {
  if (closed() && !read_running_ && !pool_.running()) detail::descriptor closed = std::move(fd_);
  free_if_unused();
}

}  // namespace cuvee::inline v0::detail
