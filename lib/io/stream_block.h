// SPDX-License-Identifier: MIT
#pragma once
#include "big_blocks.h"
#include "core/handle_block.h"
#include "core/loop_state.h"

#include <cuvee/base/bytes.h>
#include <cuvee/core/frame_pool.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/stream.h>

#include <algorithm>
#include <string>
#include <string_view>

#if CUVEE_ASAN
#include <sanitizer/asan_interface.h>
#define CUVEE_POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define CUVEE_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define CUVEE_POISON(p, n) (void)0
#define CUVEE_UNPOISON(p, n) (void)0
#endif

namespace cuvee::inline v0::detail {

/// A stream of bytes both ways, with a read window and output that is written once a turn; the base of
/// everything a `stream` can stand for. What hot paths touch is here and not virtual; the virtual
/// functions are the transport. One that is known by its `final` type costs no indirect call a turn.
///
/// Reading: once armed it stays armed (stopping and starting again costs two `epoll_ctl`). Bytes land in
/// the waiting reader's span, else in the loop's slab, and are the window until `arrived`, which
/// announced them, returns; what is unconsumed then moves to the block's own buffer: 4 KiB, then 64 KiB,
/// and when that is full reading stops.
class stream_block : public handle_block, protected turn_end, public pooled {
 public:
  static constexpr std::size_t window_limit = 64 * 1024;
  static constexpr std::size_t largest_reserve = 12 * 1024;

  ~stream_block() override;

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
  virtual void flush() = 0;
  /// Bytes that the peer has not acknowledged yet; falls as it takes them.
  virtual std::size_t unsent() const noexcept { return in_flight_; }
  std::size_t in_flight() const noexcept { return in_flight_; }
  /// What the end of a write by a close means.
  int close_status() const noexcept { return refused_ != 0 ? refused_ : UV_ECANCELED; }
  bool has_writer() const noexcept { return writer_ != nullptr; }
  /// Somebody writes to the descriptor itself: other writers are told busy until `release_output`.
  void hold_output(stream_writer& w) noexcept { writer_ = &w; }
  void release_output() noexcept { writer_ = nullptr; }
  /// Writes queued output and the spans of `w` as far as the socket takes them at once.
  /// Returns: whether that was all or failed (`w.status`).
  bool try_write(stream_writer& w);
  /// Hands what is left to the transport; the waiter completes. Returns: false if it failed at once.
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
  /// Closes without regard for what is on its way; a TCP peer sees a reset.
  virtual void abort() { close(); }
  void await_closed(close_awaiter& a) noexcept { closers_.push_back(a); }

  /// What a status of this stream means, for whoever did `operation` with it; UV_EBUSY: somebody else does.
  error error_of(int status, std::string_view operation);
  /// The transport's part of that.
  virtual error failure(int status, std::string_view operation, std::string_view subject) const;
  /// For error texts: the peer, or what the stream is.
  std::string name();
  /// For the task tree: with the kind of stream.
  std::string label();
  void set_name(std::string name) { name_ = std::move(name); }
  /// Errors: not_connected, also where there are no addresses.
  virtual endpoint peer() const;
  virtual endpoint local() const;
  /// The descriptor whose bytes are exactly those of the stream; -1 where there is none.
  virtual int descriptor() const noexcept { return -1; }

 protected:
  struct output_block {
    static constexpr std::size_t bytes = 16 * 1024;
    uv_write_t request;  // for the transport; so is `next`
    output_block* next;
    stream_block* stream;
    std::uint32_t length, sent;
    static constexpr std::size_t capacity = bytes - sizeof(uv_write_t) - 2 * sizeof(void*) - 8;
    char data[capacity];
  };
  static_assert(sizeof(output_block) == output_block::bytes);
  using output_blocks = big_blocks<output_block::bytes>;

  enum class place : std::uint8_t { none, borrowed, own };

  /// `at_turn_end` is called at the end of a turn that has queued output. Its last act is `turn_ended`.
  stream_block(loop_state& l, void (*at_turn_end)(turn_end&));

  // The transport. Statuses are those of libuv: 0 or a negative error.
  /// Bytes are wanted from now on: each time there are some, `where_to_read` and `arrived`, at last
  /// `ended`. Called again only after `pause_reading`.
  virtual int start_reading() = 0;
  virtual void pause_reading() noexcept = 0;
  /// Takes bytes at once; called when nothing is in flight. Returns: how many, or an error.
  virtual ssize_t write_now(const uv_buf_t* buffers, unsigned n) = 0;
  /// Takes what `write_now` did not, in the order of the calls. `block_written` or `spans_written`
  /// follow, not within this call, unless it fails; also with an error before the stream is closed.
  virtual int write_later(output_block& block) = 0;
  virtual int write_later(const uv_buf_t* spans, unsigned n) = 0;
  /// The end of the output, behind all of it. `shutdown_done` follows, unless it fails.
  virtual int end_output() = 0;

