// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/generator.h>
#include <cuvee/core/task.h>
#include <cuvee/io/file.h>

/// The names in the file system. The errors of all name the operation and the path; a path with a NUL byte in it
/// is an invalid_argument. Unless something else is said, cancelled operations did not happen: one that a
/// thread of libuv's pool has begun is waited for, and its success wins.
namespace cuvee::inline v0::files {

/// Follows symlinks. Cancel: safe.
[[nodiscard]] inline stat_awaiter stat(std::string path) {
  return {detail::path_verb::stat, std::move(path)};
}
/// Of a symlink itself. Cancel: safe.
[[nodiscard]] inline stat_awaiter lstat(std::string path) {
  return {detail::path_verb::lstat, std::move(path)};
}
/// Whether there is something that the path leads to; a dangling symlink leads nowhere.
/// Errors: those that leave it open, `permission_denied` say. Cancel: safe.
[[nodiscard]] inline exists_awaiter exists(std::string path) {
  return {detail::path_verb::exists, std::move(path)};
}

/// Replaces what `to` names, at once. Cancel: safe.
[[nodiscard]] inline path_awaiter rename(std::string from, std::string to) {
  return {detail::path_verb::rename, std::move(from), std::move(to)};
}
/// Removes a name that is no directory's. Cancel: safe.
[[nodiscard]] inline path_awaiter unlink(std::string path) {
  return {detail::path_verb::unlink, std::move(path)};
}
/// Makes a directory. Cancel: safe.
[[nodiscard]] inline path_awaiter mkdir(std::string path, unsigned permissions = 0777) {
  return {detail::path_verb::mkdir, std::move(path), {}, 0, static_cast<int>(permissions)};
}
enum class parents { make };
/// Makes a directory and those on the way to it that are missing; one that exists is no error.
/// Cancel: partial, some of them may be made.
[[nodiscard]] CUVEE_API task<> mkdir(std::string path, parents, unsigned permissions = 0777);
/// Removes an empty directory. Cancel: safe.
[[nodiscard]] inline path_awaiter rmdir(std::string path) {
  return {detail::path_verb::rmdir, std::move(path)};
}
/// Removes a file, or a directory with all that is in it; symlinks are removed, never followed.
/// Returns: how many names went; 0 if there was none. Cancel: partial; stops between two names.
/// Threads: `offload`'s.
[[nodiscard]] CUVEE_API task<std::uint64_t> remove_all(std::string path);

/// Makes a symlink at `path` that leads to `target`. Cancel: safe.
[[nodiscard]] inline path_awaiter symlink(std::string target, std::string path) {
  return {detail::path_verb::symlink, std::move(path), std::move(target)};
}
/// What a symlink says. Cancel: safe.
[[nodiscard]] inline path_text_awaiter readlink(std::string path) {
  return {detail::path_verb::readlink, std::move(path)};
}
/// The path from the root, without symlinks and dots. Cancel: safe.
[[nodiscard]] inline path_text_awaiter realpath(std::string path) {
  return {detail::path_verb::realpath, std::move(path)};
}

/// All that is in a directory, by name. Cancel: safe.
[[nodiscard]] inline scandir_awaiter scandir(std::string path) {
  return {detail::path_verb::scandir, std::move(path)};
}

struct walk_entry {
  std::string path;  ///< begins with the path that was given to `walk`
  file_type type = file_type::unknown;
  std::size_t depth = 0;  ///< 0: directly below it
  bool enter = true;      ///< set it to false to leave out what is in this directory
};
enum class unreadable { fail, skip };
/// All that is below a directory, each directory before what is in it, by name. Symlinks are not followed.
/// A directory that goes away meanwhile is left out.
/// Errors: where the directory itself cannot be read; those below by `how`.
[[nodiscard]] CUVEE_API generator<walk_entry> walk(std::string path,
                                                   unreadable how = unreadable::fail);

enum class existing { replace, fail };
/// Copies a file's content and permissions. Threads: libuv's pool, in pieces of 8 MiB, within the kernel.
/// Returns: bytes copied. Errors: those of both files; file_exists with `existing::fail`. Cancel: partial, the copy
/// stays cut.
[[nodiscard]] CUVEE_API task<std::uint64_t> copy(std::string from, std::string to,
                                                 existing how = existing::replace);

}  // namespace cuvee::inline v0::files

namespace cuvee::inline v0 {

/// The whole content of a file, also of one that has no size, such as those below /proc.
/// Errors: limit_exceeded if it is more than `limit_bytes`. Cancel: safe.
[[nodiscard]] CUVEE_API task<std::string> read_file(std::string path, std::size_t limit_bytes);

enum class write_mode {
  /// Opened, cut and written: others may see a part, and after a failure a part is all there is.
  in_place,
  /// Written to a new file in the same directory, which then takes the name: whoever opens it sees the old
  /// content or the new one, also after a crash. Permissions stay, the owner where the process may; a symlink keeps
  /// leading to the file. Access control lists and further links are lost.
  atomic,
};
/// Makes `bytes` the content of a file. `permissions` are those of a file that is created, less the umask.
/// Cancel: `in_place` partial; `atomic` safe.
/// Lifetime: `bytes` until it ends.
[[nodiscard]] CUVEE_API task<> write_file(std::string path, const_bytes bytes,
                                          write_mode mode = write_mode::in_place,
                                          unsigned permissions = 0666);

}  // namespace cuvee::inline v0
