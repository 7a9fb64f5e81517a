// SPDX-License-Identifier: MIT
#include "pool_output.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::detail {

namespace {

using blocks = big_blocks<stream_block::window_limit>;
constexpr std::int64_t shared_position = -1;

}  // namespace

ssize_t pool_output::write_now(int fd, const uv_buf_t* from, unsigned n, std::size_t most_bytes) {
  if (written_ == 0) return running_ ? 0 : submit(fd, from, n, most_bytes);
  std::size_t offered = 0;
  for (unsigned i = 0; i < n; i++) offered += from[i].len;
  std::size_t taken = std::min(written_, offered);
  written_ -= taken;
  return static_cast<ssize_t>(taken);
}

int pool_output::submit(int fd, const uv_buf_t* from, unsigned n, std::size_t most_bytes) noexcept {
  try {
    if (!data_) data_ = blocks::get();
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
  std::size_t most = std::min(most_bytes, stream_block::window_limit), size = 0;
  for (unsigned i = 0; i < n && size < most; i++) {
    std::size_t some = std::min<std::size_t>(from[i].len, most - size);
    std::memcpy(data_ + size, from[i].base, some);
    size += some;
  }
  if (size == 0) return 0;
  uv_buf_t bytes = uv_buf_init(data_, static_cast<unsigned>(size));
  request_.data = this;
  loop_state& home = owner_->home();
  int e = uv::fs_write(home.uv, &request_, fd, &bytes, 1, shared_position, &on_done);
  if (e < 0) return e;
  running_ = true;
  home.pool_requests++;
  return 0;
}

void pool_output::on_done(uv_fs_t* r) {
  auto& self = *static_cast<pool_output*>(r->data);
  loop_state& home = self.owner_->home();
  {
    turn t(home);
    ssize_t result = r->result;
    uv_fs_req_cleanup(r);
    home.pool_requests--;
    self.running_ = false;
    self.give_back();
    self.done_(*self.owner_, result == 0 ? static_cast<ssize_t>(UV_EIO) : result);
  }
  home.free_if_closed();
}

void pool_output::written(ssize_t n) noexcept {
  owner_->home().writes++;
  owner_->home().written_bytes += static_cast<std::uint64_t>(n);
  written_ = static_cast<std::size_t>(n);
}

void pool_output::withdraw() noexcept {
  if (running_) uv_cancel(reinterpret_cast<uv_req_t*>(&request_));
}

void pool_output::give_back() noexcept {
  if (char* data = std::exchange(data_, nullptr)) blocks::put(data);
}

}  // namespace cuvee::inline v0::detail
