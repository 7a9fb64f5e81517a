// SPDX-License-Identifier: MIT
// Whole files: read, written, copied.
#include "file_block.h"
#include "temp_block.h"
#include "uv_error.h"

#include <cuvee/core/as_result.h>
#include <cuvee/core/shield.h>
#include <cuvee/io/files.h>
#include <cuvee/io/temp_file.h>

#include <algorithm>
#include <optional>

namespace cuvee::inline v0 {

namespace {

constexpr std::size_t first_read_bytes = 4096;
constexpr std::size_t copy_piece_bytes = std::size_t{8} << 20;

}  // namespace

task<std::string> read_file(std::string path, std::size_t limit_bytes) {
  file f = co_await open_file(path);
  file_status status = co_await f.stat();
  bool too_big = status.type == file_type::regular && status.size > limit_bytes;
  std::string all;
  std::size_t filled = 0;
  while (!too_big) {
    // One byte more than it should have tells the end, or that there is more than the limit.
    std::size_t room = std::max({status.size + 1, filled * 2, first_read_bytes});
    if (filled == all.size()) all.resize(std::min<std::uint64_t>(room - 1, limit_bytes) + 1);
    mutable_bytes rest(all.data() + filled, all.size() - filled);
    std::size_t n = co_await f.read_some(rest);
    if (n == 0) break;
    filled += n;
    too_big = filled > limit_bytes;
  }
  if (too_big) throw error(errc::limit_exceeded, "read", path);
  all.resize(filled);
  co_return all;
}

// ---- writing

namespace {

task<> write_in_place(std::string path, const_bytes bytes, unsigned permissions) {
  open_mode how = open_mode::write | open_mode::create | open_mode::truncate;
  file f = co_await open_file(std::move(path), how, permissions);
  co_await f.write(bytes);
  co_await f.close();
}

std::string directory_of(const std::string& path) {
  std::size_t slash = path.find_last_of('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// What `write_file` replaces.
struct target {
  std::string path;
  std::optional<file_status> old;
};

task<target> find_target(std::string path) {
  target t{std::move(path), std::nullopt};
  auto there = co_await as_result(files::lstat(t.path));
  if (!there && there.error().code() == std::errc::no_such_file_or_directory) co_return t;
  if (!there) throw error(there.error());
  if (there->type == file_type::symlink) {
    t.path = co_await files::realpath(t.path);
    t.old = co_await files::stat(t.path);
  } else {
    t.old = *there;
  }
  if (t.old->type != file_type::regular)
    throw error(std::make_error_code(std::errc::invalid_argument), "write", t.path,
                "not a regular file");
  co_return t;
}

task<> keep_status(file& f, const file_status& old) {
  file_status fresh = co_await f.stat();
  unsigned permissions = old.permissions;
  if (fresh.owner != old.owner || fresh.group != old.group) {
    auto changed = co_await as_result(f.set_owner(old.owner, old.group));
    if (!changed) permissions &= 0777;  // set-id bits would be another user's
  }
  co_await f.set_permissions(permissions);
}

task<> sync_directory(std::string path) {
  file directory = co_await open_file(std::move(path));
  auto synced = co_await as_result(directory.sync());
  // Some file systems know no such thing for directories.
  if (!synced && synced.error().code() != std::errc::invalid_argument) throw error(synced.error());
}

task<> put_in_place(temp_file& temp, const target& t, const_bytes bytes) {
  co_await temp.content.write(bytes);
  if (t.old) co_await keep_status(temp.content, *t.old);
  co_await temp.content.sync();
  co_await temp.content.close();
  co_await files::rename(temp.name.path(), t.path);
  temp.name.keep();
}

task<> replace(const target& t, const_bytes bytes, unsigned permissions) {
  std::string directory = directory_of(t.path);
  // Nobody else may look in before it has the permissions of the old one.
  unsigned first = t.old ? 0600 : permissions;
  temp_file temp = co_await detail::make_temp_file_with(directory, first);
  auto done = co_await as_result(put_in_place(temp, t, bytes));
  if (!done) {
    auto removed = co_await as_result(temp.name.remove());  // before anyone hears of the failure
    (void)removed;
    throw error(done.error());
  }
  co_await shield(sync_directory(std::move(directory)));  // it has happened: no cancel may deny it
}

task<> write_atomically(std::string path, const_bytes bytes, unsigned permissions) {
  target t = co_await find_target(std::move(path));
  try {
    co_await replace(t, bytes, permissions);
  } catch (const error& e) {
    throw error(e.code(), "write", t.path);  // not of a name that nobody has given
  }
}

}  // namespace

task<> write_file(std::string path, const_bytes bytes, write_mode mode, unsigned permissions) {
  if (mode == write_mode::atomic) return write_atomically(std::move(path), bytes, permissions);
  return write_in_place(std::move(path), bytes, permissions);
}

// ---- copying

namespace {

/// Moves bytes from one file to the position of another, within the kernel where it can.
class copy_awaiter final : public detail::file_call {
 public:
  copy_awaiter(file& from, std::uint64_t offset, file& to) noexcept
      : file_call(to.native(), detail::file_verb::write), from_(&from.native()), offset_(offset) {}
  std::int64_t await_resume() {
    if (status_ < 0)
      throw detail::uv_error(static_cast<int>(status_), "copy",
                             from_->path() + " to " + block_->path());
    return status_;
  }

 private:
  int submit(detail::fs_request& r) override {
    int e = detail::uv::fs_sendfile(r.loop(), &r.native, block_->descriptor(), from_->descriptor(),
                                    static_cast<std::int64_t>(offset_), copy_piece_bytes,
                                    &detail::fs_request::done);
    if (e == 0) from_->call_begins();
    return e;
  }
  int arrived(std::int64_t result) override {
    from_->call_ends();
    return file_call::arrived(result);
  }

  detail::file_block* from_;
  std::uint64_t offset_;
};

}  // namespace

task<std::uint64_t> files::copy(std::string from, std::string to, existing how) {
  file source = co_await open_file(from);
  file_status status = co_await source.stat();
  if (status.type == file_type::directory)
    throw error(std::make_error_code(std::errc::is_a_directory), "copy", from);
  // Cut only when it is known not to be the source itself.
  open_mode mode = open_mode::write | open_mode::create;
  if (how == existing::fail) mode = mode | open_mode::exclusive;
  file target = co_await open_file(to, mode, status.permissions & 0777);
  file_status there = co_await target.stat();
  if (there.same_file(status))
    throw error(std::make_error_code(std::errc::invalid_argument), "copy", from, "onto itself");
  if (there.size != 0) co_await target.truncate(0);
  std::uint64_t copied = 0;
  while (std::int64_t n = co_await copy_awaiter(source, copied, target))
    copied += static_cast<std::uint64_t>(n);
  co_await target.set_permissions(status.permissions & 0777);
  co_await target.close();
  co_return copied;
}

}  // namespace cuvee::inline v0
