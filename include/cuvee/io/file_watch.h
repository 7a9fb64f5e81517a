// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/result.h>
#include <cuvee/core/time.h>
#include <cuvee/core/visitor.h>
#include <cuvee/core/waiter.h>

#include <chrono>
#include <string>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {
class watch_block;
}

/// What happened to a name, several events in one.
struct file_change {
  std::string path;      ///< as the watched path was written
  bool renamed = false;  ///< it appeared, went away, or names another file now
  bool written = false;  ///< content or status changed
  bool lost = false;  ///< more happened than was kept: `path` is the watched one, look at all of it
};

class CUVEE_API change_awaiter {
 public:
  explicit change_awaiter(detail::watch_block& block) noexcept : block_(&block) {}
  change_awaiter(change_awaiter&& other) noexcept : block_(other.block_) {}  // before it starts
  ~change_awaiter();
  bool await_ready() noexcept;
  void await_suspend(waiter& w) noexcept;
  bool await_cancel(waiter&) noexcept;
  file_change await_resume() { return await_result().value(); }
  result<file_change> await_result();
  void visit(detail::visitor& v);

 private:
  friend detail::watch_block;
  detail::watch_block* block_;
  waiter* waiter_ = nullptr;
  bool busy_ = false;
  bool registered_ = false;  // the block knows of this one, which may otherwise outlive it
};

/// Changes in a directory, or of one name in it. Made by `files::watch`. Move-only; the destructor stops it.
class CUVEE_API file_watcher {
 public:
  explicit file_watcher(detail::watch_block* block) noexcept : block_(block) {}
  file_watcher(file_watcher&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  file_watcher& operator=(file_watcher&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~file_watcher();

  /// The next change, of which up to 1024 are kept.
  /// Errors: no_such_file_or_directory when the directory is gone; closed; busy while another task waits.
  /// Cancel: safe, no change is lost.
  [[nodiscard]] change_awaiter next() { return change_awaiter(*block_); }
  /// Stops it: who waits gets `closed`.
  void close();

 private:
  detail::watch_block* block_;
};

namespace files {

/// Watches a directory: every name in it, not those further below. For any other path it watches that name, there or
/// not, in its directory; so files that are replaced by a rename, as editors and log rotation do, go on
/// being seen. A symlink is such a name: what it leads to is not watched.
/// `debounce`: a change is told when its directory was quiet for so long, or after ten times that; changes of
/// one name until then are one. Zero: each event at once.
/// Errors: those of the system. libuv does not tell when the kernel's own queue (16,384 events) overflows.
[[nodiscard]] CUVEE_API file_watcher watch(std::string path,
                                           duration debounce = std::chrono::milliseconds(50));

}  // namespace files
}  // namespace cuvee::inline v0
