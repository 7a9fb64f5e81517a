// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/visitor.h>
#include <cuvee/core/waiter.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

enum class file_type : unsigned char {
  unknown,
  regular,
  directory,
  symlink,
  fifo,
  socket,
  character_device,
  block_device,
};

/// What `stat` tells of a file.
struct file_status {
  file_type type = file_type::unknown;
  std::uint64_t size = 0;    ///< bytes
  unsigned permissions = 0;  ///< 0644 say, with set-id and sticky bits
  std::uint32_t owner = 0, group = 0;
  std::uint64_t device = 0, inode = 0, links = 0;
  std::int64_t modified_ns = 0, changed_ns = 0, accessed_ns = 0;  ///< since 1970

  /// Both are of the same file, under whatever names.
  bool same_file(const file_status& other) const noexcept {
    return device == other.device && inode == other.inode;
  }
};

struct directory_entry {
  std::string name;  ///< without the directory's path
  file_type type = file_type::unknown;
};

namespace detail {

struct fs_request;

/// A call to the file system, made by a thread of libuv's pool. Cancelled in the queue it does not happen;
/// once begun it is waited for, and if it succeeds, that wins.
class CUVEE_API fs_call {
 public:
  bool await_ready() const noexcept { return false; }
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  bool await_must_resume() const noexcept { return status_ >= 0; }

 protected:
  fs_call() noexcept = default;
  fs_call(fs_call&&) noexcept {}  // before it starts
  ~fs_call();

  /// Hands the call to libuv. Returns: a status.
  virtual int begin(fs_request& r) = 0;
  /// libuv is done. Returns: a status of `begin` where there is more to do, else `finished`.
  virtual int arrived(std::int64_t result);
  static constexpr int finished = 1;

  bool cancelled() const noexcept { return cancelled_; }

  std::int64_t status_ = 0;  // negative: failed
  fs_request* request_ = nullptr;

 private:
  friend fs_request;
  waiter* waiter_ = nullptr;
  bool cancelled_ = false;
};

enum class path_verb : unsigned char {
  stat,
  lstat,
  exists,
  rename,
  unlink,
  mkdir,
  rmdir,
  symlink,
  readlink,
  realpath,
  scandir,
  open,
};

/// A call about a path, or two.
class CUVEE_API path_call : public fs_call {
 public:
  path_call(path_verb verb, std::string path, std::string other = {}, int flags = 0,
            int mode = 0) noexcept
      : path_(std::move(path)), other_(std::move(other)), flags_(flags), mode_(mode), verb_(verb) {}
  void visit(visitor& v);

 protected:
  path_call(path_call&&) noexcept = default;
  ~path_call() = default;

  int begin(fs_request& r) override;
  error failure() const;

  std::string path_, other_;
  int flags_, mode_;
  path_verb verb_;
};

}  // namespace detail

class CUVEE_API path_awaiter final : public detail::path_call {
 public:
  using path_call::path_call;
  void await_resume() { await_result().value(); }
  result<void> await_result();
};

class CUVEE_API stat_awaiter final : public detail::path_call {
 public:
  using path_call::path_call;
  file_status await_resume() { return await_result().value(); }
  result<file_status> await_result();
};

class CUVEE_API exists_awaiter final : public detail::path_call {
 public:
  using path_call::path_call;
  bool await_must_resume() const noexcept;
  bool await_resume() { return await_result().value(); }
  result<bool> await_result();
};

class CUVEE_API path_text_awaiter final : public detail::path_call {
 public:
  using path_call::path_call;
  std::string await_resume() { return await_result().value(); }
  result<std::string> await_result();
};

class CUVEE_API scandir_awaiter final : public detail::path_call {
 public:
  using path_call::path_call;
  std::vector<directory_entry> await_resume() { return await_result().value(); }
  result<std::vector<directory_entry>> await_result();
};

}  // namespace cuvee::inline v0
