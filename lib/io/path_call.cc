// SPDX-License-Identifier: MIT
// Calls to the file system in general, and those about paths.
#include "file_block.h"
#include "uv_error.h"

#include <sys/stat.h>
#include <unistd.h>

namespace cuvee::inline v0 {

namespace {

std::int64_t nanoseconds(const uv_timespec_t& t) noexcept {
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

file_type type_of(std::uint64_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return file_type::regular;
    case S_IFDIR: return file_type::directory;
    case S_IFLNK: return file_type::symlink;
    case S_IFIFO: return file_type::fifo;
    case S_IFSOCK: return file_type::socket;
    case S_IFCHR: return file_type::character_device;
    case S_IFBLK: return file_type::block_device;
    default: return file_type::unknown;
  }
}

file_type type_of(uv_dirent_type_t type) noexcept {
  switch (type) {
    case UV_DIRENT_FILE: return file_type::regular;
    case UV_DIRENT_DIR: return file_type::directory;
    case UV_DIRENT_LINK: return file_type::symlink;
    case UV_DIRENT_FIFO: return file_type::fifo;
    case UV_DIRENT_SOCKET: return file_type::socket;
    case UV_DIRENT_CHAR: return file_type::character_device;
    case UV_DIRENT_BLOCK: return file_type::block_device;
    default: return file_type::unknown;
  }
}

const char* name_of(detail::path_verb verb) noexcept {
  using enum detail::path_verb;
  switch (verb) {
    case stat:
    case lstat:
    case exists: return "stat";
    case rename: return "rename";
    case unlink: return "unlink";
    case mkdir: return "mkdir";
    case rmdir: return "rmdir";
    case symlink: return "symlink";
    case readlink: return "readlink";
    case realpath: return "realpath";
    case scandir: return "scandir";
    case open: return "open";
  }
  return "";
}

}  // namespace

namespace detail {

file_status status_of(const uv_stat_t& s) noexcept {
  file_status f;
  f.type = type_of(s.st_mode);
  f.size = s.st_size;
  f.permissions = static_cast<unsigned>(s.st_mode & 07777);
  f.owner = static_cast<std::uint32_t>(s.st_uid);
  f.group = static_cast<std::uint32_t>(s.st_gid);
  f.device = s.st_dev;
  f.inode = s.st_ino;
  f.links = s.st_nlink;
  f.modified_ns = nanoseconds(s.st_mtim);
  f.changed_ns = nanoseconds(s.st_ctim);
  f.accessed_ns = nanoseconds(s.st_atim);
  return f;
}

// ---- any call

fs_call::~fs_call() {
  if (!request_) return;
  uv_fs_req_cleanup(&request_->native);
  delete request_;
}

bool fs_call::await_suspend(waiter& w) {
  waiter_ = &w;
  loop_state& home = loop_state::current();
  try {
    request_ = new fs_request;
  } catch (const std::bad_alloc&) {
    status_ = UV_ENOMEM;
    return false;
  }
  request_->native.data = request_;
  request_->home = &home;
  request_->call = this;
  status_ = begin(*request_);
  if (status_ == 0) home.pool_requests++;
  return status_ == 0;
}

bool fs_call::await_cancel(waiter&) noexcept {
  cancelled_ = true;
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_->native));  // refused if it runs: then waited for
  return false;
}

int fs_call::arrived(std::int64_t result) {
  status_ = result;
  return finished;
}

void fs_request::done(uv_fs_t* r) {
  auto& self = *static_cast<fs_request*>(r->data);
  loop_state& l = *self.home;
  {
    turn t(l);
    int more = self.call->arrived(r->result);
    if (more == 0) return;  // submitted again
    l.pool_requests--;
    if (more < 0) self.call->status_ = more;
    self.call->waiter_->complete();
  }
  l.free_if_closed();
}

// ---- calls about paths

int path_call::begin(fs_request& r) {
  using enum path_verb;
  // The system would see the part before it.
  if (path_.find('\0') != path_.npos || other_.find('\0') != other_.npos) return UV_EINVAL;
  uv_loop_t* l = r.loop();
  uv_fs_t* n = &r.native;
  const char* path = path_.c_str();
  uv_fs_cb done = &fs_request::done;
  switch (verb_) {
    case stat: return uv::fs_stat(l, n, path, done);
    case lstat: return uv::fs_lstat(l, n, path, done);
    case exists: return uv::fs_access(l, n, path, F_OK, done);
    case rename: return uv::fs_rename(l, n, path, other_.c_str(), done);
    case unlink: return uv::fs_unlink(l, n, path, done);
    case mkdir: return uv::fs_mkdir(l, n, path, mode_, done);
    case rmdir: return uv::fs_rmdir(l, n, path, done);
    case symlink: return uv::fs_symlink(l, n, other_.c_str(), path, 0, done);
    case readlink: return uv::fs_readlink(l, n, path, done);
    case realpath: return uv::fs_realpath(l, n, path, done);
    case scandir: return uv::fs_scandir(l, n, path, 0, done);
    case open: return uv::fs_open(l, n, path, flags_, mode_, done);
  }
  return UV_ENOSYS;
}

error path_call::failure() const {
  std::string about = path_;
  if (verb_ == path_verb::rename) about += " to " + other_;
  else if (verb_ == path_verb::symlink) about += " to " + other_;
  return uv_error(static_cast<int>(status_), name_of(verb_), about);
}

void path_call::visit(visitor& v) { v.about(path_); }

}  // namespace detail

result<void> path_awaiter::await_result() {
  if (status_ < 0) return failure();
  return {};
}

result<file_status> stat_awaiter::await_result() {
  if (status_ < 0) return failure();
  return detail::status_of(request_->native.statbuf);
}

// ENOTDIR: something on the way is a file.
bool exists_awaiter::await_must_resume() const noexcept {
  return status_ >= 0 || status_ == UV_ENOENT || status_ == UV_ENOTDIR;
}

result<bool> exists_awaiter::await_result() {
  if (!await_must_resume()) return failure();
  return status_ >= 0;
}

result<std::string> path_text_awaiter::await_result() {
  if (status_ < 0) return failure();
  return std::string(static_cast<const char*>(request_->native.ptr));
}

result<std::vector<directory_entry>> scandir_awaiter::await_result() {
  if (status_ < 0) return failure();
  std::vector<directory_entry> all;
  all.reserve(static_cast<std::size_t>(status_));
  uv_dirent_t entry;
  while (uv_fs_scandir_next(&request_->native, &entry) == 0)
    all.push_back({entry.name, type_of(entry.type)});
  return all;
}

}  // namespace cuvee::inline v0
