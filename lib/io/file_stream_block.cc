// SPDX-License-Identifier: MIT
#include "file_stream_block.h"

#include <cstring>
#include <memory>

namespace cuvee::inline v0::detail {

namespace {

constexpr std::int64_t shared_position = -1;

char* block_or_null() noexcept {
  try {
    return big_blocks<stream_block::window_limit>::get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

file_stream_block* file_stream_block::make(loop_state& l, detail::descriptor fd) {
  std::unique_ptr<file_stream_block> block(new file_stream_block(l, std::move(fd)));
  block->opened();
  return block.release();
}

file_stream_block::~file_stream_block() {
  for (call* c : {&read_call_, &write_call_})
    if (c->data) buffers::put(c->data);
}

template <void (file_stream_block::*Done)(ssize_t),
          file_stream_block::call file_stream_block::* Which>
void file_stream_block::on_done(uv_fs_t* r) {
  auto& self = *static_cast<file_stream_block*>(r->data);
  loop_state& home = self.home();
  {
    turn t(home);
    ssize_t result = r->result;
    uv_fs_req_cleanup(r);
    home.pool_requests--;
    (self.*Which).running = false;
    if (!self.closing()) (self.*Done)(result);
    if (self.closed()) self.close_descriptor();
    self.free_if_unused();
  }
  home.free_if_closed();
}

void file_stream_block::work() {
  if (wants_bytes()) deliver();
  push_kept();
}

// ---- reading

int file_stream_block::start_reading() {
  if (read_call_.size != 0) work_soon();
  else if (!read_call_.running) return submit_read();
  return 0;
}

// No more than is asked for: the position is also that of others.
int file_stream_block::submit_read() noexcept {
  if (!read_call_.data && !(read_call_.data = block_or_null())) return UV_ENOMEM;
  std::size_t asked = reader()->into.size();
  std::size_t size = asked == 0 ? window_limit : std::min(asked, window_limit);
  uv_buf_t room = uv_buf_init(read_call_.data, static_cast<unsigned>(size));
  read_call_.request.data = this;
  int e = uv::fs_read(home().uv, &read_call_.request, fd_.get(), &room, 1, shared_position,
                      &on_done<&file_stream_block::was_read, &file_stream_block::read_call_>);
  if (e < 0) return e;
  read_call_.running = true;
  home().pool_requests++;
  return 0;
}

void file_stream_block::was_read(ssize_t n) {
  if (n <= 0) return ended(n == 0 ? static_cast<int>(UV_EOF) : static_cast<int>(n));
  home().reads++;
  home().read_bytes += static_cast<std::uint64_t>(n);
  read_call_.at = 0;
  read_call_.size = static_cast<std::size_t>(n);
  deliver();
}

// What nobody waits for any more stays for the next reader.
void file_stream_block::deliver() {
  while (has_reader() && wants_bytes() && read_call_.size != 0) {
    uv_buf_t to = where_to_read(home().read_slab.get());
    std::size_t n = std::min(read_call_.size, std::size_t{to.len});
    if (n == 0) return ended(UV_ENOMEM);
    std::memcpy(to.base, read_call_.data + read_call_.at, n);
    read_call_.at += n;
    read_call_.size -= n;
    arrived(n, to);
  }
  if (read_call_.size == 0 && !read_call_.running && !has_reader())
    if (char* unused = std::exchange(read_call_.data, nullptr)) buffers::put(unused);
  if (!has_reader()) return disarm();
  int e = read_call_.running || !wants_bytes() ? 0 : submit_read();
  if (e < 0) ended(e);
}

// ---- writing

// Taken is what was written: bytes are copied for the pool, and those who wrote them wait for its word.
ssize_t file_stream_block::write_now(const uv_buf_t* from, unsigned n) {
  if (written_ == 0) return write_call_.running ? 0 : submit_write(from, n);
  std::size_t offered = 0;
  for (unsigned i = 0; i < n; i++) offered += from[i].len;
  std::size_t taken = std::min(written_, offered);
  written_ -= taken;
  return static_cast<ssize_t>(taken);
}

int file_stream_block::submit_write(const uv_buf_t* from, unsigned n) noexcept {
  if (!write_call_.data && !(write_call_.data = block_or_null())) return UV_ENOMEM;
  std::size_t size = 0;
  for (unsigned i = 0; i < n && size < window_limit; i++) {
    std::size_t some = std::min<std::size_t>(from[i].len, window_limit - size);
    std::memcpy(write_call_.data + size, from[i].base, some);
    size += some;
  }
  if (size == 0) return 0;
  uv_buf_t bytes = uv_buf_init(write_call_.data, static_cast<unsigned>(size));
  write_call_.request.data = this;
  int e = uv::fs_write(home().uv, &write_call_.request, fd_.get(), &bytes, 1, shared_position,
                       &on_done<&file_stream_block::was_written, &file_stream_block::write_call_>);
  if (e < 0) return e;
  write_call_.running = true;
  home().pool_requests++;
  return 0;
}

void file_stream_block::was_written(ssize_t n) {
  if (n <= 0) return fail_kept(n == 0 ? static_cast<int>(UV_EIO) : static_cast<int>(n));
  home().writes++;
  home().written_bytes += static_cast<std::uint64_t>(n);
  written_ = static_cast<std::size_t>(n);
  push_kept();
  if (!write_call_.running)
    if (char* unused = std::exchange(write_call_.data, nullptr)) buffers::put(unused);
}

void file_stream_block::finish_output() {
  close();
  shutdown_done();
}

// What the pool has begun it finishes, with buffers and a descriptor that stay until then.
void file_stream_block::on_closing() {
  stream_block::on_closing();
  for (call* c : {&read_call_, &write_call_})
    if (c->running) uv_cancel(reinterpret_cast<uv_req_t*>(&c->request));
}

void file_stream_block::on_closed() {
  close_descriptor();
  stream_block::on_closed();
}

void file_stream_block::close_descriptor() noexcept {
  if (read_call_.running || write_call_.running) return;
  detail::descriptor closed = std::move(fd_);
}

}  // namespace cuvee::inline v0::detail
