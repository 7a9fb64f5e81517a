// SPDX-License-Identifier: MIT
#include <cuvee/io/file.h>

#include "file_block.h"
#include "uv_error.h"

#include <fcntl.h>

#include <algorithm>

namespace cuvee::inline v0 {

namespace {

// Beside those of the system, which knows neither for files.
constexpr int closed_status = UV_ESHUTDOWN;
constexpr int busy_status = UV_EALREADY;
constexpr std::size_t largest_read = std::size_t{1} << 30;
// What a cancel may have to wait for, and the pool's other users.
constexpr std::size_t write_piece_bytes = std::size_t{4} << 20;

const char* name_of(detail::file_verb verb) noexcept {
  using enum detail::file_verb;
  switch (verb) {
    case read: return "read";
    case write: return "write";
    case truncate: return "truncate";
    case sync:
    case sync_data: return "sync";
    case chmod: return "set permissions of";
    case chown: return "set owner of";
    case stat: return "stat";
  }
  return "";
}

}  // namespace

namespace detail {

int file_call::begin(fs_request& r) {
  if (block_->closing() || block_->closed()) return closed_status;
  if (moves_position() && !block_->take_position()) return busy_status;
  int e = submit(r);
  if (e == 0) block_->call_begins();
  else if (moves_position()) block_->give_position();
  return e;
}

int file_call::arrived(std::int64_t result) {
  if (moves_position()) block_->give_position();
  block_->call_ends();
  return fs_call::arrived(result);
}

int file_call::submit(fs_request& r) {
  using enum file_verb;
  uv_loop_t* l = r.loop();
  int fd = block_->descriptor();
  switch (verb_) {
    case truncate: return uv::fs_ftruncate(l, &r.native, fd, number_, &fs_request::done);
    case sync: return uv::fs_fsync(l, &r.native, fd, &fs_request::done);
    case sync_data: return uv::fs_fdatasync(l, &r.native, fd, &fs_request::done);
    case chmod:
      return uv::fs_fchmod(l, &r.native, fd, static_cast<int>(number_), &fs_request::done);
    case chown:
      return uv::fs_fchown(l, &r.native, fd, static_cast<uv_uid_t>(number_),
                           static_cast<uv_gid_t>(other_), &fs_request::done);
    default: return uv::fs_fstat(l, &r.native, fd, &fs_request::done);
  }
}

error file_call::failure() const {
  auto status = static_cast<int>(status_);
  if (status == closed_status) return error(errc::closed, name_of(verb_), block_->path());
  if (status == busy_status) return error(errc::busy, name_of(verb_), block_->path());
  return uv_error(status, name_of(verb_), block_->path());
}

void file_call::visit(visitor& v) { v.about(block_->path()); }

}  // namespace detail

result<void> file_awaiter::await_result() {
  if (status_ < 0) return failure();
  return {};
}

result<file_status> file_stat_awaiter::await_result() {
  if (status_ < 0) return failure();
  return detail::status_of(request_->native.statbuf);
}

int file_read_awaiter::submit(detail::fs_request& r) {
  std::size_t size = std::min(into_.size(), largest_read);
  uv_buf_t buffer = uv_buf_init(into_.data(), static_cast<unsigned>(size));
  return detail::uv::fs_read(r.loop(), &r.native, block_->descriptor(), &buffer, 1, number_,
                             &detail::fs_request::done);
}

result<std::size_t> file_read_awaiter::await_result() {
  if (status_ < 0) return failure();
  return static_cast<std::size_t>(status_);
}

int file_write_awaiter::submit(detail::fs_request& r) {
  std::size_t size = std::min(left_.size(), write_piece_bytes);
  uv_buf_t buffer = uv_buf_init(const_cast<char*>(left_.data()), static_cast<unsigned>(size));
  return detail::uv::fs_write(r.loop(), &r.native, block_->descriptor(), &buffer, 1, number_,
                              &detail::fs_request::done);
}

int file_write_awaiter::arrived(std::int64_t result) {
  std::size_t asked = left_.size();
  if (result > 0) {
    left_ = const_bytes(left_.data() + result, asked - static_cast<std::size_t>(result));
    if (number_ != at_position) number_ += result;
  } else if (result == 0 && asked != 0) {
    result = UV_EIO;  // or it would go on for ever
  }
  file_call::arrived(result);
  if (result < 0 || left_.empty() || cancelled()) return finished;
  uv_fs_req_cleanup(&request_->native);
  return begin(*request_);
}

result<void> file_write_awaiter::await_result() {
  if (status_ < 0) return failure();
  return {};
}

// ---- opening and closing

namespace {

int system_flags(open_mode how) noexcept {
  bool writes = how & (open_mode::write | open_mode::append);
  bool reads = how & open_mode::read;
  int flags = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (how & open_mode::append) flags |= O_APPEND;
  if (how & open_mode::create) flags |= O_CREAT;
  if (how & open_mode::truncate) flags |= O_TRUNC;
  if (how & open_mode::exclusive) flags |= O_EXCL;
  bool possible = writes || (reads && !(how & (open_mode::create | open_mode::truncate)));
  return possible ? flags : -1;
}

}  // namespace

open_awaiter::open_awaiter(std::string path, open_mode how, unsigned permissions) noexcept
    : path_call(detail::path_verb::open, std::move(path), {}, system_flags(how),
                static_cast<int>(permissions)) {}

open_awaiter::~open_awaiter() {
  if (block_) block_->disown();
}

int open_awaiter::begin(detail::fs_request& r) {
  if (flags_ < 0) return UV_EINVAL;
  try {
    block_ = new detail::file_block(*r.home, path_);  // now, as later there is a descriptor to lose
  } catch (const std::bad_alloc&) {
    return UV_ENOMEM;
  }
  return path_call::begin(r);
}

int open_awaiter::arrived(std::int64_t result) {
  if (result >= 0) block_->adopt(static_cast<int>(result));
  return path_call::arrived(result);
}

result<file> open_awaiter::await_result() {
  if (status_ < 0) return failure();
  return file(std::exchange(block_, nullptr));
}

file::~file() {
  if (block_) block_->disown();
}

fs_close_awaiter file::close() { return {block_, "close"}; }
bool file::is_open() const noexcept { return block_ && !block_->closing() && !block_->closed(); }
const std::string& file::path() const noexcept { return block_->path(); }
std::int64_t file::signed_offset(std::uint64_t n) noexcept {
  auto offset = static_cast<std::int64_t>(n);
  return offset < 0 ? INT64_MAX : offset;
}

bool fs_close_awaiter::await_ready() const noexcept { return !block_ || block_->closed(); }

void fs_close_awaiter::await_suspend(waiter& w) {
  waiter_ = &w;
  block_->await_closed(*this);
  block_->close();
}

result<void> fs_close_awaiter::await_result() {
  if (block_ && block_->close_status() != 0)
    return detail::uv_error(block_->close_status(), operation_, block_->path());
  return {};
}

void fs_close_awaiter::visit(detail::visitor& v) { v.about(block_->path()); }

}  // namespace cuvee::inline v0
