// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/list.h>
#include <cuvee/base/result.h>
#include <cuvee/core/waiter.h>

#include <string_view>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {

class stream_block;

/// Someone waiting for bytes of a stream.
struct stream_reader {
  waiter* waiter_ = nullptr;
  mutable_bytes into;    // where they shall be put; empty: into the stream's window
  std::size_t size = 0;  // how many were put there
  bool (*ready)(stream_reader&) = nullptr;  // if set, looks at the window; false: wait for more
};

/// Someone writing; one at a time.
struct stream_writer {
  static constexpr std::size_t most_spans = 4;  // libuv allocates beyond

  waiter* waiter_ = nullptr;
  const_bytes spans[most_spans];  // what is left
  std::size_t count = 0;
  int status = 0;

  void advance(std::size_t written) noexcept;
  bool done() const noexcept { return count == 0; }
};

}  // namespace detail

class CUVEE_API read_awaiter : detail::stream_reader {
 public:
  read_awaiter(detail::stream_block& block, mutable_bytes to) noexcept : block_(&block) {
    into = to;
  }
  bool await_ready();
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  std::size_t await_resume();
  result<std::size_t> await_result();
  void visit(detail::visitor& v);

 private:
  detail::stream_block* block_;
  int status_ = 0;
};

class CUVEE_API fill_awaiter : detail::stream_reader {
 public:
  explicit fill_awaiter(detail::stream_block& block) noexcept : block_(&block) {}
  bool await_ready() noexcept;
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  bool await_resume() { return await_result().value(); }
  result<bool> await_result();

 private:
  detail::stream_block* block_;
  std::size_t before_ = 0;
  int status_ = 0;
};

class CUVEE_API write_awaiter : detail::stream_writer {
 public:
  template <class... Bytes>
  explicit write_awaiter(detail::stream_block& block, const Bytes&... bytes) noexcept
      : block_(&block) {
    ((spans[count] = bytes, count += !bytes.empty()), ...);
  }
  bool await_ready();
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&);
  bool await_must_resume() const noexcept { return status == 0; }
  void await_resume();
  result<void> await_result();
  void visit(detail::visitor& v);

 private:
  detail::stream_block* block_;
};

class CUVEE_API shutdown_awaiter {
 public:
  explicit shutdown_awaiter(detail::stream_block& block) noexcept : block_(&block) {}
  bool await_ready();
  bool await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept;
  void await_resume() noexcept {}
  void visit(detail::visitor& v);

 private:
  detail::stream_block* block_;
};

class CUVEE_API close_awaiter : detail::list_node {
 public:
  explicit close_awaiter(detail::stream_block* block) noexcept : block_(block) {}
  close_awaiter(close_awaiter&& other) noexcept : block_(other.block_) {}
  bool await_early_cancel() noexcept { return false; }
  bool await_ready() const noexcept;
  void await_suspend(waiter& w);
  bool await_cancel(waiter&) noexcept { return false; }
  void await_resume() noexcept {}
  void visit(detail::visitor& v);

 private:
  friend detail::stream_block;
  friend detail::list<close_awaiter>;
  detail::stream_block* block_;
  waiter* waiter_ = nullptr;
};

/// A stream of bytes, whatever carries it: TCP, a pipe, the process's memory. Move-only; the destructor starts
/// closing and never blocks.
class CUVEE_API stream {
 public:
  explicit stream(detail::stream_block* block) noexcept : block_(block) {}
  stream(stream&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  stream& operator=(stream&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~stream();

  /// Reads between 1 and `into.size()` bytes. Returns: how many; 0 when the peer finished sending.
  /// Errors: what the system reports, `connection_reset` say; closed if this stream is closed meanwhile; busy
  /// if another read is pending. Cancel: safe, no byte is consumed.
  [[nodiscard]] read_awaiter read_some(mutable_bytes into) { return {*block_, into}; }

  /// Waits until there are bytes in the window that were not there before. Returns: whether there
  /// are; false when the peer finished sending.
  /// Errors: those of `read_some`; limit_exceeded while the window holds 64 KiB already.
  /// Cancel: safe.
  [[nodiscard]] fill_awaiter fill() { return fill_awaiter(*block_); }
  /// Bytes that have come and that nobody has read. Lifetime: until the next `co_await` of anything.
  std::string_view window() const noexcept;
  /// Reads the first `n` bytes of the window, which has as many.
  void consume(std::size_t n);

  /// Writes all the bytes of up to four ranges, in order; returns when the system has taken the last one.
  /// Errors: `broken_pipe`, `connection_reset`, closed, busy. Cancel: partial; the stream is closed.
  template <class... Bytes>
    requires(sizeof...(Bytes) <= detail::stream_writer::most_spans &&
             (std::is_convertible_v<const Bytes&, const_bytes> && ...))
  [[nodiscard]] write_awaiter write(const Bytes&... bytes) {
    return write_awaiter(*block_, const_bytes(bytes)...);
  }

  /// Half close: the peer sees the end of the stream, reading goes on. Twice is harmless.
  /// Cancel: safe; the half close happens all the same.
  [[nodiscard]] shutdown_awaiter shutdown_write() { return shutdown_awaiter(*block_); }

  /// Closes and waits until the handle is gone; several tasks may. Cancel: shielded.
  [[nodiscard]] close_awaiter close() { return close_awaiter(block_); }

  /// Closes without regard for data in flight; a TCP peer sees a reset.
  void abort();

  bool is_open() const noexcept;
  /// What it is made of, for this library's own use.
  detail::stream_block& native() noexcept { return *block_; }

 protected:
  detail::stream_block* block_;
};

}  // namespace cuvee::inline v0
