// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/list.h>
#include <cuvee/io/file_call.h>

namespace cuvee::inline v0 {

namespace detail {

class file_block;
class fs_block;

enum class file_verb : unsigned char { read, write, truncate, sync, sync_data, chmod, chown, stat };

/// A call about an open file, which is not closed under it.
class CUVEE_API file_call : public fs_call {
 public:
  file_call(file_block& block, file_verb verb, std::int64_t number = 0,
            std::int64_t other = 0) noexcept
      : block_(&block), number_(number), other_(other), verb_(verb) {}
  void visit(visitor& v);

 protected:
  static constexpr std::int64_t at_position = -1;

  file_call(file_call&&) noexcept = default;
  ~file_call() = default;

  int begin(fs_request& r) override;
  int arrived(std::int64_t result) override;
  error failure() const;

  file_block* block_;
  std::int64_t number_;  // an offset, or what the verb takes
  std::int64_t other_;
  file_verb verb_;

 private:
  virtual int submit(fs_request& r);
  bool moves_position() const noexcept {
    return verb_ <= file_verb::write && number_ == at_position;
  }
};

}  // namespace detail

/// Bits, to be joined by `|`.
enum class open_mode : unsigned {
  read = 1,
  write = 2,
  append = 4,      ///< each write goes to the end; implies `write`
  create = 8,      ///< if there is none; with `write` or `append` only, as is `truncate`
  truncate = 16,   ///< what is there is dropped
  exclusive = 32,  ///< with `create`: an error if there is one, be it a dangling symlink
};
constexpr open_mode operator|(open_mode a, open_mode b) noexcept {
  return static_cast<open_mode>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool operator&(open_mode a, open_mode b) noexcept {
  return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0;
}

class CUVEE_API file_awaiter final : public detail::file_call {
 public:
  using file_call::file_call;
  void await_resume() { await_result().value(); }
  result<void> await_result();
};

class CUVEE_API file_stat_awaiter final : public detail::file_call {
 public:
  using file_call::file_call;
  file_status await_resume() { return await_result().value(); }
  result<file_status> await_result();
};

class CUVEE_API file_read_awaiter final : public detail::file_call {
 public:
  file_read_awaiter(detail::file_block& block, mutable_bytes into,
                    std::int64_t offset = at_position) noexcept
      : file_call(block, detail::file_verb::read, offset), into_(into) {}
  std::size_t await_resume() { return await_result().value(); }
  result<std::size_t> await_result();

 private:
  int submit(detail::fs_request& r) override;
  mutable_bytes into_;
};

class CUVEE_API file_write_awaiter final : public detail::file_call {
 public:
  file_write_awaiter(detail::file_block& block, const_bytes bytes,
                     std::int64_t offset = at_position) noexcept
      : file_call(block, detail::file_verb::write, offset), left_(bytes) {}
  bool await_must_resume() const noexcept { return status_ >= 0 && left_.empty(); }
  void await_resume() { await_result().value(); }
  result<void> await_result();

 private:
  int submit(detail::fs_request& r) override;
  int arrived(std::int64_t result) override;
  const_bytes left_;
};

class CUVEE_API fs_close_awaiter : detail::list_node {
 public:
  fs_close_awaiter(detail::fs_block* block, const char* operation) noexcept
      : block_(block), operation_(operation) {}
  fs_close_awaiter(fs_close_awaiter&& other) noexcept
      : block_(other.block_), operation_(other.operation_) {}
  bool await_early_cancel() const noexcept { return false; }
  bool await_ready() const noexcept;
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) const noexcept { return false; }
  void await_resume() { await_result().value(); }
  result<void> await_result();
  void visit(detail::visitor& v);

 private:
  friend detail::fs_block;
  friend detail::list<fs_close_awaiter>;
  detail::fs_block* block_;
  const char* operation_;
  waiter* waiter_ = nullptr;
};

/// An open file. Move-only; the destructor starts closing and never blocks, and what is in flight ends before.
/// Every call runs on libuv's pool of threads (four by default): a call that the system holds up, such as
/// reading a FIFO, holds up one of them, and a cancel waits for it.
/// Errors of all: closed; what the system reports, with operation and path.
class CUVEE_API file {
 public:
  explicit file(detail::file_block* block) noexcept : block_(block) {}
  file(file&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  file& operator=(file&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~file();

  /// Reads up to `into.size()` bytes at the file's position. Returns: how many; 0 at the end.
  /// Errors: busy while another call moves the position. Cancel: safe, the position has not moved.
  [[nodiscard]] file_read_awaiter read_some(mutable_bytes into) { return {*block_, into}; }
  /// The same at an offset; the position stays. Cancel: safe.
  [[nodiscard]] file_read_awaiter read_some_at(std::uint64_t offset, mutable_bytes into) {
    return {*block_, into, signed_offset(offset)};
  }

  /// Writes all bytes at the file's position, or to the end of a file opened with `append`.
  /// Errors: busy while another call moves the position; after an error a part may be written.
  /// Cancel: partial, in pieces of 4 MiB: what has begun ends, nothing else begins. Up to 4 MiB are
  /// written as a whole or, if the cancel came before a thread was free, not at all.
  [[nodiscard]] file_write_awaiter write(const_bytes bytes) { return {*block_, bytes}; }
  /// The same at an offset; the position stays.
  [[nodiscard]] file_write_awaiter write_at(std::uint64_t offset, const_bytes bytes) {
    return {*block_, bytes, signed_offset(offset)};
  }

  /// Cuts the file, or extends it with zeros. Cancel: safe.
  [[nodiscard]] file_awaiter truncate(std::uint64_t size_bytes) {
    return {*block_, detail::file_verb::truncate, signed_offset(size_bytes)};
  }
  /// Waits until content and status are on the disk. Cancel: safe.
  [[nodiscard]] file_awaiter sync() { return {*block_, detail::file_verb::sync}; }
  /// The same for the content and what is needed to read it. Cancel: safe.
  [[nodiscard]] file_awaiter sync_data() { return {*block_, detail::file_verb::sync_data}; }
  /// Cancel: safe.
  [[nodiscard]] file_awaiter set_permissions(unsigned permissions) {
    return {*block_, detail::file_verb::chmod, permissions};
  }
  /// Cancel: safe.
  [[nodiscard]] file_awaiter set_owner(std::uint32_t owner, std::uint32_t group) {
    return {*block_, detail::file_verb::chown, owner, group};
  }
  /// Cancel: safe.
  [[nodiscard]] file_stat_awaiter stat() { return {*block_, detail::file_verb::stat}; }

  /// Closes, after the calls that are in flight, and waits for it; several tasks may.
  /// Errors: what the system could not write, on some file systems. Cancel: shielded.
  [[nodiscard]] fs_close_awaiter close();

  bool is_open() const noexcept;
  /// As it was opened. Precondition: not moved from.
  const std::string& path() const noexcept;
  /// What it is made of, for this library's own use.
  detail::file_block& native() const noexcept { return *block_; }

 private:
  // An offset beyond what the system has is refused by it, as negative ones are.
  static std::int64_t signed_offset(std::uint64_t n) noexcept;

  detail::file_block* block_;
};

class CUVEE_API open_awaiter final : public detail::path_call {
 public:
  open_awaiter(std::string path, open_mode how, unsigned permissions) noexcept;
  open_awaiter(open_awaiter&& other) noexcept = default;
  ~open_awaiter();
  file await_resume() { return await_result().value(); }
  result<file> await_result();

 private:
  int begin(detail::fs_request& r) override;
  int arrived(std::int64_t result) override;
  detail::file_block* block_ = nullptr;
};

/// Opens a file. `permissions` are those of a file that is created, less the process's umask.
/// Errors: invalid_argument for a mode that neither reads nor writes, or creates or truncates without
/// writing. Cancel: safe; a file that it opened all the
/// same is closed, but one that it created stays if the thread had begun.
[[nodiscard]] inline open_awaiter open_file(std::string path, open_mode how = open_mode::read,
                                            unsigned permissions = 0666) {
  return {std::move(path), how, permissions};
}

}  // namespace cuvee::inline v0
