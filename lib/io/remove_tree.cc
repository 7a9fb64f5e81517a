// SPDX-License-Identifier: MIT
#include "remove_tree.h"

#include <cuvee/base/error.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace cuvee::inline v0::detail {

namespace {

// Below descriptors, not paths: who swaps a directory for a symlink meanwhile leads it nowhere.
class tree_removal {
 public:
  explicit tree_removal(const std::stop_token& stop) noexcept : stop_(stop) {}

  std::uint64_t run(const std::string& path) {
    remove(AT_FDCWD, path.c_str(), path);
    while (!open_.empty()) step();
    return removed_;
  }

 private:
  struct closer {
    void operator()(DIR* d) const noexcept { closedir(d); }
  };
  struct level {
    std::unique_ptr<DIR, closer> directory;
    std::string name;  // within the level above
    std::string path;
  };

  [[noreturn]] static void fail(const std::string& path) {
    throw error(std::error_code(errno, std::generic_category()), "remove", path);
  }

  void remove(int parent, const char* name, const std::string& path) {
    if (stop_.stop_requested()) throw cancelled_error("remove");
    if (unlinkat(parent, name, 0) == 0) return static_cast<void>(removed_++);
    if (errno == ENOENT) return;
    int why = errno;
    if (why != EISDIR && why != EPERM) fail(path);  // EPERM: POSIX's word for a directory
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) errno = why;
    if (fd < 0) fail(path);
    DIR* directory = fdopendir(fd);
    if (!directory) {
      close(fd);
      errno = ENOMEM;
      fail(path);
    }
    std::unique_ptr<DIR, closer> owner(directory);
    open_.push_back({std::move(owner), name, path});
  }

  void step() {
    level& at = open_.back();
    errno = 0;
    if (const dirent* entry = readdir(at.directory.get())) {
      std::string name = entry->d_name;
      if (name != "." && name != "..")
        remove(dirfd(at.directory.get()), name.c_str(), at.path + '/' + name);
      return;
    }
    if (errno != 0) fail(at.path);
    level done = std::move(at);
    open_.pop_back();
    done.directory.reset();
    int parent = open_.empty() ? AT_FDCWD : dirfd(open_.back().directory.get());
    if (unlinkat(parent, done.name.c_str(), AT_REMOVEDIR) == 0) removed_++;
    else if (errno != ENOENT) fail(done.path);
  }

  const std::stop_token& stop_;
  std::vector<level> open_;
  std::uint64_t removed_ = 0;
};

}  // namespace

std::uint64_t remove_tree(const std::string& path, const std::stop_token& stop) {
  return tree_removal(stop).run(path);
}

}  // namespace cuvee::inline v0::detail
