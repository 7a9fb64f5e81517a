// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>
#include <cuvee/core/task.h>
#include <cuvee/io/stream.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cuvee::inline v0 {

/// A `buffered_reader` got less than was asked for (code: end_of_stream) or more than was allowed
/// (limit_exceeded). What it got is in `partial` and counts as read.
class CUVEE_API incomplete_read_error : public error {
 public:
  incomplete_read_error(errc code, std::string_view operation, std::string_view from,
                        std::string partial);
  ~incomplete_read_error() override;

  /// What was read; after limit_exceeded as many bytes as the limit says.
  const std::string& partial() const noexcept { return *partial_; }

 private:
  std::shared_ptr<const std::string> partial_;  // shared, as copies of exceptions must not throw
};

/// Reads lines, records and other wholes from a stream. What lies whole in the stream's window is read
/// from there; only a piece whose rest has not come yet is kept here, so that a cancelled call loses
/// nothing: the next one, whichever it is, begins with those bytes. A limit that is passed by is no
/// dead end either: the next call goes on behind `partial`.
///
/// Lifetime: the stream outlives the reader and is not moved. Whoever reads from the stream directly
/// misses what the reader keeps, `kept()`, which is empty after a call that was not cancelled and did
/// not fail.
class CUVEE_API buffered_reader {
 public:
  static constexpr std::size_t default_limit_bytes = 64 * 1024;

  explicit buffered_reader(stream& from) noexcept : stream_(&from) {}
  buffered_reader(buffered_reader&&) noexcept = default;
  buffered_reader& operator=(buffered_reader&&) noexcept = default;

  /// Between 1 and `into.size()` bytes; 0 at the end of the stream.
  /// Errors: those of `stream::read_some`. Cancel: safe.
  [[nodiscard]] task<std::size_t> read_some(mutable_bytes into);

  /// Exactly `size` bytes. Memory grows with what comes, not with what is asked for.
  /// Errors: incomplete_read_error; those of `stream::read_some`. Cancel: safe.
  [[nodiscard]] task<std::string> read_exact(std::size_t size);
  /// Fills `into`.
  [[nodiscard]] task<> read_exact(mutable_bytes into);

  /// Everything up to and with the separator that ends first.
  /// Errors: incomplete_read_error, where the stream ends first, or with more than `limit_bytes` in
  /// front of the separator; invalid_argument for an empty separator, or none; those of `stream::read_some`.
  /// Cancel: safe.
  [[nodiscard]] task<std::string> read_until(std::string separator,
                                             std::size_t limit_bytes = default_limit_bytes);
  [[nodiscard]] task<std::string> read_until(std::vector<std::string> separators,
                                             std::size_t limit_bytes = default_limit_bytes);

  /// A line without its end, `\n` or `\r\n`; nothing at the end of the stream. The last line needs no
  /// end. Errors: incomplete_read_error for a line of more than `limit_bytes`; those of
  /// `stream::read_some`. Cancel: safe.
  [[nodiscard]] task<std::optional<std::string>> read_line(
      std::size_t limit_bytes = default_limit_bytes);

  /// Everything up to the end. Errors: incomplete_read_error with more than `limit_bytes`; those of
  /// `stream::read_some`. Cancel: safe.
  [[nodiscard]] task<std::string> read_all(std::size_t limit_bytes);

  std::string_view kept() const noexcept { return kept_; }

 private:
  struct found;
  class pass;
  enum class end_of : bool { record, line };
  task<found> search(const char* operation, std::vector<std::string> separators,
                     std::size_t limit_bytes, end_of e);
  task<bool> more();
  std::string take_kept(std::size_t n);
  std::string take(std::size_t n);

  stream* stream_;
  std::string kept_;
};

/// `copy` has failed: what failed it is told as by `read_some` or `write`.
class CUVEE_API copy_error : public error {
 public:
  copy_error(const error& cause, std::uint64_t copied);
  ~copy_error() override;

  /// How many bytes were written before; of the write that failed, some may have gone out beyond these.
  std::uint64_t copied() const noexcept { return copied_; }

 private:
  std::uint64_t copied_;
};

/// For `copy`.
struct copy_options {
  std::uint64_t limit_bytes = std::numeric_limits<std::uint64_t>::max();  ///< then it stops
};
static_assert(std::is_trivially_destructible_v<copy_options>);

/// Writes to `to` what comes from `from`, up to its end, or to the limit; `to` stays open. What the slower
/// side has not taken is not read from the other. `from` and `to` may be one stream. While nothing comes it holds no
/// buffer. Returns: how many bytes.
/// Errors: those of `read_some` and `write`, as a copy_error; bytes that a failing write did not take are gone.
/// Cancel: partial; `to` is closed if it was in a write, else no byte is lost.
CUVEE_API task<std::uint64_t> copy(stream& from, stream& to, copy_options options = {});

}  // namespace cuvee::inline v0
