// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/io/file.h>

namespace cuvee::inline v0 {

namespace detail {
class temp_block;
}

/// A name in the file system that goes with its owner, and with the loop at the latest: the destructor starts the
/// removal and never blocks. What cannot be removed there is left in silence; `remove` tells.
class CUVEE_API temp_path {
 public:
  explicit temp_path(detail::temp_block* block) noexcept : block_(block) {}
  temp_path(temp_path&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  temp_path& operator=(temp_path&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~temp_path();

  /// Precondition: not moved from.
  const std::string& path() const noexcept;
  /// Removes it now, a directory with all that is in it. Cancel: shielded.
  [[nodiscard]] fs_close_awaiter remove();
  /// It stays.
  void keep() noexcept;

 private:
  detail::temp_block* block_;
};

/// A file that is open for reading and writing and goes with its owner.
struct temp_file {
  temp_path name;
  file content;

  temp_file(temp_path n, file f) noexcept : name(std::move(n)), content(std::move(f)) {}
};

/// The system's directory for such things: $TMPDIR, else /tmp.
CUVEE_API std::string temp_directory_path();

/// Makes a file that only the user may read, with a name of 96 random bits. Cancel: safe.
[[nodiscard]] CUVEE_API task<temp_file> make_temp_file(
    std::string directory = temp_directory_path());
/// The same for a directory. Cancel: safe.
[[nodiscard]] CUVEE_API task<temp_path> make_temp_directory(
    std::string directory = temp_directory_path());

}  // namespace cuvee::inline v0