  // What a transport calls, inside a turn. After most of these the stream may be closing.
  /// Room for bytes that have come; empty if memory is short. `slab`: where they go if neither a window nor a
  /// reader has room; of `window_limit` bytes, the caller's again after `arrived`.
  [[gnu::always_inline]] inline uv_buf_t where_to_read(char* slab) noexcept;
  bool wants_bytes() const noexcept { return reading_; }
  const stream_reader* reader() const noexcept { return reader_; }
  /// Reading starts for a reader only, not to be ahead of one; the transport then calls `disarm` when none is left.
  void start_for_readers_only() noexcept { on_demand_ = true; }
  bool on_demand() const noexcept { return on_demand_; }
  /// The transport stops reading by itself; the next waiting reader starts it again.
  void disarm() noexcept;
  /// `n` bytes are there.
  [[gnu::always_inline]] inline void arrived(std::size_t n, const uv_buf_t& room);
  /// No byte will come any more: UV_EOF or an error.
  void ended(int status);
  void block_written(output_block& block, int status);
  /// A part of it was taken, for transports that tell.
  void block_taken(output_block& block, std::size_t n) {
    block.sent += static_cast<std::uint32_t>(n);
    wrote(n, 0);
  }
  void spans_written(std::size_t n, int status);
  /// Output cannot wait for room, so the transport closes: that is why writes fail from now on.
  void refuse_output(int status) noexcept {
    refused_ = status;
    if (write_error_ == 0) write_error_ = status;
  }
  void shutdown_done();
  static uv_buf_t buffer_of(output_block& b) noexcept;
  static void free_block(output_block& b) noexcept {
    output_blocks::put(reinterpret_cast<char*>(&b));
  }
  /// The body of a transport's `flush`.
  template <class Transport>
  [[gnu::always_inline]] inline void flush_to(Transport& t);
  void turn_ended() { free_if_unused(); }
  void on_closing() override;
  void on_closed() override;
  bool busy() const noexcept override { return turn_end::linked(); }

 private:
  void emptied();
  void keep_window() noexcept;
  bool make_room() noexcept;
  void arm();
  void wake_reader() {
    if (stream_reader* r = std::exchange(reader_, nullptr)) r->waiter_->complete();
  }
  void drop_own() noexcept;
  void queue_output(output_block* block);
  void wrote(std::size_t n, int status);
  void submit(stream_writer& w);

  // What a read and a write that do not wait touch comes first: with thousands of connections each
  // line of cache counts.
  char* window_ = nullptr;
  std::size_t window_size_ = 0;
  stream_reader* reader_ = nullptr;
  stream_writer* writer_ = nullptr;
  output_block* output_ = nullptr;
  std::size_t in_flight_ = 0;
  char* own_ = nullptr;
  int write_error_ = 0;
  int read_error_ = 0;  // apart: a peer that stops reading may still have answered
  place place_ = place::none;
  bool eof_ = false;
  bool reading_ = false;
  bool shut_ = false;
  bool timed_out_ = false;
  bool on_demand_ = false;
  std::uint32_t own_capacity_ = 0;
  int refused_ = 0;
  waiter* drain_waiter_ = nullptr;
  std::size_t drain_limit_ = 0;
  waiter* shutdown_waiter_ = nullptr;
  list<close_awaiter> closers_;
  std::string name_;
};

// Field by field, as uv_buf_init is a call.
inline uv_buf_t stream_block::where_to_read(char* slab) noexcept {
  uv_buf_t room;
  if (window_size_ != 0) [[unlikely]] {
    bool some = make_room();
    room.base = some ? window_ + window_size_ : nullptr;
    room.len = some ? static_cast<std::size_t>(own_ + own_capacity_ - room.base) : 0;
  } else if (reader_ && !reader_->into.empty()) {
    room.base = reader_->into.data();
    room.len = std::min<std::size_t>(reader_->into.size(), 1u << 30);
  } else {
    room.base = slab;
    room.len = window_limit;
    CUVEE_UNPOISON(room.base, window_limit);
  }
  if (home().probe) [[unlikely]]
    room.len = home().probe->most_to_read(room.len);
  return room;
}

inline void stream_block::arrived(std::size_t n, const uv_buf_t& room) {
  {
    turn t(home());
    if (window_size_ != 0) {
      window_size_ += n;
      if (window_size_ == window_limit) disarm();
    } else if (reader_ && !reader_->ready && !reader_->into.empty()) {
      reader_->size = n;  // in place: no window
    } else {
      window_ = room.base;
      window_size_ = n;
      place_ = place::borrowed;
    }
    if (reader_ && (!reader_->ready || reader_->ready(*reader_))) wake_reader();
  }
  settle();
  char* slab = home().read_slab.get();
  if (room.base == slab) CUVEE_POISON(slab, window_limit);
}

template <class Transport>
inline void stream_block::flush_to(Transport& t) {
  output_block* block = std::exchange(output_, nullptr);
  if (!block) return;
  int status = closing() ? static_cast<int>(UV_ECANCELED) : write_error_;
  uv_buf_t buffer = buffer_of(*block);
  // Once something is in flight, writing directly would overtake it.
  ssize_t n = 0;
  if (status == 0 && in_flight_ == 0) [[likely]]
    n = t.write_now(&buffer, 1);
  if (n < 0) status = static_cast<int>(n);
  if (n == block->length || status != 0) [[likely]] {
    free_block(*block);
    if (status != 0) wrote(0, status);
    return;
  }
  block->sent = static_cast<std::uint32_t>(n);
  queue_output(block);
}

inline uv_buf_t stream_block::buffer_of(output_block& b) noexcept {
  uv_buf_t buffer;
  buffer.base = b.data + b.sent;
  buffer.len = b.length - b.sent;
  return buffer;
}

}  // namespace cuvee::inline v0::detail
