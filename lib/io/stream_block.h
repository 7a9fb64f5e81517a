// SPDX-License-Identifier: MIT
#pragma once
#include "big_blocks.h"
#include "core/handle_block.h"
#include "core/loop_state.h"

#include <cuvee/base/bytes.h>
#include <cuvee/core/frame_pool.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/stream.h>

#include <string>
#include <string_view>

namespace cuvee::inline v0::detail {

/// A TCP socket or a pipe, with a read window and output that is written once a turn.
///
/// Reading: once armed it stays armed (stopping and starting again costs two `epoll_ctl`). Bytes land in
/// the waiting reader's span, else in the loop's slab, and are the window until the read callback that
/// brought them returns; what is unconsumed then moves to the block's own buffer: 4 KiB, then 64 KiB,
/// and when that is full reading stops.
class stream_block : public handle_block, turn_end, public pooled {
 public:
  static constexpr std::size_t window_limit = 64 * 1024;
  static constexpr std::size_t largest_reserve = 12 * 1024;

  explicit stream_block(loop_state& l);
  ~stream_block() override;
  static stream_block* make_tcp(loop_state& l);
  static stream_block* make_pipe(loop_state& l);

  uv_stream_t* stream() noexcept { return &native_.stream; }
  uv_tcp_t* tcp() noexcept { return &native_.tcp; }
  uv_pipe_t* pipe() noexcept { return &native_.pipe; }

  // Reading.
  std::string_view window() const noexcept { return {window_, window_size_}; }
  void consume(std::size_t n) {
    window_ += n;
    window_size_ -= n;
    if (window_size_ != 0) return;
    place_ = place::none;
    if (own_ || !reading_) [[unlikely]]
      emptied();
  }
  bool finished() const noexcept { return eof_ || read_error_ != 0 || closing(); }
  bool at_eof() const noexcept { return eof_; }
  int read_error() const noexcept { return read_error_; }
  int write_error() const noexcept { return write_error_; }
  bool has_reader() const noexcept { return reader_ != nullptr; }
  void await_bytes(stream_reader& r) {
    reader_ = &r;
    if (!reading_) [[unlikely]]
      arm();
  }
  void forget_reader() noexcept { reader_ = nullptr; }
  /// Copies an unconsumed window away from memory that is not the block's.
  void settle() {
    if (place_ == place::borrowed && window_size_ != 0) keep_window();
  }

  // Writing. Output appended in a turn goes out at its end.
  char* reserve(std::size_t n);
  void commit(std::size_t n) noexcept { output_->length += static_cast<std::uint32_t>(n); }
  void append(std::string_view bytes);
  void flush();
  /// Bytes that the peer has not acknowledged yet; falls as it takes them.
  std::size_t unsent() const noexcept;
  std::size_t in_flight() const noexcept { return in_flight_; }
  bool has_writer() const noexcept { return writer_ != nullptr; }
  /// Writes queued output and the spans of `w` as far as the socket takes them at once.
  /// Returns: whether that was all or failed (`w.status`).
  bool try_write(stream_writer& w);
  /// Hands what is left to libuv; the waiter completes. Returns: false if it failed at once.
  bool start_write(stream_writer& w);
  /// Calls `w` when at most `limit` bytes are in flight, or the stream has failed.
  void await_drained(waiter& w, std::size_t limit) noexcept;
  void forget_drain() noexcept { drain_waiter_ = nullptr; }
  bool drained(std::size_t limit) const noexcept {
    return write_error_ != 0 || closing() || in_flight_ <= limit;
  }
  /// Half close, once output is out. Returns: a status; `w` completes if it is 0.
  int start_shutdown(waiter& w);
  void forget_shutdown() noexcept { shutdown_waiter_ = nullptr; }
  bool shut() const noexcept { return shut_; }

  /// Reading ends with this error; wakes the reader.
  void fail_read(int status);
  /// The deadline of whoever uses the stream has passed: reading ends.
  void time_out();
  /// Whoever uses the stream wants no more: reading ends, what was written still goes out.
  void stop_reading() { fail_read(UV_ECANCELED); }
  /// Takes back `time_out` and `stop_reading`: bytes can be awaited again.
  void resume_reading() noexcept;
  bool timed_out() const noexcept { return timed_out_; }
  /// A write was given up half-way: the stream is unusable and closes.
  void break_off();
  /// Closes with a reset where the stream is TCP.
  void abort();
  void await_closed(close_awaiter& a) noexcept { closers_.push_back(a); }

  /// For error texts: the peer, or what the stream is.
  std::string name();
  /// For the task tree: with the kind of stream.
  std::string label();
  void set_name(std::string name) { name_ = std::move(name); }
  endpoint peer();

 private:
  struct output_block {
    static constexpr std::size_t bytes = 16 * 1024;
    uv_write_t request;
    stream_block* stream;
    std::uint32_t length, sent;
    static constexpr std::size_t capacity = bytes - sizeof(uv_write_t) - sizeof(void*) - 8;
    char data[capacity];
  };
  static_assert(sizeof(output_block) == output_block::bytes);
  using output_blocks = big_blocks<output_block::bytes>;

  enum class place : std::uint8_t { none, borrowed, own };

  static void on_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer);
  static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer);
  int end_status() const noexcept;
  void emptied();
  void keep_window() noexcept;
  [[gnu::always_inline]] inline void arrived(std::size_t n, const uv_buf_t& buffer);
  bool make_room() noexcept;
  void arm();
  void disarm() noexcept;
  void wake_reader();
  void drop_own() noexcept;
  void queue_output(output_block* block);
  static uv_buf_t buffer_of(output_block& b) noexcept;
  std::size_t write_some(const uv_buf_t* buffers, unsigned n, int& status);
  void wrote(std::size_t n, int status);
  void submit(stream_writer& w);
  void on_closing() override;
  void on_closed() override;
  bool busy() const noexcept override { return linked_at_turn_end(); }
  bool linked_at_turn_end() const noexcept { return turn_end::linked(); }
  static void end_of_turn(turn_end& e);

  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } native_;
  char* window_ = nullptr;
  std::size_t window_size_ = 0;
  char* own_ = nullptr;
  std::uint32_t own_capacity_ = 0;
  stream_reader* reader_ = nullptr;
  output_block* output_ = nullptr;
  std::size_t in_flight_ = 0;
  stream_writer* writer_ = nullptr;
  uv_write_t write_request_;
  waiter* drain_waiter_ = nullptr;
  std::size_t drain_limit_ = 0;
  uv_shutdown_t shutdown_request_;
  waiter* shutdown_waiter_ = nullptr;
  list<close_awaiter> closers_;
  int read_error_ = 0;  // apart: a peer that stops reading may still have answered
  int write_error_ = 0;
  place place_ = place::none;
  bool eof_ = false;
  bool reading_ = false;
  bool shut_ = false;
  bool timed_out_ = false;
  std::string name_;
};

}  // namespace cuvee::inline v0::detail
